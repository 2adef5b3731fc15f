#include "rewrite/stacked_sums.h"

#include <algorithm>

#include "graph/verified.h"
#include "rewrite/tape_copy.h"
#include "taugrad/graph/reachable.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

std::size_t at(NodeId id) { return static_cast<std::size_t>(id); }

/// The stack that a term is, perhaps behind other axes; or -1.
NodeId stack_of(const Tape& tape, NodeId term) {
  while (&tape.op(term) == &kReshape) term = tape.inputs(term)[0];
  return &tape.op(term) == &kStack && tape.extent_id(term) == kShared ? term : -1;
}

bool is_sum_of_stacks(const Tape& tape, NodeId id) {
  if (&tape.op(id) != &kAddN || tape.extent_id(id) != kShared) return false;
  const auto terms = tape.inputs(id);
  const NodeId first = stack_of(tape, terms[0]);
  return first >= 0 && std::ranges::all_of(terms, [&](NodeId term) {
           const NodeId stack = stack_of(tape, term);
           return stack >= 0 && tape.shape_id(stack) == tape.shape_id(first);
         });
}

class StackingSums {
 public:
  StackingSums(const Tape& tape, std::span<const NodeId> outputs)
      : tape_(tape), marked_(reachable(tape, outputs)), copy_(tape), kept_(marked_.size(), -1) {}

  Rewritten run(std::span<const NodeId> outputs, NodeId last) {
    Rewritten result{copy_.graph(), {}, {}, -1};
    for (NodeId id = 0; id < tape_.size(); ++id) {
      if (marked_[at(id)]) keep(id, result.original);
      if (id == last) result.last = result.graph.size() - 1;
    }
    for (const NodeId id : outputs) result.outputs.push_back(kept_[at(id)]);
    result.original.resize(at(result.graph.size()), -1);
    verify_rewritten(result.graph.tape());
    return result;
  }

 private:
  void keep(NodeId id, std::vector<NodeId>& original) {
    std::vector<NodeId> inputs;
    if (is_sum_of_stacks(tape_, id))
      inputs.push_back(stack_of_sums(id));
    else
      for (const NodeId x : tape_.inputs(id)) inputs.push_back(kept_[at(x)]);
    kept_[at(id)] = copy_.add(id, inputs, true);
    if (!tape_.op(id).traits.leaf) return;
    original.resize(at(kept_[at(id)]) + 1, -1);
    original.back() = id;
  }

  NodeId stack_of_sums(NodeId id) {
    const NodeId first = stack_of(tape_, tape_.inputs(id)[0]);
    std::vector<NodeId> sums, terms;
    for (std::size_t part = 0; part < tape_.inputs(first).size(); ++part) {
      terms.clear();
      for (const NodeId term : tape_.inputs(id))
        terms.push_back(kept_[at(tape_.inputs(stack_of(tape_, term))[part])]);
      sums.push_back(copy_.add_sum(id, terms));
    }
    std::vector<NodeId> path;  // the axes that the terms have
    for (NodeId x = tape_.inputs(id)[0]; x != first; x = tape_.inputs(x)[0]) path.push_back(x);
    NodeId made = copy_.add(first, sums, false);
    for (; !path.empty(); path.pop_back()) made = copy_.add(path.back(), {&made, 1}, false);
    return made;
  }

  const Tape& tape_;
  std::vector<char> marked_;
  TapeCopy copy_;
  std::vector<NodeId> kept_;
};

}  // namespace

bool has_sums_of_stacks(const Tape& tape) {
  for (NodeId id = 0; id < tape.size(); ++id)
    if (is_sum_of_stacks(tape, id)) return true;
  return false;
}

Rewritten stack_sums(const Tape& tape, std::span<const NodeId> outputs, NodeId last) {
  return StackingSums(tape, outputs).run(outputs, last);
}

}  // namespace taugrad
