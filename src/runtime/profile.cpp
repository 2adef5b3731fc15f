#include "runtime/profile.h"

#include <algorithm>
#include <map>
#include <utility>

#include "plan/describe.h"
#include "runtime/runtime.h"

namespace taugrad::runtime {
namespace {

using plan::Form;

/// Reads the plan of a machine for its present batch.
template <class S>
class Worked {
 public:
  Worked(const Step<S>& step, const Runtime<S>& machine) : step_(step), machine_(machine) {}

  StepWork operator()() const {
    switch (step_.form) {
      case Form::rows:
        return jobs();
      case Form::taps:
        return taps();
      case Form::each:
        return each();
      case Form::outer_sum:
        return outer_sum();
      case Form::pack:
        return {0, machine_.packed(step_) ? 0 : 2 * size_of(step_.panels)};
      default:
        return moves();
    }
  }

 private:
  static constexpr double kBytes = sizeof(S);
  const plan::PackedMatrix& matrix(std::int32_t panels) const {
    return machine_.plan().panels[static_cast<std::size_t>(panels)];
  }
  double size_of(std::int32_t panels) const {
    const auto& m = matrix(panels);
    return kBytes * static_cast<double>(m.rows) * static_cast<double>(m.columns);
  }
  double rows(ValueId v) const {
    return static_cast<double>(machine_.rows(machine_.place(v).extent));
  }
  double elements(ValueId v) const { return static_cast<double>(machine_.place(v).elements); }
  /// Rows that are each a copy of one stand in memory once.
  double bytes(ValueId v) const {
    return kBytes * elements(v) * (machine_.place(v).stride == 0 ? 1 : rows(v));
  }

  /// Rows of `a` times a packed matrix into `out`.
  StepWork product(ValueId a, ValueId out, std::int32_t panels, bool accumulate) const {
    const auto& m = matrix(panels);
    const double items = std::min(rows(a), rows(out));
    const double results = items * elements(out), k = static_cast<double>(m.rows);
    return {2 * results * k, kBytes * (items * elements(a) + results * (accumulate ? 2 : 1))};
  }
  StepWork jobs() const {
    StepWork work;
    std::int32_t last = -1;
    for (std::uint32_t i = 0; i < step_.job_count; ++i) {
      const plan::Job& j = machine_.plan().jobs[step_.first_job + i];
      const StepWork one = product(j.a, j.out, j.panels, j.accumulate);
      work.operations += one.operations;
      work.bytes += one.bytes + (j.panels == last ? 0 : size_of(j.panels));
      last = j.panels;
    }
    return work;
  }
  StepWork taps() const {
    StepWork work;
    for (std::uint32_t d = 0; d < step_.operand_count; ++d) {
      const std::int32_t panels = step_.panels + static_cast<std::int32_t>(d);
      const StepWork one = product(machine_.operand(step_, d), step_.out, panels, d > 0);
      work.operations += one.operations;
      work.bytes += one.bytes + size_of(panels);
    }
    return work;
  }
  StepWork each() const {
    const ValueId a = machine_.operand(step_, 0);
    const Shape& s = machine_.shape(a);
    const auto k = static_cast<double>((step_.transposed & 1) != 0 ? s[0] : s[1]);
    return {2 * rows(step_.out) * elements(step_.out) * k, moves().bytes};
  }
  StepWork outer_sum() const {
    StepWork work{0, bytes(step_.out) * (step_.accumulate ? 2 : 1)};
    for (std::uint32_t i = 0; i < step_.operand_count; i += 2) {
      const ValueId a = machine_.operand(step_, i), b = machine_.operand(step_, i + 1);
      work.operations += 2 * std::max(rows(a), rows(b)) * elements(a) * elements(b);
      work.bytes += bytes(a) + bytes(b);
    }
    return work;
  }
  StepWork moves() const {
    // results of an op's own rule stand among its operands
    const bool apart = step_.out >= 0 && step_.form != Form::forward;
    StepWork work{0, apart ? bytes(step_.out) * (step_.accumulate ? 2 : 1) : 0};
    for (std::uint32_t i = 0; i < step_.operand_count; ++i)
      work.bytes += bytes(machine_.operand(step_, i));
    return work;
  }

  const Step<S>& step_;
  const Runtime<S>& machine_;
};

StepWork& operator+=(StepWork& a, const StepWork& b) {
  a.operations += b.operations;
  a.bytes += b.bytes;
  return a;
}

/// What reading the clock takes, which every measured step holds once.
double clock_seconds() {
  using Clock = std::chrono::steady_clock;
  constexpr int kReads = 1000;
  const auto start = Clock::now();
  auto end = start;
  for (int i = 0; i < kReads; ++i) end = Clock::now();
  return std::chrono::duration<double>(end - start).count() / kReads;
}

}  // namespace

bool is_product(Form form) {
  return form == Form::rows || form == Form::each || form == Form::taps ||
         form == Form::outer_sum || form == Form::pack;
}

template <class S>
StepWork work_of(const Step<S>& step, const Runtime<S>& machine) {
  return Worked<S>(step, machine)();
}

template <class S>
void Profile<S>::attach(const Runtime<S>& machine) {
  machine_ = &machine;
  seconds_.clear();
  wall_ = 0;
  runs_ = 0;
}

template <class S>
void Profile<S>::begin_run(int workers) {
  const auto count = static_cast<std::size_t>(workers);
  if (seconds_.size() != count)
    seconds_.assign(count, std::vector<double>(machine_->plan().steps.size()));
  start_ = Clock::now();
}

template <class S>
void Profile<S>::end_run() {
  wall_ += std::chrono::duration<double>(Clock::now() - start_).count();
  ++runs_;
}

template <class S>
std::vector<ProfileRow> Profile<S>::rows() const {
  std::map<std::pair<std::string, std::int32_t>, ProfileRow> kinds;
  if (machine_ == nullptr || runs_ == 0) return {};
  const double to_ms = 1e3 / static_cast<double>(runs_) / static_cast<double>(seconds_.size());
  const double clock = clock_seconds() * static_cast<double>(runs_);
  double sum = 0;
  for (std::size_t i = 0; i < machine_->plan().steps.size(); ++i) {
    const Step<S>& step = machine_->plan().steps[i];
    if (skips(step)) continue;
    double seconds = 0;
    for (const auto& worker : seconds_) {
      seconds += std::max(worker[i] - clock, 0.0);
      sum += worker[i] == 0 ? 0 : std::max(worker[i], clock) + clock;  // both of its readings
    }
    const std::string line = plan::line_of(machine_->plan(), step);
    ProfileRow& row = kinds[{line, step.form == Form::fused ? step.program : -1}];
    row.kind = line.substr(0, line.find(' '));
    row.detail = line.substr(std::min(line.find_first_not_of(' ', row.kind.size()), line.size()));
    ++row.steps;
    row.ms += seconds * to_ms;
    row.work += work_of(step, *machine_);
  }
  std::vector<ProfileRow> rows;
  for (auto& [key, row] : kinds) rows.push_back(std::move(row));
  const double waits = wall_ * static_cast<double>(seconds_.size()) - sum;
  if (seconds_.size() > 1) rows.push_back({"waiting", "", 0, std::max(waits, 0.0) * to_ms, {}});
  std::ranges::sort(rows, [](const auto& a, const auto& b) { return a.ms > b.ms; });
  return rows;
}

template <class S>
StepWork Profile<S>::products() const {
  StepWork work;
  if (machine_ != nullptr)
    for (const Step<S>& step : machine_->plan().steps)
      if (is_product(step.form)) work += work_of(step, *machine_);
  return work;
}

template class Profile<float>;
template class Profile<double>;
template StepWork work_of(const Step<float>&, const Runtime<float>&);
template StepWork work_of(const Step<double>&, const Runtime<double>&);

}  // namespace taugrad::runtime
