#include "analysis/graph_point.h"

#include <algorithm>

#include "exec/bind.h"
#include "graph/adjoint.h"
#include "graph/positions.h"
#include "taugrad/exec/run.h"
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
  GraphPoint p{.graph = graph, .inputs = inputs, .weights = weights, .owner = {}};
  const DrawOptions draw{.batch = o.batch, .seed = o.seed};
  if (inputs.empty()) p.inputs = random_inputs(graph, draw);
  if (weights.empty()) p.weights = initial_weights(graph, draw);
  p.owner = position_owners(graph.tape(), adjoint_nodes(graph.tape()));
  std::vector<NodeId> leaves;
  for (NodeId id = 0; id < graph.size(); ++id)
    if (&graph.tape().op(id) == &kInput) leaves.push_back(id);
  p.items = exec::describe_batch(exec::sources_of(graph.tape(), leaves),
                                 exec::length_rules(graph.tape(), {}), p.inputs)
                .items;
  return p;
}

std::vector<NodeId> along(const Tape& tape, const NamedNodes& nodes, const std::string& name) {
  PositionStack stack = stacked(tape, nodes.positions(name));
  const bool fits = stack.lengths.size() == 1 && is_number(tape, stack.nodes);
  return fits ? std::move(stack.nodes) : std::vector<NodeId>();
}

}  // namespace taugrad::analysis
