#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "taugrad/analysis/flow.h"
#include "taugrad/base/tensor.h"
#include "taugrad/language/definition.h"
#include "taugrad/language/mode.h"
#include "taugrad/runtime/executor.h"
#include "taugrad/train/dataset.h"
#include "taugrad/train/lr_schedule.h"
#include "taugrad/train/optimizer.h"

namespace taugrad {

/// How far truncated back-propagation goes: an update every `every` steps, whose gradient reaches
/// `back` steps back. The states are handed on from window to window.                      (R19)
struct Truncation {
  std::int64_t back = 0;   ///< 0: the whole sequence, as it is where no item is longer
  std::int64_t every = 0;  ///< 1..back; 0: back
  std::int64_t stride() const { return every > 0 ? every : back; }
  bool operator==(const Truncation&) const = default;
};

struct TrainOptions {
  OptimizerOptions optimizer = {};
  std::int64_t batch = 32;   ///< items of an update, >= 1
  std::int64_t epochs = 10;  ///< passes over the data, >= 1
  double clip = 1;           ///< largest global norm of a gradient; 0: no clipping
  double clip_value = 0;     ///< largest element of a gradient, before its norm; 0: none
  double final_lr =
      1;  ///< lr falls along a line to this share of itself at the last update; in [0, 1]
  std::string schedule = {};    ///< of lr, as LrSchedule reads it; empty: final_lr says it
  std::int64_t accumulate = 1;  ///< minibatches (windows, where truncated) of an update, >= 1
  /// The model is the average of the weights over the updates: of each the last one's share is
  /// 1 - average, at first more. 0: the weights themselves; in [0, 1).
  double average = 0;
  std::string frozen = {};  ///< weights that are not trained, by name: "E,l.*"
  Truncation truncation = {};
  std::uint64_t seed = 1;  ///< of initial weights, order of items, dropout, draws
  Modes modes = {};  ///< of random variables; a mixed one's probability may follow the updates
  EngineOptions engine = {};  ///< weights stay in f32 whatever the precision
  /// Of values, as of executors: those that evaluate between updates may share it. Null: memory of
  /// its own.
  std::shared_ptr<runtime::Arena> memory = nullptr;
  /// Gradients are made from values computed again: memory for about the square root of the steps,
  /// the same bits.
  bool checkpoint = false;
};

/// One update, as it went.
struct Update {
  std::int64_t update = 0;  ///< number of this update, from 1
  std::int64_t epoch = 0;   ///< from 0
  double loss = 0;  ///< of the batch before the update, in nats, divided by the number of targets
  double norm = 0;  ///< of the gradient before clipping
  std::int64_t targets = 0;                  ///< positions of random variables; without any, items
  std::map<std::string, double> mixes = {};  ///< probability of the data, of mixed variables
  double lr = 0;                             ///< its step size
  std::int64_t from = 0;                     ///< steps of its items that earlier windows had
};

/// Where the updates stand in the data.
struct SchedulePlace {
  std::int64_t batches = 0;  ///< minibatches of an epoch; 0: not known
  /// Update k (from 0) takes minibatch k + ahead, counted over all epochs: not 0 where the size of
  /// minibatches or the data changed on the way.
  std::int64_t ahead = 0;
  std::int64_t from = 0;  ///< steps of that minibatch's items that its windows have had
  PlateauState plateau = {};
};

/// What must be kept to go on later with the same bits.
struct TrainState {
  std::int64_t updates = 0;
  Tensors weights;  ///< of the model: their average where one is taken
  Tensors
      optimizer;  ///< its moments; "raw.W": the weights of an average; "carried.h[t]": of windows
  SchedulePlace place = {};
};

/// Minimises the loss of minibatches divided by their number of targets. (language.md R13) Which
/// items form update k is a function of (seed, k) alone, so that nothing but TrainState is needed
/// to resume. Items of like length go together; a plan made for T steps runs every batch whose
/// longest item has at most T.
class Trainer {
 public:
  /// @throws Error (D002) without an item, (U002) on options outside their range, modes that do not
  /// fit and names of no weight, (G023) without a loss, (G040) where truncation cannot hand on what
  /// the loss needs
  Trainer(const Definition& d, Dataset data, const TrainOptions& options);
  ~Trainer();
  Trainer(Trainer&&) noexcept;

  /// Goes on from a state saved earlier. Where an epoch has other minibatches now, as far into the
  /// epoch as it was. @throws Error (S013) where it is of another definition
  void restore(TrainState state);
  TrainState state() const;
  /// One update. @throws Error (N001) where the loss or the gradient is not finite: the weights are
  /// as before
  Update step();

  /// Begins with these weights in place of the drawn ones. @throws Error (S013) for axes that
  /// differ or a name that the model has not
  void set_weights(const Tensors& weights);
  /// Tells a measure on the validation data, which a schedule may follow.
  void measured(double loss);
  /// Weights whose gradient was zero in every update so far; none before the first.
  std::vector<std::string> idle() const;
  /// Options that changed nothing in the updates so far; none before the first.
  std::vector<std::string> warnings() const;

  /// How the gradient of the next update's batch travels through time, at the present weights and
  /// without dropout, in f64. Of items that cannot run together, those of one length. Nothing of
  /// the training changes. @throws Error (G028) without a state
  std::vector<StateFlow> flow() const;

  std::int64_t updates() const;           ///< done so far
  std::int64_t total_updates() const;     ///< of all epochs
  std::int64_t updates_of_epoch() const;  ///< of the first, where epochs differ
  bool done() const { return updates() >= total_updates(); }
  const Tensors& weights() const;   ///< f32; their average where one is taken
  std::int64_t parameters() const;  ///< elements of all weights

 private:
  struct Parts;
  Parts& parts() const;  // @throws Error (U021) where it was moved from
  std::unique_ptr<Parts> parts_;
};

}  // namespace taugrad
