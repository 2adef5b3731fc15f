#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace taugrad::draw {

/// The colours of what belongs to a grad(e, v) inside an equation: those of a gradient.
inline constexpr std::string_view kGradientFill = "#fff0e0", kGradientInk = "#111111";

/// 1 for each node that is the result of a grad(e, v), or that nothing else needs. Linear.
/// @param edges  (read, reader)
/// @param ends   1 for each result
/// @param kept   1 for each node that stands for itself: a value, a leaf
std::vector<char> gradient_parts(std::span<const std::pair<int, int>> edges, std::vector<char> ends,
                                 std::span<const char> kept);

}  // namespace taugrad::draw
