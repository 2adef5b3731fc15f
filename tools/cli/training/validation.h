#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "command.h"
#include "taugrad/train/evaluate.h"
#include "taugrad/train/model_folder.h"
#include "training/training_data.h"

namespace taugrad::cli {

struct ValidationOptions {
  std::vector<std::string> files;
  double share = 0;           ///< of the training's items instead; 0: none
  std::int64_t every = 0;     ///< updates; 0: an epoch
  std::int64_t patience = 0;  ///< validations without a better one until the end; 0: no end
};
/// --valid, --valid-every, --patience.
void add_validation(Command& c, ValidationOptions& o);

/// Which of two items or more are held out: each by seed and its number alone, but for the one that
/// is needed where none would be, or none left.
std::vector<char> held_out(std::uint64_t seed, std::size_t items, double share);

/// Measures a training on data that it does not see, now and then.
class Validation {
 public:
  /// @param state  what is kept of it between runs  @param batches  updates of an epoch
  Validation(Dataset data, ValidationState& state, const TrainOptions& options, int threads,
             std::int64_t batches);

  bool due(std::int64_t update) const { return update % every_ == 0; }
  /// Loss per target; notes whether it is the best one.
  double measure(const Definition& d, const Tensors& weights, std::int64_t update);
  /// Nothing has become better for as long as there is patience.
  bool exhausted(std::int64_t update) const;

 private:
  Dataset data_;
  ValidationState& state_;
  EvaluateOptions options_;
  std::int64_t every_;
};

}  // namespace taugrad::cli
