#include "rewrite/chunks/lanes.h"

#include <algorithm>

#include "base/index.h"
#include "taugrad/graph/op.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

/// [C, s], with axes of one element before those of s where it has less than `rank`.
Shape of_steps(std::int64_t count, const Shape& s, int rank = 0) {
  std::vector<std::int64_t> all{count};
  for (int axis = s.rank(); axis < rank; ++axis) all.push_back(1);
  for (int axis = 0; axis < s.rank(); ++axis) all.push_back(s[axis]);
  return Shape(all);
}
/// s of [C, s]
Shape of_step(const Shape& s) { return Shape(s.dims().subspan(1)); }

constexpr int kMostAxes = 3;  // of a step

/// Whether several steps of it are one of more axes.
bool is_known_of_steps(const Op& op) {
  const bool elementwise =
      op.traits.elementwise && !op.traits.waits && !op.traits.random && !op.traits.leaf;
  return elementwise || &op == &kReshape || &op == &kBroadcastTo || &op == &kSum ||
         &op == &kSumTo || &op == &kNormalize || &op == &kSoftmax;
}

}  // namespace

Var Lanes::stacked(const Nodes& nodes, int on_way) {
  if (const auto known = known_.find(nodes); known != known_.end()) return known->second;
  const bool at_once = on_way < kMostOnWay && alike(nodes) && apart(nodes);
  Var all = at_once ? this->at_once(nodes, on_way + 1) : Var{};
  if (!all) {
    Vars lines;
    for (const NodeId id : nodes) lines.push_back(tape_.var(id));
    all = stack(lines);
  }
  return known_[nodes] = all;
}

/// Whether all are made in one way, which is known of several steps at once.
bool Lanes::alike(const Nodes& nodes) const {
  const NodeId first = nodes[0];
  if (nodes.size() < 2 || !is_known_of_steps(tape_.op(first))) return false;
  if (tape_.shape(first).rank() > kMostAxes) return false;
  for (const NodeId x : tape_.inputs(first))
    if (tape_.shape(x).rank() > kMostAxes) return false;
  return std::ranges::all_of(nodes, [&](NodeId id) { return !is_asked(id) && like(id, first); });
}

bool Lanes::like(NodeId a, NodeId b) const {
  if (&tape_.op(a) != &tape_.op(b) || tape_.attrs_id(a) != tape_.attrs_id(b) ||
      tape_.shape_id(a) != tape_.shape_id(b) || tape_.extent_id(a) != tape_.extent_id(b))
    return false;
  // an input that items have at other steps only cannot be stacked as it is, nor can a category
  const auto same = [&](NodeId x, NodeId y) {
    const ExtentId e = tape_.extent_id(x);
    if (category_size(tape_.var(x)) > 0) return false;
    return tape_.shape_id(x) == tape_.shape_id(y) && (e == kShared || e == tape_.extent_id(a));
  };
  return std::ranges::equal(tape_.inputs(a), tape_.inputs(b), same);
}

bool Lanes::is_asked(NodeId id) const {
  return !asked_.empty() && tape_.is_value(id) && asked_.contains(std::string(tape_.name(id)));
}

/// Whether none is made of another.
bool Lanes::apart(const Nodes& nodes) const {
  const NodeId low = std::ranges::min(nodes);
  std::vector<NodeId> open;
  std::vector<char> seen(at(tape_.size() - low), 0);
  const auto look = [&](NodeId id) {
    for (const NodeId x : tape_.inputs(id))
      if (x >= low && seen[at(x - low)] == 0) seen[at(x - low)] = 1, open.push_back(x);
  };
  for (const NodeId id : nodes) look(id);
  for (std::size_t looks = 0; !open.empty(); ++looks) {
    if (looks == kMostLooks) return false;
    const NodeId id = open.back();
    open.pop_back();
    look(id);
  }
  return std::ranges::none_of(nodes, [&](NodeId id) { return seen[at(id - low)] != 0; });
}

Var Lanes::at_once(const Nodes& nodes, int on_way) {
  Vars in;
  for (std::size_t i = 0; i < tape_.inputs(nodes[0]).size(); ++i)
    in.push_back(operand(nodes, i, on_way));
  return made(nodes[0], in);
}

/// What all share is spread over the steps.
Var Lanes::operand(const Nodes& nodes, std::size_t input, int on_way) {
  Nodes from;
  for (const NodeId id : nodes) from.push_back(tape_.inputs(id)[input]);
  if (std::ranges::any_of(from, [&](NodeId x) { return x != from[0]; }))
    return stacked(from, on_way);
  const Var shared = tape_.var(from[0]);
  return broadcast_to(shared, of_steps(static_cast<std::int64_t>(nodes.size()), shared.shape()));
}

Var Lanes::made(NodeId first, std::span<const Var> in) const {
  const Op& op = tape_.op(first);
  const Shape shape = tape_.shape(first), from = in[0].shape();
  const std::int64_t count = from[0];
  if (&op == &kReshape) return reshape(in[0], of_steps(count, shape));
  if (&op == &kBroadcastTo)
    return broadcast_to(reshape(in[0], of_steps(count, of_step(from), shape.rank())),
                        of_steps(count, shape));
  if (&op == &kSum) return sum(reshape(in[0], {count, of_step(from).size()}), 1);
  if (&op == &kSumTo)
    return reshape(sum_to(in[0], of_steps(count, shape, from.rank() - 1)), of_steps(count, shape));
  const Attrs attrs = tape_.attrs(first);
  return tape_.append(op, in, attrs);
}

}  // namespace taugrad
