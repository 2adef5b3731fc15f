// Inputs and weights of a graph, drawn from a seed: the same numbers as those of a definition with
// the same names.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/fail.h"
#include "base/memory_limit.h"
#include "exec/check_point.h"
#include "taugrad/exec/run.h"
#include "taugrad/ops/records.h"
#include "taugrad/recurrence/mode.h"

namespace taugrad {
namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

std::vector<exec::Source> sources_of(const Tape& tape, const Op& op) {
  std::vector<NodeId> leaves;
  for (NodeId id = 0; id < tape.size(); ++id)
    if (&tape.op(id) == &op) leaves.push_back(id);
  return exec::sources_of(tape, leaves);
}

void require_for(const char* what, const exec::LengthRules& rules,
                 const std::vector<exec::Source>& sources, std::int64_t batch) {
  std::vector<MemoryUse> plan;
  for (const exec::Source& s : sources) {
    double size = sizeof(double);
    for (const std::int64_t n : exec::drawn_dims(s, rules, batch)) size *= static_cast<double>(n);
    plan.push_back({fmt::format("\"{}\"", s.name), size});
  }
  require_memory(what, plan);
}

}  // namespace

Tensors random_inputs(const Graph& graph, const DrawOptions& options) {
  const Tape& tape = graph.tape();
  const std::vector<exec::Source> sources = sources_of(tape, kInput);
  const exec::LengthRules rules = exec::length_rules(tape, {});
  require_for("drawing inputs", rules, sources, options.batch);
  Tensors inputs;
  for (const exec::Source& s : sources) {
    const std::string name = data_of(s.name);
    if (inputs.contains(name)) continue;
    Tensor t(exec::drawn_dims(s, rules, options.batch), s.category > 0 ? Dtype::i64 : Dtype::f64);
    Stream stream(options.seed, "input:" + name);
    for (std::int64_t i = 0; i < t.size(); ++i) t.set(i, exec::draw_input(s, stream));
    inputs[name] = std::move(t);
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
  const exec::LengthRules rules = exec::length_rules(graph.tape(), {});
  require_for("drawing weights", rules, sources, 1);
  Tensors weights;
  for (const exec::Source& s : sources) {
    Tensor t(exec::drawn_dims(s, rules, 1), Dtype::f64);
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
