#include "io/inspect.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "base/system/files.h"
#include "base/system/suffix.h"
#include "io/safetensors_header.h"
#include "taugrad/graph/op.h"
#include "taugrad/io/tensors.h"

namespace taugrad {
namespace {

TensorSummary summary(const std::string& name, std::string_view type, std::size_t element_bytes,
                      const Tensor& t) {
  TensorSummary s;
  s.name = name;
  s.type = type;
  s.dims = t.dims();
  s.elements = t.size();
  s.bytes = static_cast<std::uint64_t>(t.size()) * element_bytes;
  double sum = 0;
  std::int64_t count = 0;
  const auto each_finite = [&](auto f) {
    for (std::int64_t i = 0; i < t.size(); ++i)
      if (const double x = t.at(i); std::isfinite(x)) f(x);
  };
  each_finite([&](double x) {
    s.min = count == 0 ? x : std::min(s.min, x);
    s.max = count == 0 ? x : std::max(s.max, x);
    sum += x;
    ++count;
  });
  s.not_finite = s.elements - count;
  if (count == 0) return s;
  s.mean = sum / static_cast<double>(count);
  double squares = 0;
  each_finite([&](double x) { squares += (x - s.mean) * (x - s.mean); });
  s.std = std::sqrt(squares / static_cast<double>(count));
  constexpr std::size_t kBins = 12;
  const double width = s.max / kBins - s.min / kBins;  // the difference may overflow
  if (!(width > 0)) return s;
  s.histogram.assign(kBins, 0);
  each_finite([&](double x) {
    const double bin = std::min((x / kBins - s.min / kBins) / width * kBins, kBins - 1.0);
    ++s.histogram[static_cast<std::size_t>(bin)];
  });
  return s;
}

void add(TensorsSummary& all, TensorSummary s) {
  all.elements += s.elements;
  all.not_finite += s.not_finite;
  all.bytes += s.bytes;
  all.tensors.push_back(std::move(s));
}

TensorsSummary inspect_safetensors(const std::string& path) {
  const InputFile file(path);
  const ByteSource source{path, file.size(),
                          [&](std::uint64_t at, std::span<std::byte> to) { file.read(at, to); }};
  const SafetensorsHeader header = read_header(source);
  TensorsSummary all;
  all.metadata = header.metadata;
  for (const StoredTensor& t : header.tensors)
    add(all, summary(t.name, t.type->name, t.type->bytes, read_tensor(source, header, t)));
  std::sort(all.tensors.begin(), all.tensors.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return all;
}

// Leaves of one name count as one entry; its first shape stands for it.
class Leaves {
 public:
  explicit Leaves(std::vector<LeafSummary>& list) : list_(list) {}
  bool add(const Tape& tape, NodeId id) {
    const bool named = tape.is_value(id);  // of those without a name, one entry a shape
    const auto key = std::make_pair(named ? tape.name(id) : std::string_view(),
                                    named ? ShapeId{0} : tape.shape_id(id));
    const auto [place, fresh] = place_.emplace(key, list_.size());
    if (fresh)
      list_.push_back({named ? std::string(tape.name(id)) : "(no name)", tape.shape(id), 0});
    ++list_[place->second].positions;
    return fresh;
  }

 private:
  std::vector<LeafSummary>& list_;
  std::map<std::pair<std::string_view, ShapeId>, std::size_t> place_;
};

}  // namespace

TensorsSummary inspect_tensors(const std::string& path) {
  if (!has_suffix(path, ".json")) return inspect_safetensors(path);
  TensorsSummary all;
  for (const auto& [name, t] : load_tensors(path))
    add(all, summary(name, t.dtype() == Dtype::i64 ? "I64" : "F64", size_of(t.dtype()), t));
  return all;
}

GraphSummary inspect_graph(const Graph& g) {
  const Tape& tape = g.tape();
  GraphSummary s;
  s.nodes = tape.size();
  s.bytes = tape.bytes();
  s.lengths = tape.length_names;
  std::unordered_map<const Op*, std::int64_t> ops;
  std::vector<std::int32_t> depth(static_cast<std::size_t>(tape.size()));
  Leaves inputs(s.inputs), weights(s.weights);
  for (NodeId id = 0; id < tape.size(); ++id) {
    std::int32_t deepest = 0;
    for (const NodeId in : tape.inputs(id))
      deepest = std::max(deepest, depth[static_cast<std::size_t>(in)]);
    depth[static_cast<std::size_t>(id)] = deepest + 1;
    s.depth = std::max<std::int64_t>(s.depth, deepest + 1);
    s.edges += static_cast<std::int64_t>(tape.inputs(id).size());
    s.values += tape.is_value(id);
    ++ops[&tape.op(id)];
    if (tape.op(id).name == "input") inputs.add(tape, id);
    if (tape.op(id).name == "weight") {
      weights.add(tape, id);
      s.parameters += tape.shape(id).size();
    }
  }
  for (const auto& [op, count] : ops) s.ops[std::string(op->name)] += count;
  return s;
}

}  // namespace taugrad
