#pragma once

#include <string>

#include "taugrad/train/model_folder.h"

namespace taugrad::cli {

/// What a model says of an item, as a line of JSON in the form that `train` reads: symbols are text
/// or words where the model has them.
std::string line_of(const Tensors& item, const TrainedModel& model);

}  // namespace taugrad::cli
