#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "taugrad/evaluate/run.h"
#include "taugrad/train/trainer.h"
#include "train/data/windows.h"
#include "train/loop/batch_plan.h"
#include "train/loop/not_finite.h"
#include "train/loop/plan.h"
#include "train/loop/replay.h"
#include "train/loop/schedule.h"

namespace taugrad {

/// What a trainer holds, and one update in its pieces: minibatches, or windows of them.
struct Trainer::Parts {
  Parts(const Definition& d, Dataset given, const TrainOptions& o);

  double add_group(const std::vector<std::size_t>& group, const BatchRun& how);
  void make_planner();
  LossPlan& plan_for(std::vector<std::int64_t> lengths, std::int64_t levels);
  ExecutorOptions executor_options() const { return {.engine = options.engine, .memory = memory}; }
  void check_state(const TrainState& s) const;
  void draw_weights(const DrawOptions& draw);
  void make_windows();
  std::int64_t position() const { return optimizer.updates() + ahead; }
  std::vector<std::size_t> items_at(std::int64_t minibatch);
  std::int64_t windows_between(std::int64_t minibatch, std::int64_t end) const;
  void count_updates();
  double add_piece(Update& u, const BatchRun& how);
  void next_piece(const std::vector<std::size_t>& batch);
  void finish(Update& u);
  std::optional<Replayed> source_of_not_finite();
  void average();

  TrainOptions options;
  Definition definition;
  std::shared_ptr<const ResolvedModel> model;
  const Dataset data;
  Items items;
  Batching batching;
  Schedule schedule;
  LrSchedule lr;
  Optimizer optimizer;
  Tensors weights, gradients, averaged;
  GuardedUpdate guarded;
  std::int64_t ahead = 0;  ///< of the updates, in minibatches
  std::int64_t from = 0;   ///< steps of the present minibatch that its windows have had
  std::int64_t total = 0;  ///< updates
  PlateauState plateau;
  std::set<std::string> idle;
  std::vector<std::pair<std::vector<std::size_t>, BatchRun>> pieces;  ///< of the present update
  std::shared_ptr<runtime::Arena> memory;                             ///< of all plans
  std::unique_ptr<Windows> windows;
  std::optional<LossPlanner> planner;  ///< made when the weights that learn are known
  std::map<std::vector<std::int64_t>, std::unique_ptr<LossPlan>> plans;  ///< by lengths and levels
};

}  // namespace taugrad
