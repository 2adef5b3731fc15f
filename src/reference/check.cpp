#include "taugrad/reference/check.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fail.h"
#include "base/philox.h"
#include "reference/measure.h"
#include "reference/not_finite.h"
#include "reference/report.h"
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

// below this a complex step meets denormal numbers
constexpr double kSmallest = 1e-115;
// no complex step tells a slope this steep from an infinite one
constexpr double kSteepest = 1e40;
constexpr const char* kLoss = "the loss";

class Checker {
 public:
  /// @param value  what `loss` is a derivative of, at order 2; else `loss`
  Checker(Var value, Var loss, std::span<const Var> variables, const CheckPoint& point,
          const CheckOptions& options)
      : value_(value),
        variables_(variables),
        options_(options),
        gradients_(gradient(loss, variables)),
        analytic_(*loss.tape, ids_of(value, gradients_.values(), variables)),
        measure_(loss, variables, point, options.method) {
    place(analytic_, point);
    analytic_.run();
  }

  CheckReport run() {
    CheckReport report;
    report.method = options_.method;
    report.order = options_.order;
    report.not_finite = not_finite();
    for (const Var& v : variables_)
      report.entries += static_cast<std::int64_t>(analytic_.value(v.id).size());
    if (report.not_finite && report.not_finite->of == kLoss) return report;
    const std::int64_t each = Measure::runs_for_one(options_.method);
    const bool all = report.entries * each <= options_.max_runs;
    // the rest of the runs, spread over the entries
    const double spare = static_cast<double>(options_.max_runs) -
                         static_cast<double>(each) * static_cast<double>(variables_.size());
    share_ = all ? 1 : std::clamp(spare / static_cast<double>(report.entries * each), 0.0, 1.0);
    for (std::size_t i = 0; i < variables_.size(); ++i) {
      report.variables.push_back(variable(i, all));
      report.checked += report.variables.back().checked;
      if (options_.progress)
        options_.progress(static_cast<std::int64_t>(i) + 1, std::ssize(variables_));
    }
    report.runs = measure_.runs();
    if (!report.not_finite) report.not_finite = not_measured_;
    return report;
  }

 private:
  static std::vector<NodeId> ids_of(const Var& value, const Vars& gradients,
                                    std::span<const Var> variables) {
    std::vector<NodeId> ids{value.id};
    for (const Var& v : gradients) ids.push_back(v.id);
    for (const Var& v : variables) ids.push_back(v.id);
    return ids;
  }

  // of the loss, else of the first gradient
  std::optional<NotFinite> not_finite() const {
    auto loss = source_of_not_finite(*value_.tape, analytic_, value_.id);
    if (!loss) loss = measure_.not_finite();
    if (loss) {
      loss->of = kLoss;
      return loss;
    }
    for (std::size_t i = 0; i < variables_.size(); ++i) {
      const Tape& tape = *variables_[i].tape;
      auto found = source_of_not_finite(tape, analytic_, gradients_.values()[i].id);
      if (!found) continue;
      found->of = "the gradient of " + tape.label(variables_[i].id);
      return found;
    }
    return {};
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
      const double x = std::abs(analytic_.value(v.id)[static_cast<std::size_t>(i)]);
      const Move move{v, i, {&kOne, 1}, std::max(1.0, x)};
      entries.push_back(compare(number, move, g[static_cast<std::size_t>(i)], result));
      entries.back().element = i;
    }
    result.checked = static_cast<std::int64_t>(entries.size());
    if (!all && result.entries > 0) {
      entries.push_back(direction(number, g, result));
      result.along_direction = true;
    }
    for (const CheckedEntry& e : entries) add_entry(e, &e == &entries.front(), result);
    locate(result);
    return result;
  }

  CheckedEntry direction(std::size_t number, std::span<const double> g, VariableCheck& result) {
    std::vector<double> d;
    double slope = 0;
    for (std::size_t i = 0; i < g.size(); ++i) {
      d.push_back(2 * uniform(options_.seed, number, static_cast<std::int64_t>(i)) - 1);
      slope += d.back() * g[i];
    }
    return compare(number, {variables_[number], 0, d}, slope, result);
  }

  CheckedEntry compare(std::size_t number, const Move& move, double analytic,
                       VariableCheck& result) {
    CheckedEntry e{.analytic = analytic};
    Measured m;
    if (measure_.on_kinks()) {
      const Sides s = measure_.sides(move);
      m.value = s.right;
      e.numeric = (s.left + s.right) / 2;
      e.error = std::abs(analytic - e.numeric);
      e.kink = s.jump || (s.parted_at >= 0 && !(close(number, move, analytic, s.left) &&
                                                close(number, move, analytic, s.right)));
      if (e.kink && result.kink_at.empty()) result.kink_at = move.v.tape->label(s.parted_at);
      if (e.kink) return e;
    }
    if (!measure_.on_kinks() || options_.method == Method::central) m = measure_.along(move);
    e.numeric = m.value;
    e.error = std::abs(analytic - m.value);
    e.kink = m.kink;
    if (!e.kink) judge(number, move, m.error, e);
    if (!std::isfinite(e.error)) e.error = std::numeric_limits<double>::infinity();
    return e;
  }

  bool close(std::size_t number, const Move& move, double analytic, double side) {
    const double error = std::abs(analytic - side);
    const double near = 1e-12 * std::max(std::abs(analytic), std::abs(side)) + kSmallest;
    return error <= near || error <= near + rounding_of_gradient(number, move);
  }

  void judge(std::size_t number, const Move& move, double off, CheckedEntry& e) {
    const bool measured = std::abs(e.numeric) <= kSteepest;
    if (!measured && !not_measured_) {
      not_measured_ = measure_.not_finite(move);
      if (not_measured_)
        not_measured_->of = "the measured derivative by " + move.v.tape->label(move.v.id);
    }
    e.hidden = !measured;
    if (e.hidden) return;
    const double most = std::max(std::abs(e.analytic), std::abs(e.numeric));
    e.ok = std::isfinite(most);
    if (!e.ok) return;
    const double allowed = tolerance(number, move, off, e);
    e.ok = e.error <= allowed;
    e.hidden = e.ok && most > 0 && allowed > 0.1 * most;
  }

  // What is looked up only where it is needed: most entries agree to the last digits.
  double tolerance(std::size_t number, const Move& move, double off, const CheckedEntry& e) {
    const bool complex = options_.method == Method::complex_step;
    const double most = std::max(std::abs(e.analytic), std::abs(e.numeric));
    double allowed = (complex ? 1e-12 : 1e-7) * most + 2 * off + kSmallest;
    if (!(e.error > allowed)) return allowed;
    allowed += rounding_of_gradient(number, move);
    if (!complex || !(e.error > allowed)) return allowed;
    return allowed + measure_.rounding(move);
  }

  double rounding_of_gradient(std::size_t number, const Move& move) {
    if (rounding_.empty()) move_gradients();
    double off = 0;
    for (std::size_t i = 0; i < move.direction.size(); ++i)
      off += std::abs(move.direction[i]) *
             rounding_[number][static_cast<std::size_t>(move.first) + i];
    return off;
  }

  void move_gradients() {
    const auto values = [&] {
      std::vector<std::vector<double>> all;
      for (const Var& g : gradients_.values()) {
        const std::span<const double> value = analytic_.value(g.id);
        all.emplace_back(value.begin(), value.end());
      }
      return all;
    };
    const auto still = values();
    rounding_ = still;
    for (auto& of : rounding_) std::fill(of.begin(), of.end(), 0);
    const Rounding<double> rounding(*variables_[0].tape, analytic_);
    for (std::uint64_t trial = 1; trial <= rounding.kTrials; ++trial) {
      rounding.run_moved(analytic_, trial);
      const auto moved = values();
      for (std::size_t v = 0; v < moved.size(); ++v)
        for (std::size_t i = 0; i < moved[v].size(); ++i)
          if (const double off = rounding.kBound * std::abs(moved[v][i] - still[v][i]);
              std::isfinite(off))
            rounding_[v][i] = std::max(rounding_[v][i], off);
    }
    analytic_.run();
  }

  static constexpr double kOne = 1;
  Var value_;
  std::span<const Var> variables_;
  CheckOptions options_;
  Gradients gradients_;
  Interpreter<double> analytic_;
  Measure measure_;
  std::vector<std::vector<double>> rounding_;  // of each variable's gradient, once it is needed
  std::optional<NotFinite> not_measured_;
  double share_ = 1;
};

}  // namespace

CheckReport check_gradients(Var loss, std::span<const Var> variables, const CheckPoint& point,
                            const CheckOptions& options) {
  if (options.order != 1 && options.order != 2)
    fail(Status::usage, "G023", "a check is of order 1 or 2, not {}", options.order);
  if (variables.empty()) return {};
  const Var value = loss;
  if (options.order == 2) loss = along_random_directions(gradient(loss, variables).values());
  return Checker(value, loss, variables, point, options).run();
}

}  // namespace taugrad
