// Products of one step that are added up add to one place.
//
// Which products do so, and in which order, follows from the sum alone: products that belong to one
// position of the sequence, in the order of the sum's operands. Were the order in which they happen
// to run to decide, an item's bits would depend on how long the items beside it are. For the same
// reason graphs of several lengths are left alone: whose rows begin alike depends on the batch.
#include <algorithm>

#include "plan/plan_builder.h"
#include "taugrad/ops/records.h"

namespace taugrad::plan {
namespace {

class Accumulating {
 public:
  explicit Accumulating(PlanBuilder& draft) : draft_(draft), tape_(draft.tape) {}

  void run() {
    for (NodeId id = 0; id < draft_.size(); ++id)
      if (draft_.needed[at(id)] && draft_.form[at(id)] == Form::fused && &tape_.op(id) == &kAddN)
        link_terms(id);
  }

 private:
  struct Chain {
    IndexId index;
    NodeId first, last;
    std::uint8_t length;
  };

  void link_terms(NodeId sum) {
    chains_.clear();
    for (const Read& read : draft_.reads(sum))
      if (read.kind == Read::Kind::stream) add_term(read.node);
  }

  /// Read once, and lying nowhere else.
  bool serves_one(NodeId id) const {
    return draft_.uses[at(id)] == 1 && !draft_.is_output[at(id)] && draft_.into[at(id)] < 0;
  }

  void add_term(NodeId id) {
    if (draft_.form[at(id)] != Form::rows || !serves_one(id)) return;
    const IndexId index = tape_.index_id(id);
    const auto chain = std::ranges::find(chains_, index, &Chain::index);
    if (chain == chains_.end()) {
      chains_.push_back({index, id, id, 0});
      return;
    }
    if (!within(id, chain->first)) return;
    draft_.into[at(id)] = chain->first;
    draft_.turn[at(id)] = ++chain->length;
    draft_.key[at(id)] = std::max(draft_.key[at(id)], draft_.key[at(chain->last)]);
    chain->last = id;
  }

  /// Whether the rows of `a` are the first rows of `b`.
  bool within(NodeId a, NodeId b) const {
    const ExtentId x = tape_.extent_id(a), y = tape_.extent_id(b);
    if (x == y) return true;
    if (x == kShared || y == kShared || draft_.layout.of_level(x) || draft_.layout.of_level(y))
      return false;
    const auto &few = tape_.extent(x).bounds, &many = tape_.extent(y).bounds;
    return many.empty() || (!few.empty() && few[0].at_least >= many[0].at_least);
  }

  PlanBuilder& draft_;
  const Tape& tape_;
  std::vector<Chain> chains_;  // of the sum at hand
};

}  // namespace

void accumulate(PlanBuilder& draft) {
  const bool on = draft.passes.has(Pass::accumulate) && draft.passes.has(Pass::fuse);
  const std::int32_t lengths = draft.layout.lengths - (draft.layout.levels >= 0 ? 1 : 0);
  if (on && lengths <= 1) Accumulating(draft).run();
}

}  // namespace taugrad::plan
