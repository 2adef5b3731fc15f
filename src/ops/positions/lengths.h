#pragma once

#include <cstdint>
#include <vector>

namespace taugrad {

/// Lengths that a graph can have steps for. @param lengths  [which][batch]
/// @param longest  Tape::longest
/// @throws Error (U022) where one is below 0, or longer than the graph
void require_lengths(const std::vector<std::vector<std::int64_t>>& lengths,
                     const std::vector<std::int64_t>& longest);

}  // namespace taugrad
