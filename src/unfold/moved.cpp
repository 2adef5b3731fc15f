#include "unfold/moved.h"

#include <algorithm>
#include <utility>

#include "base/fail.h"
#include "unfold/unfolder.h"

namespace taugrad {
namespace {

class Renumbering {
 public:
  explicit Renumbering(std::span<const NodeId> nodes) : nodes_(nodes) {}
  void operator()(NodeId& id) const {
    if (id >= 0) id = nodes_[static_cast<std::size_t>(id)];
  }
  void operator()(PositionTable& table) const {
    PositionTable other(table.lengths());
    table.each([&](const std::vector<std::int32_t>& at, NodeId id) {
      other.set(at, nodes_[static_cast<std::size_t>(id)]);
    });
    table = std::move(other);
  }

 private:
  std::span<const NodeId> nodes_;
};

}  // namespace

Unfolded Unfolder::moved(const Unfolded& u, Graph graph, std::span<const NodeId> nodes) {
  if (u.segment_) fail(Status::bug, "B001", "a segment stays on its own graph");
  const Renumbering renumber(nodes);
  Unfolded moved = u;
  moved.graph_ = std::move(graph);
  for (Unfolded::Tables* tables : {&moved.values_, &moved.nlls_, &moved.weights_})
    for (auto& entry : *tables) renumber(entry.second);
  for (auto& entry : moved.copies_)
    for (Unfolded::CopyGroup& group : entry.second) {
      renumber(group.nodes);
      for (auto& more : group.more) std::ranges::for_each(more.second, renumber);
    }
  std::ranges::for_each(moved.ends_, renumber);
  renumber(moved.loss_);
  return moved;
}

Unfolded moved(const Unfolded& u, Graph graph, std::span<const NodeId> nodes) {
  return Unfolder::moved(u, std::move(graph), nodes);
}

}  // namespace taugrad
