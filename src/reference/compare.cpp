#include "reference/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/not_finite.h"

namespace taugrad {
namespace {

// below this, rounding is no longer relative: numbers on the way are denormal
constexpr double kSmallest = 1e-300;
// one complex step does not tell a slope this steep from an infinite one
constexpr double kSteepest = 1e40;
constexpr double kOne = 1;

std::vector<NodeId> ids_of(const Var& value, const Vars& gradients,
                           std::span<const Var> variables) {
  std::vector<NodeId> ids{value.id};
  for (const Var& v : gradients) ids.push_back(v.id);
  for (const Var& v : variables) ids.push_back(v.id);
  return ids;
}

}  // namespace

Comparer::Comparer(Var value, Var loss, std::span<const Var> variables, const CheckPoint& point,
                   Method method, const SweepOptions& sweep)
    : value_(value),
      variables_(variables),
      method_(method),
      gradients_(gradient({&loss, 1}, {}, variables, sweep)),
      analytic_(*loss.tape, ids_of(value, gradients_.values(), variables)),
      measure_(loss, variables, point, method) {
  place(analytic_, point);
  analytic_.run();
}

Comparison Comparer::directions(std::span<const std::vector<double>> directions) {
  std::vector<Move> moves;
  double slope = 0;
  for (std::size_t v = 0; v < variables_.size(); ++v) {
    const std::span<const double> g = gradient_of(v);
    for (std::size_t i = 0; i < g.size(); ++i) slope += directions[v][i] * g[i];
    moves.push_back({variables_[v], 0, directions[v]});
  }
  moves[0].others = std::span<const Move>(moves).subspan(1);
  return compare(0, moves[0], slope);
}

double Comparer::seconds_for_entry(std::size_t variable) {
  return measure_.seconds_for_one({variables_[variable], 0, {&kOne, 1}});
}

Comparison Comparer::entry(std::size_t variable, std::int64_t i) {
  const Var v = variables_[variable];
  const double x = std::abs(analytic_.value(v.id)[static_cast<std::size_t>(i)]);
  Comparison c = compare(variable, {v, i, {&kOne, 1}, std::max(1.0, x), x},
                         gradient_of(variable)[static_cast<std::size_t>(i)]);
  c.entry.element = i;
  return c;
}

Comparison Comparer::direction(std::size_t variable, std::span<const double> direction) {
  const std::span<const double> g = gradient_of(variable);
  double slope = 0;
  for (std::size_t i = 0; i < g.size(); ++i) slope += direction[i] * g[i];
  return compare(variable, {variables_[variable], 0, direction}, slope);
}

// of the loss, else of the first gradient
std::optional<NotFinite> Comparer::not_finite() const {
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

Comparison Comparer::compare(std::size_t variable, const Move& move, double analytic) {
  Comparison c;
  CheckedEntry& e = c.entry;
  e.analytic = analytic;
  Measured m;
  if (measure_.on_kinks()) {
    const Sides s = measure_.sides(move);
    m.value = s.right;
    e.numeric = (s.left + s.right) / 2;
    e.error = std::abs(analytic - e.numeric);
    e.kink = s.jump || (s.parted_at >= 0 && !(close(variable, move, analytic, s.left) &&
                                              close(variable, move, analytic, s.right)));
    if (e.kink) c.bends_at = s.parted_at;
    if (e.kink) return c;
  }
  if (!measure_.on_kinks() || method_ == Method::central) m = measure_.along(move);
  if (method_ == Method::complex_step && (measure_.wide() || !(std::abs(m.value) <= kSteepest)))
    m = measure_.settle(move, m.value);
  e.kink = m.kink;
  judge(variable, move, m, c);
  if (method_ == Method::complex_step && !e.ok) {
    const Measured settled = measure_.settle(move, m.value);
    if (settled.value != m.value) judge(variable, move, settled, c);
  }
  if (!std::isfinite(e.error)) e.error = std::numeric_limits<double>::infinity();
  return c;
}

bool Comparer::close(std::size_t variable, const Move& move, double analytic, double side) {
  const double error = std::abs(analytic - side);
  const double near = 1e-12 * std::max(std::abs(analytic), std::abs(side)) + kSmallest;
  return error <= near || error <= near + rounding_of_gradient(variable, move);
}

void Comparer::judge(std::size_t variable, const Move& move, const Measured& m, Comparison& c) {
  CheckedEntry& e = c.entry;
  e.numeric = m.value;
  e.error = std::abs(e.analytic - m.value);
  e.ok = true;
  e.hidden = e.unmeasured = false;
  if (e.kink) return;
  if (!m.number || !std::isfinite(m.value)) {
    c.not_measured = measure_.not_finite(move);
    if (c.not_measured)
      c.not_measured->of = "the measured derivative by " + move.v.tape->label(move.v.id);
    e.unmeasured = true;
    return;
  }
  const double most = std::max(std::abs(e.analytic), std::abs(e.numeric));
  e.ok = std::isfinite(most);
  if (!e.ok) return;
  const double allowed = tolerance(variable, move, m.error, e);
  e.ok = e.error <= allowed;
  e.hidden = e.ok && most > 0 && allowed > 0.1 * most;
}

// What is looked up only where it is needed: most entries agree to the last digits.
double Comparer::tolerance(std::size_t variable, const Move& move, double off,
                           const CheckedEntry& e) {
  const bool complex = method_ == Method::complex_step;
  const double most = std::max(std::abs(e.analytic), std::abs(e.numeric));
  double allowed = (complex ? 1e-12 : 1e-7) * most + 2 * off + kSmallest;
  if (!(e.error > allowed)) return allowed;
  allowed += rounding_of_gradient(variable, move);
  if (!complex || !(e.error > allowed)) return allowed;
  return allowed + measure_.rounding(move);
}

double Comparer::rounding_of_gradient(std::size_t variable, const Move& move) {
  if (rounding_.empty()) move_gradients();
  double off = 0;
  for (std::size_t i = 0; i < move.direction.size(); ++i)
    off +=
        std::abs(move.direction[i]) * rounding_[variable][static_cast<std::size_t>(move.first) + i];
  // those that move with the first variable are the others, in their order
  for (const Move& other : move.others) off += rounding_of_gradient(++variable, other);
  return off;
}

void Comparer::move_gradients() {
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

}  // namespace taugrad
