#include "reference/measure.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fail.h"

namespace taugrad {
namespace {

std::vector<NodeId> ids_of(Var loss, std::span<const Var> variables) {
  std::vector<NodeId> ids{loss.id};
  for (const Var v : variables) ids.push_back(v.id);
  return ids;
}

template <class S>
S total(std::span<const S> values) {
  S sum(0);
  for (const S& x : values) sum += x;
  return sum;
}

// so small that h^2 vanishes beside 1, so large that h times a tiny derivative is not denormal
constexpr double kComplexStep = 1e-100;
constexpr double kCentralStep = 1e-3;
constexpr double kKink = 1e-3;

}  // namespace

template <class S>
void place(Interpreter<S>& run, const CheckPoint& point) {
  run.set_batch(point.batch, point.items);
  for (const auto& [leaf, values] : point.leaves) {
    if (!run.needs(leaf.id)) continue;
    const std::span<S> to = run.leaf(leaf.id);
    if (to.size() != values.size())
      fail(Status::bug, "I001", "{} has {} elements, {} were given", leaf.tape->label(leaf.id),
           to.size(), values.size());
    std::transform(values.begin(), values.end(), to.begin(),
                   [](double x) { return S(static_cast<double>(x)); });
  }
}

template void place(Interpreter<double>&, const CheckPoint&);
template void place(Interpreter<std::complex<double>>&, const CheckPoint&);

Measure::Measure(Var loss, std::span<const Var> variables, const CheckPoint& point, Method method)
    : loss_(loss),
      method_(method),
      real_(*loss.tape, ids_of(loss, variables)),
      complex_(*loss.tape, ids_of(loss, variables)) {
  if (method == Method::complex_step) {
    place(complex_, point);
    return;
  }
  place(real_, point);
  real_.run();
  base_ = total(real_.value(loss.id));
}

std::int64_t Measure::runs_for_one(Method method) { return method == Method::central ? 6 : 1; }

Measured Measure::along(Var v, std::int64_t first, std::span<const double> direction, double size) {
  if (method_ == Method::complex_step) return complex_step(v, first, direction);
  Measured best;
  // a kink within the stencil: come closer, twice
  for (double h = kCentralStep * size; h > 1e-6 * size; h /= 10) {
    best = central(v, first, direction, h);
    if (!best.kink) break;
  }
  return best;
}

Measured Measure::complex_step(Var v, std::int64_t first, std::span<const double> direction) {
  std::vector<std::complex<double>> delta;
  for (const double d : direction) delta.emplace_back(0, d * kComplexStep);
  complex_.clear_nudges();
  complex_.nudge(v.id, first, delta);
  complex_.run();
  ++runs_;
  return {.value = total(complex_.value(loss_.id)).imag() / kComplexStep};
}

double Measure::loss_at(Var v, std::int64_t first, std::span<const double> direction, double step) {
  std::vector<double> delta(direction.begin(), direction.end());
  for (double& d : delta) d *= step;
  real_.clear_nudges();
  real_.nudge(v.id, first, delta);
  real_.run();
  ++runs_;
  return total(real_.value(loss_.id));
}

// f' = (f(-2h) - 8 f(-h) + 8 f(h) - f(2h)) / 12h + O(h^4), and the same with h/2
Measured Measure::central(Var v, std::int64_t first, std::span<const double> direction, double h) {
  const auto f = [&](double step) { return loss_at(v, first, direction, step); };
  const double up = f(h), down = f(-h), up2 = f(2 * h), down2 = f(-2 * h);
  const double half_up = f(h / 2), half_down = f(-h / 2);
  const double wide = (down2 - up2 + 8 * (up - down)) / (12 * h);
  const double narrow = (down - up + 8 * (half_up - half_down)) / (6 * h);
  const double magnitude = std::max(std::abs(up), std::abs(down));
  Measured m;
  m.value = narrow;
  m.rounding = 4 * std::numeric_limits<double>::epsilon() * magnitude / h;
  // a kink nearby moves the estimates apart; one right here is a jump of the slope: of a smooth
  // function the slopes of both sides differ half as much at half the distance
  const double jump = (up + down - 2 * base_) / h, half = 2 * (half_up + half_down - 2 * base_) / h;
  const double apart = std::max(std::abs(wide - narrow), std::abs(half - jump / 2));
  m.kink = !(apart <= kKink * std::max(1.0, std::abs(narrow)));
  return m;
}

}  // namespace taugrad
