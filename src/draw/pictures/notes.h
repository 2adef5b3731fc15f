#pragma once

#include <string>
#include <vector>

#include "draw/pictures/scan.h"
#include "taugrad/draw/graph_picture.h"

namespace taugrad::draw {

/// What a picture of a graph leaves out, a line each: Picture::notes.
/// @param drawn    by node of the tape: the one of the picture before steps were left out, or -1
/// @param picture  as it is shown
std::vector<std::string> left_out(const Tape& tape, const TapeScan& scan,
                                  const std::vector<int>& drawn, Detail detail,
                                  const Picture& picture);

}  // namespace taugrad::draw
