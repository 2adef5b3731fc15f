#pragma once

#include <vector>

#include "taugrad/train/evaluate.h"
#include "train/batch_plan.h"

namespace taugrad {

/// The likelihoods of a model unfolded to given lengths, one by one, and whether the likeliest
/// values are right.
class ScorePlan {
 public:
  ScorePlan(const std::shared_ptr<const Model>& model, const std::vector<std::int64_t>& lengths,
            bool ragged, const Modes& modes, const ExecutorOptions& options);

  void bind(const Tensors& weights) { plan_->bind(weights); }
  /// Fills the places of `items` in `scores`, and in `steps`: [item][variable][position - 1].
  void run(const Dataset& data, const std::vector<std::size_t>& items, const BatchRun& how,
           std::vector<ItemScores>& scores, std::vector<std::vector<std::vector<Score>>>& steps);

 private:
  enum class Kind { loss, nats, right, apart };
  struct Output {
    Kind kind;
    std::size_t variable;
    std::int32_t step;      ///< along the first index; 0: none
    std::int64_t elements;  ///< of the variable at a position
  };
  void add(Kind kind, Var v, const Output& like);
  void add_scores(const Unfolded& u, const Symbol& s, std::size_t variable, const Mode& mode);
  void store(const Output& o, float value, ItemScores& item,
             std::vector<std::vector<Score>>& steps) const;

  std::vector<NodeId> nodes_;
  std::vector<Output> outputs_;
  std::size_t variables_ = 0;
  std::unique_ptr<BatchPlan> plan_;
};

}  // namespace taugrad
