#include "rewrite/equal_nodes.h"

#include <algorithm>
#include <bit>

#include "autodiff/sweep.h"
#include "graph/verified.h"
#include "rewrite/tape_copy.h"
#include "taugrad/graph/op.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

/// Nodes by what they compute: open addressing, at most half full.
class Computed {
 public:
  Computed(const Tape& tape, const std::vector<NodeId>& same)
      : tape_(tape),
        same_(same),
        table_(std::bit_ceil(2 * static_cast<std::size_t>(tape.size()) + 16), -1) {}

  /// The first node that computes what `id` does: `id` itself where there is none.
  NodeId find_or_add(NodeId id) {
    for (std::size_t i = hash(id);; ++i) {
      NodeId& entry = table_[i & (table_.size() - 1)];
      if (entry < 0) return entry = id;
      if (equal(entry, id)) return entry;
    }
  }

 private:
  std::size_t hash(NodeId id) const {
    std::uint64_t h = reinterpret_cast<std::uintptr_t>(&tape_.op(id)) >> 4;
    const auto mix = [&](std::uint64_t v) { h = (h ^ v) * 0x9E3779B97F4A7C15u, h ^= h >> 29; };
    mix(tape_.attrs_id(id));
    mix(tape_.shape_id(id));
    mix(tape_.extent_id(id));
    for (const NodeId x : tape_.inputs(id)) mix(static_cast<std::uint64_t>(same_[at(x)]));
    return static_cast<std::size_t>(h);
  }
  bool equal(NodeId a, NodeId b) const {
    return &tape_.op(a) == &tape_.op(b) && tape_.attrs_id(a) == tape_.attrs_id(b) &&
           tape_.shape_id(a) == tape_.shape_id(b) && tape_.extent_id(a) == tape_.extent_id(b) &&
           std::ranges::equal(tape_.inputs(a), tape_.inputs(b),
                              [&](NodeId x, NodeId y) { return same_[at(x)] == same_[at(y)]; });
  }

  const Tape& tape_;
  const std::vector<NodeId>& same_;
  std::vector<NodeId> table_;
};

/// The same numbers under another name.
bool renames(const Tape& tape, NodeId id) {
  if (!tape.op(id).traits.view || tape.inputs(id).size() != 1) return false;
  const NodeId x = tape.inputs(id)[0];
  return tape.shape_id(id) == tape.shape_id(x) && tape.extent_id(id) == tape.extent_id(x);
}

bool has_one_value(const Op& op) {
  return !op.traits.random &&
         (!op.traits.leaf || &op == &kConstant || &op == &kEye || &op == &kLength);
}

/// 1 for each node that stands for one that the outputs need.
std::vector<char> needed_once(const Tape& tape, std::span<const NodeId> outputs,
                              const std::vector<NodeId>& same) {
  std::vector<char> mark(same.size(), 0);
  for (const NodeId id : outputs) mark[at(same[at(id)])] = 1;
  for (NodeId id = tape.size() - 1; id >= 0; --id)
    if (mark[at(id)])
      for (const NodeId x : tape.inputs(id)) mark[at(same[at(x)])] = 1;
  return mark;
}

}  // namespace

std::vector<NodeId> equal_nodes(const Tape& tape, bool merge) {
  std::vector<NodeId> same(at(tape.size()));
  Computed computed(tape, same);
  for (NodeId id = 0; id < tape.size(); ++id) {
    if (renames(tape, id))
      same[at(id)] = same[at(tape.inputs(id)[0])];
    else
      same[at(id)] = merge && has_one_value(tape.op(id)) ? computed.find_or_add(id) : id;
  }
  return same;
}

Rewritten merge_equal_nodes(const Tape& tape, std::span<const NodeId> outputs, NodeId last) {
  const std::vector<NodeId> same = equal_nodes(tape, true);
  const std::vector<char> marked = needed_once(tape, outputs, same);
  TapeCopy copy(tape);
  Rewritten result{copy.graph(), {}, {}, -1};
  std::vector<NodeId> kept(marked.size(), -1), inputs;
  for (NodeId id = 0; id < tape.size(); ++id) {
    if (marked[at(id)]) {
      inputs.clear();
      for (const NodeId x : tape.inputs(id)) inputs.push_back(kept[at(same[at(x)])]);
      kept[at(id)] = copy.add(id, inputs, true);
      result.original.push_back(tape.op(id).traits.leaf ? id : -1);
    }
    if (id == last) result.last = result.graph.size() - 1;
  }
  for (const NodeId id : outputs) result.outputs.push_back(kept[at(same[at(id)])]);
  verify_rewritten(result.graph.tape());
  return result;
}

}  // namespace taugrad
