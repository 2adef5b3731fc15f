#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/batch_plan.h"

namespace taugrad {

/// Loss and gradients of a model unfolded to given lengths, planned once and run on every batch
/// that fits.
class LossPlan {
 public:
  /// @param lengths  by length number, the longest item a batch may hold (every item's own where
  /// not `ragged`)
  LossPlan(const std::shared_ptr<const Model>& model, const std::vector<std::int64_t>& lengths,
           bool ragged, const Modes& modes, bool checkpoint, const ExecutorOptions& options);

  void bind(const Tensors& weights) { plan_->bind(weights); }
  /// Adds the gradients of the items' loss to `gradients`; returns the loss summed over the items.
  double run(const Dataset& data, const std::vector<std::size_t>& items, const BatchRun& how,
             Tensors& gradients);

 private:
  struct Slot {  ///< where an output's gradient goes
    std::string name;
    std::vector<std::int32_t> at;  ///< position of an untied weight
  };

  std::unique_ptr<BatchPlan> plan_;
  std::vector<Slot> slots_;  ///< of outputs 1, 2, ...
};

}  // namespace taugrad
