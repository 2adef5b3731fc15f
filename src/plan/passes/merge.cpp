// Copies of a node stand for it; equal subexpressions are computed once.
#include "plan/plan_builder.h"
#include "rewrite/equal_nodes.h"

namespace taugrad::plan {

void merge_equal(PlanBuilder& draft) {
  const Tape& tape = draft.tape;
  draft.same = equal_nodes(tape, draft.passes.has(Pass::merge));
  draft.first.reserve(static_cast<std::size_t>(tape.size()) + 1);
  draft.first.push_back(0);
  for (NodeId id = 0; id < tape.size(); ++id) {
    for (const NodeId x : tape.inputs(id)) draft.input.push_back(draft.same[at(x)]);
    draft.first.push_back(static_cast<std::uint32_t>(draft.input.size()));
  }
  for (NodeId& id : draft.outputs) id = draft.same[at(id)];
}

}  // namespace taugrad::plan
