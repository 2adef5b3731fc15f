// Inputs and weights of a graph, drawn from a seed: the same numbers as those of a definition with
// the same names.
#include <algorithm>
#include <numeric>

#include "base/fail.h"
#include "base/index.h"
#include "base/system/memory_limit.h"
#include "evaluate/leaves/bind.h"
#include "evaluate/leaves/draw_leaf.h"
#include "taugrad/evaluate/run.h"
#include "taugrad/language/mode.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

std::vector<runtime::Source> sources_of(const Tape& tape, const Op& op) {
  std::vector<NodeId> leaves;
  for (NodeId id = 0; id < tape.size(); ++id)
    if (&tape.op(id) == &op) leaves.push_back(id);
  return runtime::sources_of(tape, leaves);
}

void require_for(const char* what, const runtime::LengthRules& rules,
                 const std::vector<runtime::Source>& sources, std::int64_t batch) {
  std::vector<MemoryUse> plan;
  for (const runtime::Source& s : sources) {
    double size = sizeof(double);
    for (const std::int64_t n : runtime::dims_of(s, rules, batch)) size *= static_cast<double>(n);
    plan.push_back({fmt::format("\"{}\"", s.name), size});
  }
  require_memory(what, plan);
}

}  // namespace

Tensors random_inputs(const Graph& graph, const DrawOptions& options) {
  const Tape& tape = graph.tape();
  const std::vector<runtime::Source> sources = sources_of(tape, kInput);
  const runtime::LengthRules rules = runtime::length_rules(tape, {});
  require_for("drawing inputs", rules, sources, options.batch);
  Tensors inputs;
  for (const runtime::Source& s : sources)
    if (const std::string name = data_of(s.name); !inputs.contains(name))
      inputs[name] = runtime::drawn_input(s, rules, options.batch, options.seed);
  if (inputs.empty()) {  // nothing else would tell how many items there are
    std::vector<std::int64_t> keys(at(options.batch));
    std::iota(keys.begin(), keys.end(), 0);
    inputs["item"] = Tensor::of({options.batch}, keys);
  }
  return inputs;
}

Tensors initial_weights(const Graph& graph, const DrawOptions& options) {
  const std::vector<runtime::Source> sources = sources_of(graph.tape(), kWeight);
  const runtime::LengthRules rules = runtime::length_rules(graph.tape(), {});
  require_for("drawing weights", rules, sources, 1);
  Tensors weights;
  for (const runtime::Source& s : sources)
    weights[s.name] = runtime::drawn_weight(graph.tape(), s, options.seed);
  return weights;
}

}  // namespace taugrad
