#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "taugrad/draw/picture.h"

/// What the formats for other programs have in common.
namespace taugrad::draw {

/// Colours as "#rrggbb".
struct Look {
  std::string fill, stroke, ink;
};
/// Of a node: as numbers colour it, else by its kind.
Look look_of(const PictureNode& node);
std::string_view colour_of(EdgeKind kind);

/// "input", "copy", ..; "data", "share", ..
std::string_view word_of(NodeKind kind);
std::string_view word_of(EdgeKind kind);

/// The lines of a node: its name, then its operation and shape; without a name the operation.
std::vector<std::string> lines_of(const PictureNode& node, bool labels);

}  // namespace taugrad::draw
