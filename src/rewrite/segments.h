#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "taugrad/graph/graph.h"

namespace taugrad {

/// 1 for leaves, and for what is made of weights and numbers alone.   [tape.size()]
std::vector<char> base_nodes(const Tape& tape);

/// The forward part of a tape cut across the recurrence, about as many segments as each has steps.
struct TapeSegments {
  int count = 1;
  /// By node: its segment, never before those of its inputs; -1: not needed, a leaf, or made of
  /// what is not per example.
  std::vector<std::int32_t> of;
};

/// Cuts the needed nodes up to `last` by how many products lie on the longest path to them (where
/// there are next to none: how many ops), into the square root of the longest. What only inputs go
/// into belongs to the segment of its first user.
/// @param marked  1 for the needed nodes [tape.size()]
TapeSegments cut(const Tape& tape, std::span<const char> marked, NodeId last);

}  // namespace taugrad
