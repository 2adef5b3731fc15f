// Copies of a node stand for it; equal subexpressions are computed once.
#include <algorithm>
#include <bit>

#include "plan/draft.h"
#include "taugrad/ops/records.h"

namespace taugrad::plan {
namespace {

/// Nodes by what they compute: open addressing, at most half full.
class Computed {
 public:
  explicit Computed(const Draft& draft)
      : draft_(draft), table_(std::bit_ceil(2 * static_cast<std::size_t>(draft.size()) + 16), -1) {}

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
    const Tape& tape = draft_.tape;
    std::uint64_t h = reinterpret_cast<std::uintptr_t>(&tape.op(id)) >> 4;
    const auto mix = [&](std::uint64_t v) { h = (h ^ v) * 0x9E3779B97F4A7C15u, h ^= h >> 29; };
    mix(tape.attrs_id(id));
    mix(tape.shape_id(id));
    mix(tape.extent_id(id));
    for (const NodeId x : draft_.in(id)) mix(static_cast<std::uint64_t>(x));
    return static_cast<std::size_t>(h);
  }
  bool equal(NodeId a, NodeId b) const {
    const Tape& tape = draft_.tape;
    return &tape.op(a) == &tape.op(b) && tape.attrs_id(a) == tape.attrs_id(b) &&
           tape.shape_id(a) == tape.shape_id(b) && tape.extent_id(a) == tape.extent_id(b) &&
           std::ranges::equal(draft_.in(a), draft_.in(b));
  }

  const Draft& draft_;
  std::vector<NodeId> table_;
};

/// The same numbers under another name.
bool renames(const Draft& draft, NodeId id) {
  const Tape& tape = draft.tape;
  if (!tape.op(id).traits.view || draft.in(id).size() != 1) return false;
  const NodeId x = draft.in(id)[0];
  return tape.shape_id(id) == tape.shape_id(x) && tape.extent_id(id) == tape.extent_id(x);
}

bool has_one_value(const Op& op) {
  return !op.traits.random && (!op.traits.leaf || &op == &kConstant || &op == &kLength);
}

}  // namespace

void merge_equal(Draft& draft) {
  const Tape& tape = draft.tape;
  const bool merge = draft.passes.has(Pass::merge);
  draft.same.resize(static_cast<std::size_t>(tape.size()));
  draft.first.reserve(static_cast<std::size_t>(tape.size()) + 1);
  draft.first.push_back(0);
  Computed computed(draft);
  for (NodeId id = 0; id < tape.size(); ++id) {
    for (const NodeId x : tape.inputs(id)) draft.input.push_back(draft.same[Draft::at(x)]);
    draft.first.push_back(static_cast<std::uint32_t>(draft.input.size()));
    NodeId& same = draft.same[Draft::at(id)] = id;
    if (renames(draft, id))
      same = draft.in(id)[0];
    else if (merge && has_one_value(tape.op(id)))
      same = computed.find_or_add(id);
  }
  for (NodeId& id : draft.outputs) id = draft.same[Draft::at(id)];
}

}  // namespace taugrad::plan
