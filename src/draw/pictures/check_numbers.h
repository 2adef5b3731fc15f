#pragma once

#include "taugrad/draw/picture.h"

namespace taugrad::draw {

/// A picture may come from anybody. @throws Error (U022) where an edge or a node names a node or
/// cluster that there is not
void check_numbers(const Picture& p);

}  // namespace taugrad::draw
