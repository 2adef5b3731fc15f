#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "kernels/gemm/pairs.h"
#include "kernels/gemm/panels.h"
#include "plan/plan.h"
#include "runtime/arena.h"
#include "runtime/batch.h"
#include "runtime/in_use.h"
#include "runtime/profile.h"
#include "runtime/schedule.h"
#include "runtime/slot_places.h"
#include "runtime/steps/worker.h"
#include "taugrad/runtime/executor.h"

namespace taugrad::runtime {

using plan::Plan;
using plan::SlotId;
using plan::Step;
using plan::Value;
using plan::ValueId;

/// Rows [first, last) that a worker works on.
struct RowRange {
  std::int64_t first, last;
};

/// What changes from run to run: the batch, the storage, the packed weights. The plan stays as it
/// is.
template <class S>
class Runtime {
 public:
  Runtime(const Plan<S>& plan, const ExecutorOptions& options);

  OneCaller& one_caller() { return arena_->one_caller; }  ///< of an Executor's functions

  void set_batch(const BatchContext& given, std::int64_t items);
  void run();
  /// Whether nothing is left to be found for a run of this batch: one worker has listed its steps.
  bool settled() const;
  /// run() where it is settled: nothing is asked again.
  void run_again();
  /// Lets an output lie where a leaf does, which the next run reads, where all steps have read that
  /// before and none can fail. Of what is settled. @return whether it does
  bool write_over(ValueId output, ValueId leaf);
  /// Tells `profile` of every step from now on; null: no longer.
  void watch(Profile<S>* profile);

  /// The value of a leaf. Callers go through them in order, as a rule.
  ValueId leaf_value(NodeId id);
  /// The caller's numbers of the items of a value's rows.
  std::span<const std::int32_t> items(ValueId id) const;
  std::span<S> leaf(ValueId id);
  void bind(ValueId id, std::span<const S> values);
  std::span<const S> output(ValueId id) const;
  std::size_t bytes() const { return arena_->values.bytes() + packed_bytes_; }
  OperationCount operations() const { return count_; }

  // for kernels
  const Plan<S>& plan() const { return plan_; }
  ValueId operand(const Step<S>& step, std::uint32_t number) const {
    return plan_.operands[step.first_operand + number];
  }
  Value place(ValueId id) const { return plan_.values[static_cast<std::size_t>(id)]; }
  const Shape& shape(const Value& v) const { return plan_.shapes[v.shape]; }
  const Shape& shape(ValueId id) const { return shape(place(id)); }
  S* data(const Value& v) const { return slots_.of(v.slot) + v.offset; }
  S* data(ValueId id) const { return data(place(id)); }
  /// How many of the values `a`, `b`, and so on, at most so many, are alike and lie at one
  /// distance.
  std::size_t even_times(ValueId a, ValueId b, std::size_t most) const;
  /// How many times `each` operands, at most so many, are alike and lie at one distance from time
  /// to time, from operand number `first` of the plan on; the same of single jobs of one matrix. 1
  /// where the plan is written down.
  std::size_t even_operands(std::size_t first, std::size_t each, std::size_t most) const;
  std::size_t even_jobs(std::size_t first, std::size_t most) const;
  std::int64_t rows(ExtentId extent) const { return placed_.rows[extent]; }
  const BatchContext& context() const { return placed_.context; }
  kernels::Panels<S>& panels(std::int32_t number) {
    return panels_[static_cast<std::size_t>(number)];
  }
  const kernels::Panels<S>& panels(std::int32_t number) const {
    return panels_[static_cast<std::size_t>(number)];
  }
  /// The rows of an extent that a worker does in a step.
  RowRange range(ExtentId extent, const Step<S>& step, const Worker<S>& worker) const;
  /// Those of `n` columns, or panels of them, that a worker does in a step.
  std::pair<std::int64_t, std::int64_t> columns(std::int64_t n, const Step<S>& step,
                                                const Worker<S>& worker) const;
  Share share(const Step<S>& step) const {
    return schedule_.workers == 1 ? Share::alone : schedule_.share[step.number];
  }
  /// Places of the parts before a step that goes on with their sum.
  std::int64_t places_before(const Step<S>& step) const { return places_before_[step.number]; }
  /// Whether operands that hold numbers of bfloat16 are multiplied in pairs.
  static bool in_pairs(bool rounded) {
    return sizeof(S) == 4 && rounded && kernels::pairs_supported();
  }
  /// Whether the panels hold their matrix already.
  bool packed(const Step<S>& step) const {
    return packed_[static_cast<std::size_t>(step.panels)] != 0;
  }
  bool stays_packed(std::int32_t panels) const {
    return packed_[static_cast<std::size_t>(panels)] != 0;
  }
  /// Of panels that have been filled: whether they hold good for the next run.
  void keep_packed(const Step<S>& step) {
    const SlotId slot = place(operand(step, 0)).slot;
    packed_[static_cast<std::size_t>(step.panels)] =
        !weights_change_ && plan_.slots[static_cast<std::size_t>(slot)].outside;
  }
  /// Whether the values of a run are too many for a cache to hold.
  bool far() const { return bytes_of_values_ > kCloseBytes; }

 private:
  static constexpr std::size_t kCloseBytes = 1 << 23;
  static constexpr std::size_t kFewTimes = 8;  ///< of a stretch of steps: all are looked at

  [[noreturn]] void refuse(double packed, double budget) const;
  void lay_out();
  void take_memory();
  bool holds_memory() const { return arena_->holder == this; }
  template <class Body>
  void each_reader(const Body& body) const;
  template <class Body>
  void each_job(const Step<S>& step, const Body& body) const;
  bool same_matrices(const plan::Stretches::Piece& piece) const;
  void place_panels();
  std::vector<std::size_t> order_of_panels() const;
  void lay_out_panels(S* memory);
  void take_panels();
  std::int64_t bytes_of(const plan::PackedMatrix& m) const {
    return kernels::Panels<S>::bytes(m.rows, m.columns, in_pairs(m.pairs));
  }

  void count_places();
  void count_operations();
  void forget_addresses();
  void prepare_addresses();
  void prepare_workers();
  void carry_out(std::size_t step, Worker<S>& worker);
  void run_alone();
  void run_together();
  void run_with(int workers);
  void require_batch() const;
  void require_leaves();
  void require_filled();
  void forget_leaves();

  const Plan<S>& plan_;
  std::size_t max_memory_;
  int threads_;
  bool weights_change_;
  bool has_run_ = false;  ///< the present batch
  bool given_ = false;    ///< all shared leaves
  bool filled_ = true;    ///< all leaves of items, since their place was taken
  bool ready_ = false;    ///< placed and laid out for `items_` and `lengths_`
  std::int64_t items_ = 0;
  std::vector<std::vector<std::int64_t>> lengths_;  ///< as the caller gave them
  Placement placed_;
  std::shared_ptr<Arena> arena_;  ///< of values, and of matrices that are packed in each run
  std::size_t bytes_of_values_ = 0, elements_packed_ = 0, packed_bytes_ = 0;
  const void* laid_on_ = nullptr;  ///< where the slots were given their places
  SlotPlaces<S> slots_;
  std::map<SlotId, std::vector<S>> own_;  ///< shared leaves that were not bound
  LineAligned<S> kept_panels_;            ///< packed once
  const S* panels_at_ = nullptr;          ///< where panels_ lie
  std::vector<kernels::Panels<S>> panels_;
  std::vector<std::int32_t> panels_on_;    // by panels: the ones in whose memory they lie, or -1
  std::vector<LineAligned<S>> constants_;  // by program: a tile of each
  std::vector<Worker<S>> workers_;
  Schedule schedule_;
  std::vector<std::uint8_t> packed_;         // by panels: filled, of a weight that does not change
  std::vector<std::int64_t> places_before_;  // by step; empty: no sum has parts
  OperationCount count_, count_of_batch_;
  std::size_t last_leaf_ = 0;  ///< that was asked for
  std::vector<char> asked_;    ///< by leaf: for its place, since that was taken
  Profile<S>* profile_ = nullptr;
};

}  // namespace taugrad::runtime
