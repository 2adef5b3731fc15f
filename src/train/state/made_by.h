#pragma once

#include <optional>
#include <string>

#include "taugrad/train/model_folder.h"

namespace taugrad {

/// What the bits of a training depend on beside its state: version, compiler, instruction set. The
/// number of threads is not among it.
std::string made_by();
/// The same of who saved a state; none where it does not say so.
std::optional<std::string> saved_made_by(const TrainedModel& model);

}  // namespace taugrad
