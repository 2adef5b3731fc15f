#include "exec/check_point.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "exec/stream.h"
#include "taugrad/ops/records.h"
#include "taugrad/recurrence/mode.h"

namespace taugrad::exec {
namespace {

const Tensor* find_tensor(const Tensors& tensors, const std::string& name) {
  auto found = tensors.find(name);
  if (found == tensors.end()) found = tensors.find(data_of(name));
  return found == tensors.end() ? nullptr : &found->second;
}

// As a weight without `init`, and beside that some noise: zeros would hide wrong gradients.
void draw_weight(const Source& s, std::uint64_t seed, Tensor& tensor) {
  if (s.shape.rank() >= 2) {
    Stream stream(seed, s.name);
    const double a = 1 / std::sqrt(static_cast<double>(std::max<std::int64_t>(
                             1, s.shape[s.shape.rank() - 1])));
    for (std::int64_t i = 0; i < tensor.size(); ++i)
      tensor.set(i, a * (2 * stream.uniform() - 1));
  }
  Stream noise(seed, "check:" + s.name);
  for (std::int64_t i = 0; i < tensor.size(); ++i)
    tensor.set(i, tensor.at(i) + 0.3 * noise.normal());
}

// The items that the tensors tell, or -1.
std::int64_t items_told(const std::vector<Source>& sources, const Tensors& tensors) {
  for (const Source& s : sources) {
    const Tensor* t = s.per_example ? find_tensor(tensors, s.name) : nullptr;
    if (t != nullptr && t->dims().size() > static_cast<std::size_t>(s.index_axes))
      return t->dims()[static_cast<std::size_t>(s.index_axes)];
  }
  for (const auto& [name, t] : tensors)
    if ((name == "item" || name.starts_with("lengths")) && t.dims().size() == 1) return t.size();
  return -1;
}

}  // namespace

double draw_input(const Source& s, Stream& stream) {
  if (s.category > 0) return std::floor(stream.uniform() * static_cast<double>(s.category));
  return !s.bernoulli ? stream.normal() : stream.uniform() < 0.5 ? 1 : 0;
}

Dims drawn_dims(const Source& s, const LengthRules& rules, std::int64_t batch) {
  const bool one = rules.steps.size() == 1 && s.per_example;  // else which length is not told
  Dims dims(static_cast<std::size_t>(s.index_axes),
            one ? std::max<std::int64_t>(rules.steps[0], 0) : 0);
  for (std::size_t i = 0; i < s.positions.size(); ++i) {
    std::int64_t& axis = dims[i % dims.size()];
    axis = std::max<std::int64_t>(axis, s.positions[i]);
  }
  if (s.per_example) dims.push_back(batch);
  dims.insert(dims.end(), s.shape.dims().begin(), s.shape.dims().end());
  return dims;
}

std::vector<NodeId> given_leaves(const Tape& tape) {
  std::vector<NodeId> leaves;
  for (NodeId id = 0; id < tape.size(); ++id)
    if (&tape.op(id) == &kInput || &tape.op(id) == &kWeight) leaves.push_back(id);
  return leaves;
}

CheckPoint point_of(Tape& tape, std::span<const NodeId> leaves, const Tensors& tensors,
                    BatchContext batch, std::int64_t items, std::uint64_t seed) {
  place_items(batch, tape, items);
  CheckPoint point;
  point.items = items;
  const auto add = [&](NodeId leaf) -> std::vector<double>& {
    const ExtentId extent = tape.extent_id(leaf);
    const std::size_t rows = extent == kShared ? 1 : batch.items_of[extent].size();
    const auto size = static_cast<std::size_t>(tape.shape(leaf).size());
    return point.leaves.emplace_back(tape.var(leaf), std::vector<double>(rows * size)).second;
  };
  std::vector<NodeId> named;
  for (const NodeId leaf : leaves) {
    if (tape.name_id(leaf) != 0 && find_tensor(tensors, std::string(tape.name(leaf)))) {
      named.push_back(leaf);
      continue;
    }
    Source drawn;
    drawn.category = tape.category(leaf);
    Stream stream(seed, "check:" + tape.label(leaf));
    for (double& x : add(leaf)) x = draw_input(drawn, stream);
  }
  for (const Source& s : sources_of(tape, named))
    for (std::size_t i = 0; i < s.leaves.size(); ++i) {
      const ExtentId extent = tape.extent_id(s.leaves[i]);
      const auto rows = extent == kShared ? std::vector<std::int32_t>{} : batch.items_of[extent];
      read_leaf(s, *find_tensor(tensors, s.name), i, rows, add(s.leaves[i]));
    }
  point.batch = std::move(batch);
  return point;
}

Tensors with_drawn(const std::vector<Source>& sources, const LengthRules& rules, Tensors tensors,
                   std::int64_t batch, std::uint64_t seed) {
  const std::int64_t told = items_told(sources, tensors);
  if (told >= 0) batch = told;
  for (const Source& s : sources) {
    if (const Tensor* t = find_tensor(tensors, s.name)) {
      if (!tensors.contains(s.name)) tensors[s.name] = *t;
      continue;
    }
    Tensor tensor(drawn_dims(s, rules, batch), s.category > 0 ? Dtype::i64 : Dtype::f64);
    Stream stream(seed, "input:" + data_of(s.name));
    if (s.weight)
      draw_weight(s, seed, tensor);
    else
      for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.set(i, draw_input(s, stream));
    tensors[s.name] = std::move(tensor);
  }
  // where no input tells how many items there are
  const bool any = std::ranges::any_of(sources, [](const Source& s) { return s.per_example; });
  for (std::size_t l = 0; l < rules.names.size() && !any && told < 0; ++l)
    tensors["lengths:" + rules.names[l]] =
        Tensor::of({batch}, std::vector<std::int64_t>(static_cast<std::size_t>(batch),
                                                      std::max(rules.longest[l], rules.steps[l])));
  return tensors;
}

}  // namespace taugrad::exec
