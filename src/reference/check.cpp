#include "taugrad/reference/check.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fail.h"
#include "base/philox.h"
#include "reference/measure.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"
#include "taugrad/passes/gradient.h"

namespace taugrad {
namespace {

double uniform(std::uint64_t seed, std::size_t variable, std::int64_t i) {
  const auto word = philox({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32),
                            static_cast<std::uint32_t>(variable), 0x636865u},
                           seed);
  return unit_interval(word[0], word[1]);
}

// <g, v> with fixed random directions v: its gradient is the Hessian times v
Var along_random_directions(const Vars& gradients) {
  Vars terms;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const Var g = gradients[i];
    const Attrs stream{{"stream", "direction " + std::to_string(i)}};
    const Var v = g.tape->leaf(kDrawNormal, g.shape(), g.extent(), stream);
    const Var term = sum(g * v);
    terms.push_back(term.per_example() ? sum_items(term) : term);
  }
  return terms.size() == 1 ? terms[0] : add_n(terms);
}

class Checker {
 public:
  Checker(Var loss, std::span<const Var> variables, const CheckPoint& point,
          const CheckOptions& options)
      : variables_(variables),
        options_(options),
        gradients_(gradient(loss, variables)),
        analytic_(*loss.tape, ids_of(gradients_.values(), variables)),
        measure_(loss, variables, point, options.method) {
    place(analytic_, point);
    analytic_.run();
  }

  CheckReport run() {
    CheckReport report;
    report.method = options_.method;
    report.order = options_.order;
    for (const Var v : variables_)
      report.entries += static_cast<std::int64_t>(analytic_.value(v.id).size());
    const std::int64_t each = Measure::runs_for_one(options_.method);
    const bool all = report.entries * each <= options_.max_runs;
    // the rest of the runs, spread over the entries
    const double spare = static_cast<double>(options_.max_runs) -
                         static_cast<double>(each) * static_cast<double>(variables_.size());
    share_ = all ? 1 : std::clamp(spare / static_cast<double>(report.entries * each), 0.0, 1.0);
    for (std::size_t i = 0; i < variables_.size(); ++i) {
      report.variables.push_back(variable(i, all));
      report.checked += report.variables.back().checked;
    }
    report.runs = measure_.runs();
    return report;
  }

 private:
  static std::vector<NodeId> ids_of(const Vars& gradients, std::span<const Var> variables) {
    std::vector<NodeId> ids;
    for (const Var v : gradients) ids.push_back(v.id);
    for (const Var v : variables) ids.push_back(v.id);
    return ids;
  }

  VariableCheck variable(std::size_t number, bool all) {
    const Var v = variables_[number];
    VariableCheck result;
    result.variable = v;
    result.name = v.tape->label(v.id);
    const std::span<const double> g = analytic_.value(gradients_.values()[number].id);
    result.entries = static_cast<std::int64_t>(g.size());
    std::vector<CheckedEntry> entries;
    // an even sample: the k-th entry stands where k / share passes a random start
    double next = all ? 0 : uniform(options_.seed, number, -1);
    for (std::int64_t i = 0; i < result.entries; ++i) {
      next += share_;
      if (!all && next < 1) continue;
      next -= 1;
      entries.push_back(compare(v, i, {&kOne, 1}, g[static_cast<std::size_t>(i)]));
    }
    result.checked = static_cast<std::int64_t>(entries.size());
    if (!all && result.entries > 0) {
      entries.push_back(direction(number, g));
      result.along_direction = true;
    }
    judge(entries, result);
    return result;
  }

  CheckedEntry direction(std::size_t number, std::span<const double> g) {
    std::vector<double> d;
    double slope = 0;
    for (std::size_t i = 0; i < g.size(); ++i) {
      d.push_back(2 * uniform(options_.seed, number, static_cast<std::int64_t>(i)) - 1);
      slope += d.back() * g[i];
    }
    CheckedEntry e = compare(variables_[number], 0, d, slope);
    e.element = -1;
    return e;
  }

  CheckedEntry compare(Var v, std::int64_t first, std::span<const double> d, double analytic) {
    const double x = std::abs(analytic_.value(v.id)[static_cast<std::size_t>(first)]);
    const Measured m = measure_.along(v, first, d, d.size() == 1 ? std::max(1.0, x) : 1.0);
    CheckedEntry e{.element = first, .analytic = analytic, .numeric = m.value, .kink = m.kink};
    e.error = std::abs(analytic - m.value);
    if (!std::isfinite(e.error)) e.error = std::numeric_limits<double>::infinity();
    if (options_.method == Method::central)
      e.ok = m.kink ||
             e.error <= 1e-9 + m.rounding + 1e-7 * std::max(std::abs(analytic), std::abs(m.value));
    return e;
  }

  // complex step is judged against the largest derivative of the variable
  void judge(std::vector<CheckedEntry>& entries, VariableCheck& result) const {
    double scale = 1;
    for (const CheckedEntry& e : entries)
      if (std::isfinite(e.numeric)) scale = std::max(scale, std::abs(e.numeric));
    for (CheckedEntry& e : entries) {
      if (options_.method == Method::complex_step) e.ok = e.error <= 1e-12 * scale;
      result.kinks += e.kink ? 1 : 0;
      result.largest = std::max({result.largest, std::abs(e.analytic), std::abs(e.numeric)});
      result.ok = result.ok && e.ok;
      const bool worse = e.ok == result.worst.ok ? e.error > result.worst.error : !e.ok;
      if (&e == &entries.front() || (worse && !e.kink)) result.worst = e;
    }
    locate(result);
  }

  // the element as axes of one example, and the row of the batch
  static void locate(VariableCheck& result) {
    const Shape& shape = result.variable.shape();
    std::int64_t element = result.worst.element;
    if (element < 0 || shape.size() == 0) return;
    if (result.variable.per_example()) result.item = element / shape.size();
    element %= shape.size();
    result.index.assign(static_cast<std::size_t>(shape.rank()), 0);
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      result.index[static_cast<std::size_t>(axis)] = element % shape[axis];
      element /= shape[axis];
    }
  }

  static constexpr double kOne = 1;
  std::span<const Var> variables_;
  CheckOptions options_;
  Gradients gradients_;
  Interpreter<double> analytic_;
  Measure measure_;
  double share_ = 1;
};

}  // namespace

bool CheckReport::ok() const {
  return std::all_of(variables.begin(), variables.end(), [](const auto& v) { return v.ok; });
}

bool CheckReport::vacuous() const {
  return ok() && std::all_of(variables.begin(), variables.end(),
                             [](const auto& v) { return v.largest == 0; });
}

const VariableCheck* CheckReport::worst() const {
  const VariableCheck* worst = nullptr;
  for (const VariableCheck& v : variables) {
    if (v.checked == 0 && !v.along_direction) continue;
    if (!worst || (v.ok == worst->ok ? v.worst.error > worst->worst.error : !v.ok)) worst = &v;
  }
  return worst;
}

CheckReport check_gradients(Var loss, std::span<const Var> variables, const CheckPoint& point,
                            const CheckOptions& options) {
  if (options.order != 1 && options.order != 2)
    fail(Status::usage, "G023", "a check is of order 1 or 2, not {}", options.order);
  if (variables.empty()) return {};
  if (options.order == 2) loss = along_random_directions(gradient(loss, variables).values());
  return Checker(loss, variables, point, options).run();
}

}  // namespace taugrad
