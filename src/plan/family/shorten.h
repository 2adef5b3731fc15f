#pragma once

#include <optional>
#include <span>
#include <vector>

#include "plan/family/law.h"
#include "plan/family/repeats.h"
#include "taugrad/graph/graph.h"

namespace taugrad::plan {

/// A tape whose repeats come fewer times. What is left reads what it read, counted from the same
/// end of the repeat: the first times keep their distance from the beginning, the last ones theirs
/// from the end.
struct Shortened {
  Graph graph;
  std::vector<NodeId> outputs;
  std::vector<std::uint8_t> long_sum;  ///< by node: a sum whose terms were too many for a region
  std::vector<Repeat> repeats;
  /// Outputs, and inputs of sums that lost some: as they are left, and as they were. What stood in
  /// the middle can be told from what is left only where both follow one law.
  std::vector<Table> lists, whole_lists;
};

/// Leaves out `times` times of each of the repeats. Nothing where a node that stays reads a single
/// one of the nodes left out, or where sets of items do not run along with the repeats.
/// @param long_sum  of the tape, by node; empty: none
std::optional<Shortened> shorten(const Tape& tape, std::span<const NodeId> outputs,
                                 std::span<const std::uint8_t> long_sum,
                                 std::span<const Repeat> repeats, std::int32_t times);

}  // namespace taugrad::plan
