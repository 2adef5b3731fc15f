#pragma once

#include <span>
#include <vector>

#include "taugrad/graph/graph.h"

namespace taugrad {

/// The number in a new tape of what an old one interned under `id`; make() interns it the first
/// time. @param known  by old number: the new one plus 1, or 0
template <class Make>
std::uint32_t renumbered(std::vector<std::uint32_t>& known, std::uint32_t id, const Make& make) {
  if (id >= known.size()) known.resize(id + 1);
  if (known[id] == 0) known[id] = make() + 1;
  return known[id] - 1;
}

/// Copies nodes of one tape to a new one. Sets of items keep their numbers.
class TapeCopy {
 public:
  explicit TapeCopy(const Tape& from);

  Graph graph() const { return graph_; }
  /// The same op on `inputs` of the new tape, with the same owner; with `name` also the value that
  /// it was.
  NodeId add(NodeId id, std::span<const NodeId> inputs, bool name);
  /// round(x), of the owner of x.
  NodeId add_rounded(NodeId x);
  /// What is appended belongs to the owner of `id`, a node of the old tape, from now on.
  void own(NodeId id);
  /// `copy` is the value that `id` was, if it was one.
  void name(NodeId id, NodeId copy);
  /// after(inputs[0], inputs[1], ..) in a phase.
  NodeId add_after(std::span<const NodeId> inputs, std::int32_t phase);

 private:
  const Tape& from_;
  Graph graph_;
  Tape& to_;
  std::vector<std::uint32_t> shapes_, attrs_, names_, indices_;  // plus 1; 0: not yet
  AttrsId phase_attrs_ = 0;
  std::int32_t phase_ = -1;
};

}  // namespace taugrad
