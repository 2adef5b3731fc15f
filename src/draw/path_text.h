#pragma once

#include <string>

#include "draw/layout.h"

namespace taugrad::draw {

/// A chain of curves as the data of an SVG path, its coordinates from `origin`.
std::string path_text(const Path& path, Point origin = {});

}  // namespace taugrad::draw
