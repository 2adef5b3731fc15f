#include "analysis/probe.h"

#include <algorithm>
#include <map>

#include "taugrad/ops/records.h"

namespace taugrad::analysis {

namespace {

/// What the graph was unfolded to: the length of items without one of their own.
std::vector<std::int64_t> full_lengths(const Unfolded& u) {
  std::vector<std::int64_t> lengths;
  for (const std::string& name : u.graph().tape().length_names) lengths.push_back(u.length(name));
  return lengths;
}

}  // namespace

Probe::Probe(const Unfolded& u, std::vector<NodeId> outputs, const EngineOptions& engine)
    : Probe(u.graph(), std::move(outputs), full_lengths(u), engine) {}

Probe::Probe(const Graph& graph, std::vector<NodeId> outputs, std::vector<std::int64_t> lengths,
             const EngineOptions& engine)
    : graph_(graph),
      outputs_(std::move(outputs)),
      executor_(graph_.tape(), outputs_, {.engine = engine}),
      sources_(runtime::sources_of(graph_.tape(), executor_.leaves())),
      lengths_(runtime::length_rules(graph_.tape(), std::move(lengths))) {}

std::vector<Tensor> Probe::operator()(const Tensors& inputs, const Tensors& weights) {
  const runtime::BatchDescription batch = runtime::describe_batch(sources_, lengths_, inputs);
  executor_.set_batch(batch.context, batch.items);
  for (const runtime::Source& s : sources_)
    runtime::bind_source(executor_, s, runtime::tensor_of(s, s.weight ? weights : inputs));
  executor_.run();
  std::vector<Tensor> values;
  for (std::size_t o = 0; o < outputs_.size(); ++o) {
    const Shape& shape = graph_.tape().shape(outputs_[o]);
    const bool shared = graph_.tape().extent_id(outputs_[o]) == kShared;
    Dims dims(shape.dims().begin(), shape.dims().end());
    if (!shared) dims.insert(dims.begin(), batch.items);
    Tensor t(std::move(dims), Dtype::f64);
    const std::span<const double> from = executor_.value(o);
    const std::span<double> to = t.values<double>();
    if (shared) std::copy(from.begin(), from.end(), to.begin());
    const auto rows = executor_.output_items(o);
    for (std::size_t r = 0; !shared && r < rows.size(); ++r)
      std::copy_n(from.data() + static_cast<std::int64_t>(r) * shape.size(), shape.size(),
                  to.data() + rows[r] * shape.size());
    values.push_back(std::move(t));
  }
  return values;
}

std::int64_t Probe::operations() const {
  const OperationCount count = executor_.operations();
  return count.per_item + count.shared;
}

std::int64_t Probe::parameters() const {
  std::int64_t n = 0;
  for (const runtime::Source& s : sources_)
    if (s.weight) n += static_cast<std::int64_t>(s.leaves.size()) * s.shape.size();
  return n;
}

Tensors item_repeated(const Tape& tape, const Tensors& inputs, std::int64_t item,
                      std::int64_t times) {
  std::vector<NodeId> leaves;
  for (NodeId id = 0; id < tape.size(); ++id)
    if (&tape.op(id) == &kInput) leaves.push_back(id);
  std::map<std::string, int> axes{{"item", 0}, {"lengths", 0}};
  for (const runtime::Source& s : runtime::sources_of(tape, leaves))
    axes[s.name] = s.per_example ? s.index_axes : -1;
  Tensors result;
  for (const auto& [name, tensor] : inputs) {
    const auto known = axes.find(name);
    const int before_batch = known != axes.end() ? known->second : 0;  // lengths:t
    result[name] = before_batch < 0
                       ? tensor
                       : repeated(one_item(tensor, before_batch, item), before_batch, times);
  }
  return result;
}

Tensor one_item(const Tensor& t, int index_axes, std::int64_t item) {
  Dims dims = t.dims();
  const auto axis = static_cast<std::size_t>(index_axes);
  const std::int64_t batch = dims[axis];
  std::int64_t rows = 1, size = 1;
  for (std::size_t a = 0; a < axis; ++a) rows *= dims[a];
  for (std::size_t a = axis + 1; a < dims.size(); ++a) size *= dims[a];
  dims[axis] = 1;
  Tensor result(dims, t.dtype());
  const auto bytes = static_cast<std::int64_t>(size_of(t.dtype())) * size;
  for (std::int64_t r = 0; r < rows; ++r)
    std::copy_n(t.bytes().data() + (r * batch + item) * bytes, bytes,
                result.bytes().data() + r * bytes);
  return result;
}

Tensor repeated(const Tensor& t, int index_axes, std::int64_t times) {
  Dims dims = t.dims();
  const auto batch = static_cast<std::size_t>(index_axes);
  std::int64_t rows = 1, size = 1;
  for (std::size_t a = 0; a <= batch; ++a) rows *= dims[a];
  for (std::size_t a = batch + 1; a < dims.size(); ++a) size *= dims[a];
  dims[batch] *= times;
  Tensor result(dims, t.dtype());
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t i = 0; i < times; ++i)
      std::copy_n(t.bytes().data() + r * size * static_cast<std::int64_t>(size_of(t.dtype())),
                  size * static_cast<std::int64_t>(size_of(t.dtype())),
                  result.bytes().data() +
                      (r * times + i) * size * static_cast<std::int64_t>(size_of(t.dtype())));
  return result;
}

}  // namespace taugrad::analysis
