#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "evaluate/planner.h"
#include "evaluate/segments/segment_plan.h"
#include "taugrad/train/evaluate.h"
#include "train/loop/batch_plan.h"
#include "train/predict/score_outputs.h"

namespace taugrad {

/// The scores of a model unfolded to given lengths.
class ScorePlan {
 public:
  /// @param planned  by a ScorePlanner
  ScorePlan(const ResolvedModel& model, runtime::Planned<float> planned);

  void bind(const Tensors& weights) { plan_.bind(weights); }
  /// Adds the scores of `items` to their places.
  /// @param levels  of a plan by levels: of these items
  void run(const Items& data, const std::vector<std::size_t>& items, const BatchRun& how,
           ItemTable& table, const runtime::LevelRows& levels = {});

 private:
  ScoreOutputs outputs_;
  BatchPlan plan_;
};

/// Plans the likelihoods of one model for one length after another.
class ScorePlanner {
 public:
  ScorePlanner(std::shared_ptr<const ResolvedModel> model, bool ragged, Modes modes,
               const ExecutorOptions& options);
  /// @param levels  0, or how many of circle()
  std::unique_ptr<ScorePlan> plan(const std::vector<std::int64_t>& lengths,
                                  std::int64_t levels = 0);
  const std::optional<LevelCircle>& circle() const { return planner_.circle(); }
  bool lacks_chunks() const { return planner_.lacks_chunks(); }

 private:
  std::shared_ptr<const ResolvedModel> model_;
  bool ragged_;
  Modes modes_;
  runtime::Planner<float> planner_;
};

/// The same of items of any length, a segment after another: the memory is that of one.       (R19)
class LongScores {
 public:
  /// Null where a sequence of this model cannot run in segments.
  static std::unique_ptr<LongScores> of(const std::shared_ptr<const ResolvedModel>& model,
                                        const Modes& modes, const ExecutorOptions& options);
  /// From how many steps on it pays.
  static constexpr std::int64_t kLong = 2048;

  std::int64_t steps_of(const Items& data, std::size_t item) const {
    return data.length(item, segments_.length_name());
  }
  const std::string& length_name() const { return segments_.length_name(); }
  /// Loads what it needs of the items, a segment after another.
  void run(Items& data, const std::vector<std::size_t>& items, const BatchRun& how,
           const Tensors& weights, ItemTable& table);

 private:
  struct Plan {
    std::optional<ScoreOutputs> outputs;
    std::unique_ptr<runtime::SegmentPlan<float>> segment;
  };
  LongScores(const std::shared_ptr<const ResolvedModel>& model, const SegmentRequest& request,
             const ExecutorOptions& options);
  Plan& plan_for(const runtime::SegmentShape& shape, const Tensors& weights);
  void run_group(Items& data, const std::vector<std::size_t>& items,
                 const std::vector<std::int64_t>& of_state, std::int64_t from, const BatchRun& how,
                 const Tensors& weights, runtime::SegmentState<float>& state, ItemTable& table);

  std::shared_ptr<const ResolvedModel> model_;
  Segments segments_;
  Modes modes_;
  ExecutorOptions options_;
  std::map<std::vector<std::int64_t>, Plan> plans_;
};

}  // namespace taugrad
