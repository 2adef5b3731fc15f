#pragma once

#include <string>

#include "taugrad/draw/picture.h"
#include "taugrad/graph/graph.h"

namespace taugrad {

/// Writes a graph or a picture to a file, whole or not at all, by its suffix: .dot, .svg, .html (a page
/// to explore), and for graphs .json.
/// @throws Error (U002: another suffix; I002, I003: the file)
void write(const Graph& graph, const std::string& path);
void write(const Picture& picture, const std::string& path);

}  // namespace taugrad
