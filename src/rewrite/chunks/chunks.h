#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "taugrad/graph/graph.h"

namespace taugrad {

/// Why a graph runs step by step all the same.
inline constexpr std::string_view kNoChunks =
    "no recurrence is found that is linear in its state, with a number, a row or a column for a "
    "gate, and is not asked for itself";

/// Of a recurrence that runs in chunks.
struct ChunkedStates {
  std::string name;  ///< of its states; may be empty
  std::int64_t steps = 0;
};

/// A tape whose linear recurrences run in chunks.
struct InChunks {
  Graph graph;
  std::vector<NodeId> nodes;          ///< by node of the first tape: the one that stands for it
  std::vector<ChunkedStates> states;  ///< none: the graph is empty, nothing was found
};

/// Recurrences that are linear in their states, with a number, a row or a column for a gate, run in
/// chunks of `steps` as products of matrices. It is for the forward part: the gradient of what is
/// made here is the gradient in chunks. Every node of the tape has one that stands for it, the
/// states too, of which the loss is not made any more.
/// @param asked  names of variables whose values or gradients are asked for: they stay as they are
InChunks in_chunks(const Tape& tape, std::int64_t steps, const std::set<std::string>& asked);

}  // namespace taugrad
