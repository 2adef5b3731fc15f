#include "rewrite/segments.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/sweep.h"
#include "taugrad/graph/op.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

constexpr std::int32_t kFewProducts = 4;  ///< on a path: then all ops are counted
constexpr std::int32_t kFewOps = 32;      ///< that are no recurrence
constexpr std::int32_t kLast = std::numeric_limits<std::int32_t>::max();

class Cutting {
 public:
  Cutting(const Tape& tape, std::span<const char> marked, NodeId last)
      : tape_(tape),
        marked_(marked),
        last_(last),
        base_(base_nodes(tape)),
        of_(marked.size(), -1) {}

  TapeSegments run() {
    std::int32_t longest = find_depths(true);
    if (longest < kFewProducts) longest = find_depths(false);
    const auto root = static_cast<std::int32_t>(std::lround(std::sqrt(longest)));
    const std::int32_t count = !products_ && longest < kFewOps ? 1 : std::max(root, 1);
    move_later();
    each([&](NodeId id) {
      std::int32_t& segment = of_[at(id)] =
          static_cast<std::int32_t>(std::int64_t{depth_[at(id)]} * count / (longest + 1));
      for (const NodeId x : tape_.inputs(id)) segment = std::max(segment, of_[at(x)]);
    });
    return {count, std::move(of_)};
  }

 private:
  template <class Body>
  void each(const Body& body) const {
    for (NodeId id = 0; id <= last_; ++id)
      if (marked_[at(id)] && !base_[at(id)]) body(id);
  }

  std::int32_t cost(NodeId id) const {
    const Op& op = tape_.op(id);
    return products_ ? &op == &kMatmul || &op == &kConv : !op.traits.view;
  }
  std::int32_t find_depths(bool products) {
    products_ = products;
    depth_.assign(marked_.size(), 0);
    std::int32_t longest = 0;
    each([&](NodeId id) {
      std::int32_t depth = 0;
      for (const NodeId x : tape_.inputs(id)) depth = std::max(depth, depth_[at(x)]);
      depth_[at(id)] = depth + cost(id);
      longest = std::max(longest, depth_[at(id)]);
    });
    return longest;
  }

  /// What only inputs go into waits until it is needed, so that it need not be kept until then.
  void move_later() {
    std::vector<std::int32_t> latest(marked_.size(), kLast);
    for (NodeId id = last_; id >= 0; --id) {
      if (!marked_[at(id)] || base_[at(id)]) continue;
      if (latest[at(id)] == kLast) latest[at(id)] = depth_[at(id)];
      for (const NodeId x : tape_.inputs(id))
        latest[at(x)] = std::min(latest[at(x)], latest[at(id)] - cost(id));
    }
    std::vector<char> moved(marked_.size(), 0);
    each([&](NodeId id) {
      moved[at(id)] =
          latest[at(id)] > depth_[at(id)] && std::ranges::all_of(tape_.inputs(id), [&](NodeId x) {
            return base_[at(x)] != 0 || moved[at(x)] != 0;
          });
      if (moved[at(id)]) depth_[at(id)] = latest[at(id)];
    });
  }

  const Tape& tape_;
  std::span<const char> marked_;
  NodeId last_;
  bool products_ = true;
  std::vector<char> base_;
  std::vector<std::int32_t> depth_, of_;
};

}  // namespace

std::vector<char> base_nodes(const Tape& tape) {
  std::vector<char> base(at(tape.size()), 0);
  const auto shared = [&](NodeId id) { return tape.extent_id(id) == kShared; };
  for (NodeId id = 0; id < tape.size(); ++id)
    base[at(id)] = tape.op(id).traits.leaf ||
                   (shared(id) && std::ranges::all_of(tape.inputs(id), [&](NodeId x) {
                      return base[at(x)] && shared(x);
                    }));
  return base;
}

TapeSegments cut(const Tape& tape, std::span<const char> marked, NodeId last) {
  return Cutting(tape, marked, last).run();
}

}  // namespace taugrad
