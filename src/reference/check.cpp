#include "taugrad/reference/check.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "autodiff/sweep.h"
#include "base/fail.h"
#include "reference/compare.h"
#include "reference/directions.h"
#include "reference/faults.h"
#include "reference/perturb.h"
#include "reference/report.h"
#include "reference/spread.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/graph/op.h"
#include "taugrad/ops/ops.h"

namespace taugrad {
namespace {

// Which comparisons are made, in which order, and what they add up to.
class Checker {
 public:
  Checker(Comparer& comparer, std::span<const Var> variables, const CheckOptions& options,
          const Watch& watch)
      : comparer_(comparer), variables_(variables), options_(options), watch_(watch) {
    found_.resize(variables.size());
    for (std::size_t v = 0; v < variables.size(); ++v) {
      entries_ += std::ssize(comparer.gradient_of(v));
      ends_.push_back(entries_);
    }
  }

  CheckReport run() {
    CheckReport report;
    report.method = options_.method;
    report.order = options_.order;
    report.entries = entries_;
    report.not_finite = comparer_.not_finite();
    if (report.not_finite && report.not_finite->of == Comparer::kLoss) return report;
    plan();
    compare_together(report);
    compare_directions();
    compare_entries();
    for (std::size_t v = 0; v < variables_.size(); ++v) {
      report.variables.push_back(variable(v));
      report.checked += report.variables.back().checked;
      report.directions += report.variables.back().along_direction ? 1 : 0;
    }
    report.runs = comparer_.runs();
    report.out_of_time = out_of_time_;
    for (std::size_t v = 0; v < variables_.size() && !report.not_finite; ++v)
      report.not_finite = found_[v].not_measured;
    return report;
  }

 private:
  // of one variable, in the order in which it was looked at
  struct Found {
    std::vector<Comparison> entries;
    std::optional<Comparison> direction;
    std::optional<NotFinite> not_measured;  // of the least entry
  };

  // half of the time is left for what a run may take longer than the first one did
  void plan() {
    const std::int64_t each = Measure::runs_for_one(options_.method);
    const double seconds = seconds_for_all();
    const bool all = entries_ * each <= options_.control.max_runs &&
                     (!watch_.limited() || seconds <= 0.5 * watch_.left());
    const auto count = std::ssize(variables_);
    planned_directions_ = all ? 0 : count;
    const double directions = seconds / static_cast<double>(std::max<std::int64_t>(entries_, 1)) *
                              static_cast<double>(count);
    together_ = !all && entries_ > 0 &&
                (count * each > options_.control.max_runs ||
                 (watch_.limited() && directions > 0.5 * watch_.left()));
    planned_entries_ =
        all ? entries_
            : std::clamp<std::int64_t>(options_.control.max_runs / each - count, 0, entries_);
    if (options_.control.estimate)
      options_.control.estimate({entries_, planned_directions_ + planned_entries_, seconds});
  }

  double seconds_for_all() {
    if (entries_ == 0 || (!watch_.limited() && !options_.control.estimate)) return 0;
    std::size_t first = 0;
    while (ends_[first] == 0) ++first;
    return static_cast<double>(entries_) * comparer_.seconds_for_entry(first);
  }

  std::vector<double> direction_of(std::size_t v) const {
    std::vector<double> direction(comparer_.gradient_of(v).size());
    for (std::size_t i = 0; i < direction.size(); ++i)
      direction[i] = 2 * uniform(options_.seed, v, static_cast<std::int64_t>(i)) - 1;
    return direction;
  }

  void compare_together(CheckReport& report) {
    if (!together_) return;
    std::vector<std::vector<double>> directions;
    for (std::size_t v = 0; v < variables_.size(); ++v) directions.push_back(direction_of(v));
    report.together = comparer_.directions(directions).entry;
  }

  void compare_directions() {
    Spread order(planned_directions_, 0);
    // the first whatever the time: a check that compares nothing says nothing
    for (std::int64_t k = 0; k < planned_directions_ && (k == 0 || !over()); ++k) {
      const auto v = static_cast<std::size_t>(order.next());
      const std::vector<double> direction = direction_of(v);
      if (!direction.empty()) found_[v].direction = comparer_.direction(v, direction);
      done();
    }
  }

  void compare_entries() {
    const bool all = planned_entries_ == entries_;
    Spread order(entries_, all ? 0 : uniform(options_.seed, 0, -1));
    for (std::int64_t k = 0; k < planned_entries_ && !over(); ++k) {
      const std::int64_t at = order.next();
      const auto v = static_cast<std::size_t>(std::ranges::upper_bound(ends_, at) - ends_.begin());
      const std::int64_t first = v == 0 ? 0 : ends_[v - 1];
      found_[v].entries.push_back(comparer_.entry(v, at - first));
      done();
    }
  }

  bool over() {
    out_of_time_ = out_of_time_ || watch_.over();
    return out_of_time_;
  }

  void done() {
    if (options_.control.progress)
      options_.control.progress(++done_, planned_directions_ + planned_entries_);
  }

  VariableCheck variable(std::size_t number) {
    const Var v = variables_[number];
    Found& found = found_[number];
    VariableCheck result;
    result.variable = v;
    result.name = v.tape->label(v.id);
    result.entries = std::ssize(comparer_.gradient_of(number));
    result.checked = std::ssize(found.entries);
    result.along_direction = found.direction.has_value();
    std::ranges::sort(found.entries, {}, [](const Comparison& c) { return c.entry.element; });
    if (found.direction) found.entries.push_back(*found.direction);
    for (const Comparison& c : found.entries) {
      add_entry(c.entry, &c == &found.entries.front(), result);
      if (result.kink_at.empty() && c.bends_at >= 0) result.kink_at = v.tape->label(c.bends_at);
      if (!found.not_measured) found.not_measured = c.not_measured;
    }
    locate(result);
    return result;
  }

  Comparer& comparer_;
  std::span<const Var> variables_;
  const CheckOptions& options_;
  const Watch& watch_;
  std::vector<Found> found_;        // by variable
  std::vector<std::int64_t> ends_;  // by variable: entries of it and of those before it
  std::int64_t entries_ = 0, planned_entries_ = 0, planned_directions_ = 0, done_ = 0;
  bool out_of_time_ = false, together_ = false;
};

}  // namespace

CheckReport check_spoiled(Var loss, std::span<const Var> variables, const CheckPoint& point,
                          const CheckOptions& options, const SweepOptions& sweep,
                          const Watch& watch) {
  if (options.order != 1 && options.order != 2)
    fail(Status::usage, "G023", "a check is of order 1 or 2, not {}", options.order);
  if (variables.empty()) return {};
  if (loss && !loss.shape().is_scalar())
    fail(Status::bad_input, "G023", "a loss is a number, {} has shape {}",
         loss.tape->label(loss.id), to_string(loss.shape()));
  require_no_symbol(loss);
  if (loss && loss.op().traits.leaf) loss = loss * 1.0;  // what moves is not what is read
  const Var value = loss;
  if (options.order == 2)
    loss = along_random_directions(gradient({&loss, 1}, {}, variables, {.named = false}).values(),
                                   "direction");
  SweepOptions how = sweep;
  how.named = false;  // the graph is the caller's: its names stay free
  std::optional<Perturbed> perturbed;
  if (!options.control.perturb.empty()) {
    perturbed = find_perturbed(value, loss, variables, point, options.control.perturb);
    how.spoiled = perturbed->node;
  }
  CheckReport report;
  {
    Comparer comparer(value, loss, variables, point, options.method, how);
    report = Checker(comparer, variables, options, watch).run();
  }
  report.perturbed = std::move(perturbed);
  if (!report.ok() && !report.not_finite && options.control.faults > 0)
    report.faults = search_faults(loss, variables, point, {options.control.faults, how, watch});
  return report;
}

CheckReport check_gradients(Var loss, std::span<const Var> variables, const CheckPoint& point,
                            const CheckOptions& options) {
  return check_spoiled(loss, variables, point, options, {}, Watch(options.control.seconds));
}

}  // namespace taugrad
