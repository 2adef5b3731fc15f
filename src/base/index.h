#pragma once

#include <concepts>
#include <cstddef>

namespace taugrad {

/// The index of a container's element from a node, a position or a count that is not negative.
constexpr std::size_t at(std::integral auto i) { return static_cast<std::size_t>(i); }

}  // namespace taugrad
