#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "taugrad/base/tensor.h"
#include "taugrad/recurrence/definition.h"
#include "taugrad/train/text.h"
#include "taugrad/train/trainer.h"

namespace taugrad {

/// A trained model: what its folder holds.
///   definition.json        with the sizes it was trained with; imports lie beside it
///   model.safetensors      the weights, by name
///   vocab.json             of a text model
///   state.json, optimizer.safetensors   what --resume needs
///   metrics.jsonl          one line a report of the training
struct TrainedModel {
  Definition definition;
  Tensors weights;
  std::optional<Vocabulary> vocabulary;
};

/// What --resume needs beside the model: how far training was, and all that decides the next
/// updates.
struct ResumeState {
  TrainOptions options;
  std::vector<std::string> files;  ///< of the data
  std::string split;               ///< of a text, as given
  std::int64_t max_length = 0;     ///< longer items were left out; 0: none
  std::int64_t flow_every = 0;     ///< updates between measures of the gradient flow; 0: none
  std::string digest;              ///< of the data, by digest_of
  std::int64_t updates = 0;
  Tensors optimizer;
};

/// 16 hexadecimal digits that tell other data apart; no protection against malice.
std::string digest_of(std::string_view data);

/// Writes definition and vocabulary, which stay as they are, into an existing folder. @throws Error
/// (I002)
void save_model_description(const std::string& folder, const TrainedModel& model);
/// Writes weights and state: each file whole or not at all, state.json last. @throws Error (I002)
void save_training(const std::string& folder, const Tensors& weights, const ResumeState& state);

/// @throws Error (I001 without a model there; S.., G.., D004)
TrainedModel load_model(const std::string& folder);
/// @throws Error (C006: no state, or its files are of different updates)
ResumeState load_resume_state(const std::string& folder);

}  // namespace taugrad
