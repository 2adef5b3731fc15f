#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "evaluate/planner.h"
#include "train/loop/batch_plan.h"

namespace taugrad {

/// What of a loss and its gradients is wanted.
struct LossRequest {
  std::set<std::string> frozen = {};  ///< weights without a gradient, beside those that the
                                      ///< definition does not train
  std::set<std::string> partly = {};  ///< random variables of which some targets are not given
};

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
LossGraph with_gradients(Unfolded u, const LossRequest& request = {});
LossGraph loss_graph(const std::shared_ptr<const ResolvedModel>& model,
                     const std::vector<std::int64_t>& lengths, bool ragged, const Modes& modes,
                     const LossRequest& request = {});
/// The loss of an unfolded model, then its gradients for the weights, which are added to the graph.
/// @param forward  becomes the number of nodes before those of the gradient
std::vector<NodeId> add_weight_gradients(const Unfolded& u, const ResolvedModel& model,
                                         const LossRequest& request,
                                         std::vector<LossGraph::Slot>& slots, NodeId& forward);
/// Adds what an executor of those nodes has found to `gradients`; returns the loss, summed over the
/// items.
double add_gradients(const Executor<float>& executor, const std::vector<LossGraph::Slot>& slots,
                     Tensors& gradients);

/// Loss and gradients of a model unfolded to given lengths, planned once and run on every batch
/// that fits.
class LossPlan {
 public:
  /// @param planned  by a LossPlanner
  LossPlan(const ResolvedModel& model, runtime::Planned<float> planned);

  void bind(const Tensors& weights) { plan_.bind(weights); }
  /// Adds the gradients of the items' loss to `gradients`; returns the loss summed over the items.
  /// @param levels  of a plan by levels: of these items
  double run(const Items& data, const std::vector<std::size_t>& items, const BatchRun& how,
             Tensors& gradients, const runtime::LevelRows& levels = {});

 private:
  std::vector<LossGraph::Slot> slots_;  ///< of outputs 1, 2, ...
  BatchPlan plan_;
};

/// Plans losses of one model for one length after another.
class LossPlanner {
 public:
  LossPlanner(std::shared_ptr<const ResolvedModel> model, bool ragged, Modes modes,
              LossRequest request, bool checkpoint, const ExecutorOptions& options);

  /// @param lengths  by length number, the longest item a batch may hold (every item's own where
  /// not `ragged`)
  /// @param levels  0, or how many of circle()
  std::unique_ptr<LossPlan> plan(const std::vector<std::int64_t>& lengths, std::int64_t levels = 0);
  const std::optional<LevelCircle>& circle() const { return planner_.circle(); }
  bool lacks_chunks() const { return planner_.lacks_chunks(); }

 private:
  std::shared_ptr<const ResolvedModel> model_;
  bool ragged_;
  Modes modes_;
  runtime::Planner<float> planner_;
};

}  // namespace taugrad
