#pragma once

#include <string>

#include "taugrad/draw/picture.h"

namespace taugrad {

struct RenderOptions {
  bool labels = true;  ///< false: leave out op names; nothing else changes
};

/// Graphviz text with coordinates written (layout=nop2), so that plain `dot -Tsvg` only has to
/// draw. Deterministic.
std::string to_dot(const Picture& picture, const RenderOptions& options = {});

/// A stand-alone SVG of the same layout: no script, no font, nothing external; light and dark.
std::string to_svg(const Picture& picture, const RenderOptions& options = {});

}  // namespace taugrad
