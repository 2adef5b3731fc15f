// Inputs and weights of a graph, drawn from a seed: the same numbers as those of a definition with
// the same names.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/fail.h"
#include "base/memory_limit.h"
#include "exec/bind.h"
#include "exec/stream.h"
#include "taugrad/exec/run.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

std::vector<exec::Source> sources_of(const Tape& tape, const Op& op) {
  std::vector<NodeId> leaves;
  for (NodeId id = 0; id < tape.size(); ++id)
    if (&tape.op(id) == &op) leaves.push_back(id);
  return exec::sources_of(tape, leaves);
}

/// [positions..., batch, shape...] of a source, as far as its leaves reach.
Dims dims_of(const exec::Source& s, std::int64_t batch) {
  Dims dims(at(s.index_axes), 0);
  for (std::size_t i = 0; i < s.positions.size(); ++i) {
    std::int64_t& most = dims[i % at(s.index_axes)];
    most = std::max<std::int64_t>(most, s.positions[i]);
  }
  if (s.per_example) dims.push_back(batch);
  dims.insert(dims.end(), s.shape.dims().begin(), s.shape.dims().end());
  return dims;
}

void require_for(const char* what, const std::vector<exec::Source>& sources, std::int64_t batch) {
  std::vector<MemoryUse> plan;
  for (const exec::Source& s : sources) {
    double size = sizeof(double);
    for (const std::int64_t n : dims_of(s, batch)) size *= static_cast<double>(n);
    plan.push_back({fmt::format("\"{}\"", s.name), size});
  }
  require_memory(what, plan);
}

/// 1 for each leaf that the likelihood of a Bernoulli variable reads as its target.
std::vector<char> bernoulli_targets(const Tape& tape) {
  std::vector<char> is(at(tape.size()), 0);
  for (NodeId id = 0; id < tape.size(); ++id)
    if (&tape.op(id) == &kNllBernoulli || &tape.op(id) == &kNllBernoulliP)
      is[at(tape.inputs(id)[1])] = 1;
  return is;
}

}  // namespace

Tensors random_inputs(const Graph& graph, const DrawOptions& options) {
  const Tape& tape = graph.tape();
  const std::vector<exec::Source> sources = sources_of(tape, kInput);
  require_for("drawing inputs", sources, options.batch);
  const std::vector<char> bernoulli = bernoulli_targets(tape);
  Tensors inputs;
  for (const exec::Source& s : sources) {
    Tensor t(dims_of(s, options.batch), s.category > 0 ? Dtype::i64 : Dtype::f64);
    Stream stream(options.seed, "input:" + s.name);
    const bool binary = bernoulli[at(s.leaves.front())] != 0;
    for (std::int64_t i = 0; i < t.size(); ++i)
      t.set(i, s.category > 0 ? std::floor(stream.uniform() * static_cast<double>(s.category))
               : binary       ? (stream.uniform() < 0.5 ? 1 : 0)
                              : stream.normal());
    inputs[s.name] = std::move(t);
  }
  if (inputs.empty()) {  // nothing else would tell how many items there are
    std::vector<std::int64_t> keys(at(options.batch));
    std::iota(keys.begin(), keys.end(), 0);
    inputs["item"] = Tensor::of({options.batch}, keys);
  }
  return inputs;
}

Tensors initial_weights(const Graph& graph, const DrawOptions& options) {
  const std::vector<exec::Source> sources = sources_of(graph.tape(), kWeight);
  require_for("drawing weights", sources, 1);
  Tensors weights;
  for (const exec::Source& s : sources) {
    Tensor t(dims_of(s, 1), Dtype::f64);
    Stream stream(options.seed, s.name);
    const double width =  // R7: zeros below rank 2
        s.shape.rank() < 2 ? 0 : 1 / std::sqrt(std::max(1.0, double(s.shape.dims().back())));
    for (std::int64_t i = 0; width > 0 && i < t.size(); ++i)
      t.set(i, width * (2 * stream.uniform() - 1));
    weights[s.name] = std::move(t);
  }
  return weights;
}

}  // namespace taugrad
