#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "taugrad/graph/graph.h"

/// Stretches of a tape that say the same thing step after step.
namespace taugrad::plan {

/// Nodes first .. first + length * count - 1: `count` times the same `length` ops on the same
/// shapes, where every input, every set of items, every index and every whole number among the
/// attributes moves on by a fixed distance from one time to the next.
struct Repeat {
  NodeId first;
  std::int32_t length;
  std::int32_t count;
  NodeId end() const { return first + length * count; }
};

/// The repeats of a tape, in tape order, each of at least kFewest times. Outputs repeat as well: a
/// node is one where the node `length` before it is. Takes time linear in the nodes.
inline constexpr std::int32_t kFewest = 6;
std::vector<Repeat> find_repeats(const Tape& tape, std::span<const NodeId> outputs);

}  // namespace taugrad::plan
