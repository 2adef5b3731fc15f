#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "taugrad/base/tensor.h"
#include "taugrad/io/safetensors.h"
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
  Metadata description = {};             ///< digests of definition and vocabulary
  std::vector<Diagnostic> warnings = {};  ///< S101: weights that are not finite
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
  Metadata description = {};  ///< of the model: what save_model_description and load_model give
};

/// 16 hexadecimal digits that tell other data apart; no protection against malice.
std::string digest_of(std::string_view data);

/// Writes definition and vocabulary, which stay as they are, into an existing folder. Returns their
/// digests. @throws Error (I002)
Metadata save_model_description(const std::string& folder, const TrainedModel& model);
/// Writes weights and state: each file whole or not at all, state.json last. The weights carry
/// digests of themselves and of the description. @throws Error (I002)
void save_training(const std::string& folder, const Tensors& weights, const ResumeState& state);

/// The one reader of a model's folder, for whoever runs it: reads and checks definition, weights
/// and vocabulary, nothing of the training's state. Weights of other origin, which carry no
/// digests, need only fit.
/// @throws Error (I001 without a model there; G.., D004; C002: damaged, by the digests that the
/// weights carry; C003: weights missing, too many or of other shapes, a vocabulary missing or of
/// another size)
TrainedModel load_model(const std::string& folder);
/// @throws Error (C002: damaged; C006: no state, or its files are of different updates)
ResumeState load_resume_state(const std::string& folder);
/// What an item of the training's text was; none without a saved state. @throws Error (G..)
std::optional<std::string> saved_split(const std::string& folder);

}  // namespace taugrad
