#include "runtime/schedule.h"

#include <algorithm>

#include "base/index.h"
#include "plan/lower/row_ops.h"
#include "taugrad/ops/records.h"

namespace taugrad::runtime {
namespace {

using plan::Form;
using plan::Plan;
using plan::Step;

constexpr double kLeastWork = 2e6;     ///< floating-point operations of a run worth sharing out
constexpr double kLeastProduct = 1e6;  ///< and of a product whose columns are

/// Whether a step works row by row, and on what: items that a batch begins with, so that it splits
/// by items, or rows of levels too.
template <class S>
class Splits {
 public:
  Splits(const Plan<S>& plan, bool levels) : plan_(plan), levels_(levels) {}

  bool operator()(const Step<S>& step) const {
    switch (step.form) {
      case Form::fused:
        return instances(step);
      case Form::rows:
        return jobs(step);
      case Form::each:
      case Form::taps:
      case Form::add:
        return prefix(step.out);
      case Form::forward:
        return plan::row_by_row(*step.op) && results(step);
      default:
        return false;
    }
  }

 private:
  bool prefix(plan::ValueId v) const {
    const ExtentId extent = plan_.values[at(v)].extent;
    return plan_.layout.prefix(extent) || (levels_ && plan_.layout.of_level(extent));
  }

  bool instances(const Step<S>& step) const {
    const auto& program = plan_.programs[at(step.program)];
    for (std::uint32_t i = program.result; i < step.operand_count;
         i += static_cast<std::uint32_t>(program.apart.size()))
      if (!prefix(plan_.operands[step.first_operand + i])) return false;
    return true;
  }
  bool jobs(const Step<S>& step) const {
    for (std::uint32_t j = 0; j < step.job_count; ++j)
      if (!prefix(plan_.jobs[step.first_job + j].out)) return false;
    return true;
  }
  bool results(const Step<S>& step) const {
    for (std::uint32_t i = step.each - 1; i < step.operand_count; i += step.each)
      if (!prefix(plan_.operands[step.first_operand + i])) return false;
    return true;
  }

  const Plan<S>& plan_;
  bool levels_;
};

/// Work of each item, and in all.
template <class S>
std::vector<double> work_of_items(const Plan<S>& plan, const Placement& placed, std::int64_t items,
                                  double& total) {
  std::vector<double> work(static_cast<std::size_t>(items) + 1);
  total = 0;
  for (std::size_t e = 0; e < plan.operations.size(); ++e) {
    if (plan.operations[e] == 0) continue;
    const auto operations = static_cast<double>(plan.operations[e]);
    total += operations * static_cast<double>(placed.rows[e]);
    if (!plan.layout.prefix(static_cast<ExtentId>(e))) continue;
    work[0] += operations;  // of the items [0, rows)
    work[static_cast<std::size_t>(placed.rows[e])] -= operations;
  }
  for (std::size_t i = 1; i < work.size(); ++i) work[i] += work[i - 1];
  return work;
}

/// Ends of the workers' items, as even in work as whole items allow.
std::vector<std::int64_t> bounds_of(const std::vector<double>& work, int workers) {
  double sum = 0, all = 0;
  for (const double w : work) all += w;
  std::vector<std::int64_t> bounds{0};
  for (std::size_t i = 0; i + 1 < work.size(); ++i) {
    const double target = all * static_cast<double>(bounds.size()) / workers;
    if (static_cast<int>(bounds.size()) < workers && sum + work[i] / 2 >= target)
      bounds.push_back(static_cast<std::int64_t>(i));
    sum += work[i];
  }
  while (static_cast<int>(bounds.size()) <= workers)
    bounds.push_back(static_cast<std::int64_t>(work.size()) - 1);
  return bounds;
}

template <class S>
Share share_of(const Plan<S>& plan, const Step<S>& step, bool by_items) {
  const Form form = step.form;
  if (form == Form::pack) return Share::packs;
  if (form == Form::outer_sum || form == Form::sum_items) return Share::columns;
  if (!by_items) return form == Form::rows ? Share::columns : Share::alone;
  if (Splits<S>(plan, false)(step)) return Share::items;
  return plan.layout.levels >= 0 && Splits<S>(plan, true)(step) ? Share::rows : Share::alone;
}

}  // namespace

template <class S>
Schedule share_out(const Plan<S>& plan, const Placement& placed, std::int64_t items, int threads) {
  Schedule schedule;
  if (threads <= 1 || items == 0) return schedule;
  double total = 0;
  const std::vector<double> work = work_of_items(plan, placed, items, total);
  const bool by_items = items >= 2 * threads;
  const double least = by_items ? kLeastWork : kLeastProduct * std::max(plan.levels, 1);
  if (total < least) return schedule;
  schedule.workers = threads;
  if (by_items) schedule.bounds = bounds_of(work, threads);
  for (const Step<S>& step : plan.steps) {
    const Share share = share_of(plan, step, by_items);
    const bool first = schedule.share.empty();
    const bool goes_on =
        !first && schedule.share.back() == share && share != Share::columns && share != Share::rows;
    schedule.waits.push_back(!first && !goes_on);
    schedule.share.push_back(share);
  }
  return schedule;
}

template Schedule share_out(const Plan<float>&, const Placement&, std::int64_t, int);
template Schedule share_out(const Plan<double>&, const Placement&, std::int64_t, int);

}  // namespace taugrad::runtime
