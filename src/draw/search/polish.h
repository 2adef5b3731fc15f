#pragma once

#include <functional>
#include <vector>

#include "draw/search/printed_search.h"

namespace taugrad::draw {

/// How poor a picture is with its circles there, all lines drawn; kUndrawn where they cannot be.
using Rate = std::function<double(const std::vector<Box>&)>;
inline constexpr double kUndrawn = 1e9;

/// Moves circles to where the lines as they are drawn, arcs too, are less poor: what stands outside
/// all steps and at their boundaries one by one, the rest as `freedom` has it. To be asked of small
/// pictures near their best: each place that is tried is rated anew.
/// @param boxes  at scale 1
/// @param most   places tried
Placing polished(const Picture& picture, std::vector<Box> boxes, Freedom freedom, const Rate& rate,
                 int most);

}  // namespace taugrad::draw
