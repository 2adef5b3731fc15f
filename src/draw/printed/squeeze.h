#pragma once

#include <optional>
#include <vector>

#include "draw/printed/printed_layout.h"

namespace taugrad::draw {

/// Whether no circle is nearer than that to another.
bool are_apart(const std::vector<Box>& boxes, double space);

/// All lines and texts of circles that stand there; nothing where a line cannot be drawn, where a
/// text is not clear, or where lines cross that often.
std::optional<Layout> drawn_at(const Picture& picture, std::vector<Box> boxes, double most);

/// A picture with much room between its circles, lower and narrower where that can be drawn as
/// well: straight lines cross as often where all that is upright is shorter.
Layout squeezed(const Picture& picture, Layout layout);

}  // namespace taugrad::draw
