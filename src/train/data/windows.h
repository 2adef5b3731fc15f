#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "evaluate/segments/segment_plan.h"
#include "taugrad/train/dataset.h"
#include "taugrad/train/trainer.h"
#include "train/loop/batch_plan.h"
#include "train/loop/plan.h"

namespace taugrad {

/// The names of a model's random variables.
std::set<std::string> random_names(const ResolvedModel& model);
/// A value of an item of the data, for a segment that reads it. @throws Error (D005)
void read_item(const ResolvedModel& model, const Items& data, std::size_t item,
               const runtime::SegmentRead& read, std::span<float> to);

/// A minibatch a window after another: each goes on with the values that the one before handed on,
/// and its gradient ends where it begins.                                                   (R19)
class Windows {
 public:
  /// @throws Error (G040) where the loss needs what cannot be handed on
  Windows(std::shared_ptr<const ResolvedModel> model, const Modes& modes,
          const Truncation& truncation, LossRequest request, bool checkpoint,
          const ExecutorOptions& options);

  /// Whether items so long need windows, and how many.
  std::int64_t count(std::int64_t steps) const;
  /// The steps of an item along the length that is cut.
  std::int64_t steps_of(const Items& data, std::size_t item) const {
    return data.length(item, segments_.length_name());
  }
  const std::string& length() const { return segments_.length_name(); }
  std::int64_t longest(const Items& data, const std::vector<std::size_t>& items) const;
  /// Positions of random variables of the window after `from` steps; without any, items.
  std::int64_t targets(const Items& data, const std::vector<std::size_t>& items,
                       std::int64_t from) const;

  /// Reads what the window after `from` steps needs of the items.
  void load(Items& data, const std::vector<std::size_t>& items, std::int64_t from) const {
    data.load(items, begin_of(from), from + truncation_.stride());
  }
  /// Before the first window of a minibatch.
  void begin(std::size_t items);
  /// Adds the gradients of the window after `from` steps to `gradients`; returns its loss.
  double run(const Items& data, const std::vector<std::size_t>& items, std::int64_t from,
             const BatchRun& how, const Tensors& weights, Tensors& gradients);

  /// What the next window goes on with; empty before a minibatch.
  Tensors state() const;
  /// Goes on with it. False where it is not that of the window after `from` steps.
  bool set_state(const Tensors& state, const Items& data, const std::vector<std::size_t>& items,
                 std::int64_t from);
  /// Plans read the weights where they were.
  void forget_plans() { plans_.clear(); }

 private:
  struct Plan {
    std::unique_ptr<runtime::SegmentPlan<float>> segment;
    std::vector<LossGraph::Slot> slots;
  };
  /// Of the window after `from` steps: where its graph begins.
  std::int64_t begin_of(std::int64_t from) const {
    return std::max<std::int64_t>(from + truncation_.stride() - truncation_.back, 0);
  }
  Plan& plan_for(const runtime::SegmentShape& shape, const Tensors& weights);
  void make_state(std::size_t items, const std::vector<std::int64_t>& lengths);

  std::shared_ptr<const ResolvedModel> model_;
  Truncation truncation_;
  LossRequest request_;
  bool checkpoint_;
  ExecutorOptions options_;
  Segments segments_;
  bool ragged_;
  std::size_t cut_;
  std::map<std::vector<std::int64_t>, Plan> plans_;
  runtime::SegmentState<float> state_;
};

}  // namespace taugrad
