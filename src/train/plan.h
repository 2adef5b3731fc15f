#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "recurrence/model.h"
#include "taugrad/exec/executor.h"
#include "taugrad/recurrence/unfold.h"
#include "taugrad/train/dataset.h"

namespace taugrad {

/// Loss and gradients of a model unfolded to given lengths, planned once and run on every batch
/// that fits.
class LossPlan {
 public:
  /// @param lengths  by length number, the longest item a batch may hold (every item's own where
  /// not `ragged`)
  LossPlan(std::shared_ptr<const Model> model, const std::vector<std::int64_t>& lengths,
           bool ragged, bool checkpoint, const ExecutorOptions& options);

  /// Reads every weight from these tensors, which must stay where they are while this plan lives.
  void bind(const Tensors& weights);
  /// Adds the gradients of the items' loss to `gradients`; returns the loss summed over the items.
  /// @param seed  keys dropout masks, together with each item's place in the data
  double run(const Dataset& data, const std::vector<std::size_t>& items, std::uint64_t seed,
             Tensors& gradients);

 private:
  struct Leaf {
    NodeId id;
    std::string name;
    std::vector<std::int32_t> at;  ///< position
    bool category;
  };
  struct Slot {  ///< where an output's gradient goes
    std::string name;
    std::vector<std::int32_t> at;  ///< position of an untied weight
  };
  void fill(const Leaf& leaf, const Dataset& data, const std::vector<std::size_t>& items);

  Unfolded unfolded_;
  std::vector<std::string> lengths_;  ///< names, numbered
  std::unique_ptr<Executor<float>> executor_;
  std::vector<Leaf> inputs_, weights_;
  std::vector<Slot> slots_;  ///< of outputs 1, 2, ...
};

}  // namespace taugrad
