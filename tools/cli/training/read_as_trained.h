#pragma once

#include <cstdint>

#include "command.h"
#include "training/training_data.h"

namespace taugrad::cli {

/// What becomes of items of more steps than a training took.
enum class LongItems : std::uint8_t { kept, left_out };

/// Data for a trained model are read as those that it was trained on, where the command line does
/// not say otherwise: --split, --column, --ignore-unknown, --max-length. Says what comes from the
/// model. @return whether the model has a state that tells
bool read_as_in_training(DataSource& source, const TrainedModel& model, LongItems long_items,
                         const Context& context);

}  // namespace taugrad::cli
