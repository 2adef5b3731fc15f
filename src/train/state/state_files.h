#pragma once

#include "base/system/output_folder.h"
#include "taugrad/train/model_folder.h"

namespace taugrad {

/// Weights and state, as save_training writes them, into a folder that is not there yet.
/// @throws Error (I002)
void add_state_files(OutputFolder& to, const Tensors& weights, const ResumeState& state);

/// What was asked for and what it is trained on, without how far it is: {"format": .., ..} for
/// people and their programs.
std::string config_json(const ModelDescription& description, const ResumeState& state);

}  // namespace taugrad
