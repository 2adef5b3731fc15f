#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "taugrad/base/tensor.h"
#include "taugrad/io/safetensors.h"
#include "taugrad/language/definition.h"
#include "taugrad/train/text.h"
#include "taugrad/train/trainer.h"

namespace taugrad {

/// How files of data are read, as a training was told.
struct DataOptions {
  std::string split = {};                 ///< of text; empty: line
  std::int64_t max_length = 0;            ///< longer items are left out; 0: none
  std::vector<std::string> columns = {};  ///< of tables: "x=2,3", "item=1"
  bool ignore_unknown = false;            ///< fields of JSON lines that are no variables
};

/// A trained model: what the folder of a model alone, or a step of a run (run_folder.h), holds.
///   definition.json        with the sizes it was trained with; imports lie beside it
///   model.safetensors      the weights, by name
///   vocab.json             of a text model
///   labels.json            where words stand for symbols in its data
///   state.json, optimizer.safetensors   what --resume needs
///   manifest.json          of a step: the digest of every other file
struct TrainedModel {
  Definition definition;
  Tensors weights;
  std::optional<Vocabulary> vocabulary;
  Labels labels = {};
  Metadata description = {};  ///< digests of definition and vocabulary
  /// S101: weights that are not finite; C001, C002: newer steps of the run that are not whole
  std::vector<Diagnostic> warnings = {};
  std::string folder = {};                  ///< where it was read: of a run, the step
  std::optional<DataOptions> reading = {};  ///< how the training's data were read; of a step
};

/// Measures of a training on data that it does not see.
struct ValidationState {
  std::vector<std::string> files;   ///< of the data
  double share = 0;                 ///< of the training's items instead
  std::int64_t every = 0;           ///< updates; 0: an epoch
  std::int64_t patience = 0;        ///< measures without a better one until the end; 0: no end
  std::optional<double> best = {};  ///< loss per target
  std::int64_t best_update = 0;
  bool any() const { return !files.empty() || share > 0; }
};

/// What --resume needs beside the model: how far training was, and all that decides the next
/// updates.
struct ResumeState {
  TrainOptions options;
  std::vector<std::string> files;  ///< of the data
  DataOptions reading = {};        ///< of these files
  std::int64_t flow_every = 0;     ///< updates between measures of the gradient flow; 0: none
  ValidationState validation = {};
  std::string digest;  ///< of the data, by digest_of
  std::int64_t updates = 0;
  SchedulePlace place = {};  ///< in the data
  Tensors optimizer;
  bool has_optimizer = true;   ///< else nothing is known of it, and training begins at update 0
  std::int64_t run = 1;        ///< trainings begun in the folder until then
  std::string last_line = {};  ///< of the metrics: that of the last update
  std::vector<std::string> changes = {};  ///< "update 120: --lr 0.002 -> 0.001": on going on
  Metadata description = {};  ///< of the model: what save_model_description and load_model give
};

/// 16 hexadecimal digits that tell other data apart; no protection against malice.
std::string digest_of(std::string_view data);

/// What of a model stays as it is while it is trained: the files that hold it, by name.
struct ModelDescription {
  std::vector<std::pair<std::string, std::string>> files;
  Metadata digests;
};
ModelDescription describe_model(const TrainedModel& model);

/// Writes definition and vocabulary of a model alone, which stay as they are, into an existing
/// folder. Returns their digests. @throws Error (I002)
Metadata save_model_description(const std::string& folder, const TrainedModel& model);
/// Writes weights and state: each file whole or not at all, state.json last. The weights carry
/// digests of themselves and of the description. @throws Error (I002)
void save_training(const std::string& folder, const Tensors& weights, const ResumeState& state);

/// The one reader of a model's folder, for whoever runs it: reads and checks definition, weights
/// and vocabulary, nothing of the training's state. Of a run the newest step that is whole, also
/// while a training adds and removes steps. Weights of other origin, which carry no digests, need
/// only fit.
/// @throws Error (I001 without a model there; G.., D004; C001, C002: damaged, by the digests that
/// manifest and weights carry; C003: weights missing, too many or of other shapes, a vocabulary
/// missing or of another size)
TrainedModel load_model(const std::string& folder);
/// Of a run that was validated the step that was best. @throws Error (I001 where there is none;
/// C001, C002: it is not whole)
TrainedModel load_best_model(const std::string& folder);
/// Of the folder that load_model read; none where it holds no state.json.
/// @throws Error (C002: damaged; C005; C006: weights and state are of different updates)
std::optional<ResumeState> load_resume_state(const TrainedModel& model);
/// How the training's data were read; none without a saved state. @throws Error (G..)
std::optional<DataOptions> saved_reading(const TrainedModel& model);

}  // namespace taugrad
