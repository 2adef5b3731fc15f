// Inputs and weights of a graph, drawn from a seed: the same numbers as those of a definition with
// the same names.
#include <algorithm>
#include <numeric>

#include "base/fail.h"
#include "base/memory_limit.h"
#include "exec/bind.h"
#include "exec/draw_leaf.h"
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
    for (const std::int64_t n : exec::dims_of(s, rules, batch)) size *= static_cast<double>(n);
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
  for (const exec::Source& s : sources)
    if (const std::string name = data_of(s.name); !inputs.contains(name))
      inputs[name] = exec::drawn_input(s, rules, options.batch, options.seed);
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
  for (const exec::Source& s : sources)
    weights[s.name] = exec::drawn_weight(graph.tape(), s, options.seed);
  return weights;
}

}  // namespace taugrad
