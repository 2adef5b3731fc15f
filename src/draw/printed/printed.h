#pragma once

#include "taugrad/draw/picture.h"

namespace taugrad::draw {

/// A picture of named values as books print it: weights are labels only, the terms of a loss are
/// L(t), gradients are those of variables, and where the steps stand is told by what is raised.
Picture printed(Picture picture);

/// The circuit: a letter for each variable, a square on what comes from another step.
Picture printed_circuit(Picture picture);

}  // namespace taugrad::draw
