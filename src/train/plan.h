#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "exec/planner.h"
#include "train/batch_plan.h"

namespace taugrad {

/// A model unfolded, with its loss and that loss's gradients for all weights that are trained.
struct LossGraph {
  struct Slot {  ///< where an output's gradient goes
    std::string name;
    std::vector<std::int32_t> at;  ///< position of an untied weight
  };
  Unfolded unfolded;
  NodeId forward = 0;           ///< nodes before those of the gradient
  std::vector<NodeId> outputs;  ///< the loss, then the gradients
  std::vector<Slot> slots;      ///< of outputs 1, 2, ...
};
/// @param lengths  by length number
LossGraph with_gradients(Unfolded u);
LossGraph loss_graph(const std::shared_ptr<const Model>& model,
                     const std::vector<std::int64_t>& lengths, bool ragged, const Modes& modes);

/// Loss and gradients of a model unfolded to given lengths, planned once and run on every batch
/// that fits.
class LossPlan {
 public:
  /// @param planned  by a LossPlanner
  LossPlan(const Model& model, exec::Planned<float> planned);

  void bind(const Tensors& weights) { plan_.bind(weights); }
  /// Adds the gradients of the items' loss to `gradients`; returns the loss summed over the items.
  double run(const Dataset& data, const std::vector<std::size_t>& items, const BatchRun& how,
             Tensors& gradients);

 private:
  std::vector<LossGraph::Slot> slots_;  ///< of outputs 1, 2, ...
  BatchPlan plan_;
};

/// Plans losses of one model for one length after another.
class LossPlanner {
 public:
  LossPlanner(std::shared_ptr<const Model> model, bool ragged, Modes modes, bool checkpoint,
              const ExecutorOptions& options);

  /// @param lengths  by length number, the longest item a batch may hold (every item's own where
  /// not `ragged`)
  std::unique_ptr<LossPlan> plan(const std::vector<std::int64_t>& lengths);

 private:
  std::shared_ptr<const Model> model_;
  bool ragged_;
  Modes modes_;
  exec::Planner<float> planner_;
};

}  // namespace taugrad
