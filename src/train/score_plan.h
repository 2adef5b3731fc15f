#pragma once

#include <memory>
#include <vector>

#include "exec/planner.h"
#include "taugrad/train/evaluate.h"
#include "train/batch_plan.h"

namespace taugrad {

/// The likelihoods of a model unfolded to given lengths, one by one, and whether the likeliest
/// values are right.
class ScorePlan {
 public:
  /// @param planned  by a ScorePlanner
  ScorePlan(const Model& model, exec::Planned<float> planned);

  void bind(const Tensors& weights) { plan_.bind(weights); }
  /// Fills the places of `items` in `scores`, and in `steps`: [item][variable][position - 1].
  void run(const Dataset& data, const std::vector<std::size_t>& items, const BatchRun& how,
           std::vector<ItemScores>& scores, std::vector<std::vector<std::vector<Score>>>& steps);

  enum class Kind { loss, nats, right, apart };
  struct Output {
    Kind kind;
    std::size_t variable;
    std::int32_t step;      ///< along the first index; 0: none
    std::int64_t elements;  ///< of the variable at a position
  };

 private:
  void store(const Output& o, float value, ItemScores& item,
             std::vector<std::vector<Score>>& steps) const;

  std::vector<Output> outputs_;
  std::size_t variables_ = 0;
  BatchPlan plan_;
};

/// Plans the likelihoods of one model for one length after another.
class ScorePlanner {
 public:
  ScorePlanner(std::shared_ptr<const Model> model, bool ragged, Modes modes,
               const ExecutorOptions& options);
  std::unique_ptr<ScorePlan> plan(const std::vector<std::int64_t>& lengths);

 private:
  std::shared_ptr<const Model> model_;
  bool ragged_;
  Modes modes_;
  exec::Planner<float> planner_;
};

}  // namespace taugrad
