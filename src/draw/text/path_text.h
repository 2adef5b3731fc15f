#pragma once

#include <string>

#include "draw/layout/layout.h"

namespace taugrad::draw {

/// Whether a curve, by its four points, is a straight line.
bool is_line(const Point* curve);

/// A chain of curves as the data of an SVG path, its coordinates from `origin`.
std::string path_text(const Path& path, Point origin = {});

}  // namespace taugrad::draw
