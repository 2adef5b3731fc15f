#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "plan/plan.h"

namespace taugrad::runtime {

template <class S>
class Runtime;

/// What a step has to do for the present batch.
struct StepWork {
  double operations = 0;  ///< floating-point operations of matrix products; 0 of all else
  double bytes = 0;       ///< read and written, each operand once
};
template <class S>
StepWork work_of(const plan::Step<S>& step, const Runtime<S>& machine);

/// Whether a step is a matrix product, or packs a matrix for one.
bool is_product(plan::Form form);

/// Steps that do the same: of one line of the plan, or of one fused program.
struct ProfileRow {
  std::string kind;    ///< "product", "outer", "fused", ..: the first word of plan::line_of
  std::string detail;  ///< the rest of it
  std::int64_t steps = 0;
  double ms = 0;  ///< of one run, the mean over its threads
  StepWork work;  ///< of one run
};

/// Watches the runs of an executor (Executor::watch): where their time goes, or what they take with
/// nothing but their matrix products.
template <class S>
class Profile {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Mode { times, products_only };
  explicit Profile(Mode mode) : mode_(mode) {}

  /// What was measured since it was set, slowest first; times of threads that wait are a row of
  /// their own.
  std::vector<ProfileRow> rows() const;
  /// Work of all matrix products.
  StepWork products() const;

  // for the machine
  void attach(const Runtime<S>& machine);
  /// @throws std::bad_alloc
  void begin_run(int workers);
  void end_run();
  bool skips(const plan::Step<S>& step) const {
    return mode_ == Mode::products_only && !is_product(step.form);
  }
  bool times() const { return mode_ == Mode::times; }
  void add(std::size_t step, int worker, Clock::duration time) {
    seconds_[static_cast<std::size_t>(worker)][step] += std::chrono::duration<double>(time).count();
  }

 private:
  Mode mode_;
  const Runtime<S>* machine_ = nullptr;
  std::vector<std::vector<double>> seconds_;  // by worker and step
  double wall_ = 0;
  std::int64_t runs_ = 0;
  Clock::time_point start_;
};

}  // namespace taugrad::runtime
