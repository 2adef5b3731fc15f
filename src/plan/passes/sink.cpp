// What is cheap is computed where it is used, so that it is never stored.
#include <algorithm>
#include <limits>

#include "plan/plan_builder.h"

namespace taugrad::plan {
namespace {

class Sinking {
 public:
  explicit Sinking(PlanBuilder& draft)
      : draft_(draft),
        first_use_(static_cast<std::size_t>(draft.size()), std::numeric_limits<Key>::max()),
        last_use_(static_cast<std::size_t>(draft.size())),
        fixed_(static_cast<std::size_t>(draft.size())) {}

  void run() {
    // whoever reads a value reads it at this key, or at a later one when it has moved
    for (NodeId id = 0; id < draft_.size(); ++id)
      if (draft_.needed[at(id)])
        draft_.each_read(id, [&](const Read& read) { lives_until(read.node, id); });
    for (NodeId id = draft_.size() - 1; id >= 0; --id) {
      if (!draft_.needed[at(id)]) continue;
      const bool fused = draft_.form[at(id)] == Form::fused;
      if (fused && may_move(id)) draft_.key[at(id)] = first_use_[at(id)];
      draft_.each_read(id, [&](const Read& read) { use(read, id); });
    }
  }

 private:
  /// Only into regions that can hold it, and where at most one operand has to live longer for it.
  bool may_move(NodeId id) const {
    if (fixed_[at(id)] || draft_.is_output[at(id)]) return false;
    if (draft_.into[at(id)] >= 0) return false;
    const Key key = first_use_[at(id)];
    if (key == std::numeric_limits<Key>::max() || key <= draft_.key[at(id)]) return false;
    NodeId longer = -1;
    for (const Read& read : draft_.reads(id)) {
      if (read.kind == Read::Kind::constant || draft_.shared(read.node)) continue;
      if (last_use_[at(read.node)] >= key || read.node == longer) continue;
      if (longer >= 0) return false;
      longer = read.node;
    }
    return true;
  }

  void lives_until(NodeId id, NodeId user) {
    Key& last = last_use_[at(id)];
    last = std::max(last, draft_.key[at(user)]);
  }

  void use(const Read& read, NodeId user) {
    const auto x = at(read.node);
    const Key key = draft_.key[at(user)];
    first_use_[x] = std::min(first_use_[x], key);
    lives_until(read.node, user);
    if (draft_.form[at(user)] != Form::fused || read.kind != Read::Kind::stream ||
        !draft_.same_tiles(read.node, user))
      fixed_[x] = 1;
  }

  PlanBuilder& draft_;
  std::vector<Key> first_use_, last_use_;
  std::vector<std::uint8_t> fixed_;
};

}  // namespace

void sink(PlanBuilder& draft) {
  if (draft.passes.has(Pass::sink)) Sinking(draft).run();
}

}  // namespace taugrad::plan
