#pragma once

#include <cstdint>
#include <vector>

#include "taugrad/graph/graph.h"

namespace taugrad {

/// Lengths that a graph can have steps for. @param lengths  [which][batch]
/// @param longest  Tape::longest
/// @throws Error (U022) where one is below 0, or longer than the graph
void require_lengths(const std::vector<std::vector<std::int64_t>>& lengths,
                     const std::vector<std::int64_t>& longest);

/// Whether extent e exists for no more items than extent `of`.
bool within(const Tape& tape, ExtentId e, ExtentId of);

}  // namespace taugrad
