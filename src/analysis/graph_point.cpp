#include "analysis/graph_point.h"

#include <algorithm>

#include "evaluate/leaves/bind.h"
#include "graph/adjoint.h"
#include "graph/positions.h"
#include "taugrad/evaluate/run.h"
#include "taugrad/ops/records.h"

namespace taugrad::analysis {
namespace {

bool is_number(const Tape& tape, const std::vector<NodeId>& nodes) {
  return std::ranges::all_of(nodes, [&](NodeId id) {
    const bool copy = &tape.op(id) == &kCopy && &tape.op(tape.inputs(id)[0]) == &kWeight;
    return tape.category(id) == 0 && !tape.op(id).traits.leaf && !copy;
  });
}

}  // namespace

GraphPoint point_of(const Graph& graph, const Tensors& inputs, const Tensors& weights,
                    const FlowOptions& o) {
  GraphPoint p{
      .graph = graph, .inputs = inputs, .weights = weights, .owner = {}, .engine = o.engine};
  const DrawOptions draw{.batch = o.batch, .seed = o.seed};
  if (inputs.empty()) p.inputs = random_inputs(graph, draw);
  if (weights.empty()) p.weights = initial_weights(graph, draw);
  p.owner = position_owners(graph.tape(), adjoint_nodes(graph.tape()));
  std::vector<NodeId> leaves;
  for (NodeId id = 0; id < graph.size(); ++id)
    if (&graph.tape().op(id) == &kInput) leaves.push_back(id);
  p.items = runtime::describe_batch(runtime::sources_of(graph.tape(), leaves),
                                    runtime::length_rules(graph.tape(), {}), p.inputs)
                .items;
  return p;
}

std::vector<NodeId> along(const Tape& tape, const NamedNodes& nodes, const std::string& name) {
  PositionStack stack = stacked(tape, nodes.positions(name));
  // steps are counted from 1; h[0], where it is computed, is where they begin
  const bool fits = stack.lengths.size() == 1 && stack.first[0] <= 1 &&
                    std::ssize(stack.nodes) > 1 - stack.first[0] && is_number(tape, stack.nodes);
  if (!fits) return {};
  return {stack.nodes.begin() + (1 - stack.first[0]), stack.nodes.end()};
}

}  // namespace taugrad::analysis
