#pragma once

#include "taugrad/analysis/graphical_model.h"
#include "taugrad/draw/picture.h"

namespace taugrad {

struct ModelPictureOptions {
  int most_steps = 8;    ///< with more positions the middle is left out; 0: all are drawn
  bool printed = false;  ///< as books print it (Detail::variables)
};

/// The picture of a graphical model: random variables with a doubled outline, inputs yellow, states
/// plain, a column for each position.
Picture picture_of(const GraphicalModel& model, const ModelPictureOptions& options = {});

}  // namespace taugrad
