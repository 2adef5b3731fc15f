#include "reference/measure.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "base/philox.h"
#include "reference/ladder.h"
#include "reference/not_finite.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

std::vector<NodeId> ids_of(Var loss, std::span<const Var> variables) {
  std::vector<NodeId> ids{loss.id};
  for (const Var& v : variables) ids.push_back(v.id);
  return ids;
}

template <class S>
S total(std::span<const S> values) {
  S sum(0);
  for (const S& x : values) sum += x;
  return sum;
}

// so small that h^2 is 0, even beside a 0
constexpr double kComplexStep = 1e-180;
// from so large that h times the smallest derivative is not denormal
constexpr double kLadder[]{1e-20, 1e-60, 1e-100, 1e-140, 1e-180, 1e-220, 1e-260, 1e-300};
// beside what is nearer to 0 than those: of fewer digits, where what they move is less than they
// are
constexpr double kFinest[]{1e-304, 1e-306, 1e-308};
constexpr double kStep = 1e-3;
constexpr double kShortest = 1e-8;
constexpr double kShorter[]{1e-4, 1e-5, 1e-6, 1e-7, kShortest};
constexpr double kLonger[]{1e-2, 1e-1};
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

Measure::Measure(Var loss, std::span<const Var> variables, const CheckPoint& point, Method method)
    : loss_(loss),
      method_(method),
      real_(*loss.tape, ids_of(loss, variables)),
      complex_(*loss.tape, ids_of(loss, variables)) {
  place(real_, point);
  place(complex_, point);
  real_.run();
  base_ = total(real_.value(loss.id));
  if (!std::isfinite(base_)) return;
  const Tape& tape = *loss.tape;
  for (NodeId id = 0; id <= loss.id; ++id) {
    if (!real_.needs(id) || !tape.op(id).traits.discrete) continue;
    const std::span<const double> value = real_.value(id);
    auto& of = &tape.op(id) == &kStopGradient ? stopped_ : decided_;
    of[id] = {value.begin(), value.end()};
  }
  look_around(variables);
  if (method == Method::complex_step) return;
  const Rounding<double> rounding(tape, real_);
  for (std::uint64_t trial = 1; trial <= rounding.kTrials; ++trial) {
    rounding.run_moved(real_, trial);
    const double off = std::abs(total(real_.value(loss.id)) - base_);
    if (std::isfinite(off)) base_off_ = std::max(base_off_, off);
  }
}

std::optional<NotFinite> Measure::not_finite() const {
  return source_of_not_finite(*loss_.tape, real_, loss_.id);
}

std::optional<NotFinite> Measure::not_finite(const Move& move) {
  complex_step(move, kComplexStep);
  const auto found = source_of_not_finite(*loss_.tape, complex_, loss_.id);
  if (found || method_ != Method::central) return found;
  for (const double side : {1, -1}) {
    loss_at(move, side * kShortest * move.size);
    const auto real = source_of_not_finite(*loss_.tape, real_, loss_.id);
    if (real) return real;
  }
  return {};
}

std::int64_t Measure::runs_for_one(Method method) { return method == Method::central ? 6 : 1; }

double Measure::seconds_for_one(const Move& move) {
  const std::int64_t runs = runs_;
  const auto start = std::chrono::steady_clock::now();
  complex_step(move, kComplexStep);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  runs_ = runs;  // it is no comparison
  // six runs of real numbers take about as long as two of complex ones
  const int along = method_ == Method::central ? 2 : on_kinks_ ? 0 : 1, sides = on_kinks_ ? 2 : 0;
  return took.count() * (along + sides);
}

// ---- complex step -----------------------------------------------------------------------------

void Measure::set_step(const Move& move, double step) {
  std::vector<Complex> delta;
  for (const double d : move.direction) delta.emplace_back(0, d * step);
  complex_.nudge(move.v.id, move.first, delta);
  for (const Move& other : move.others) set_step(other, step);
}

double Measure::complex_step(const Move& move, double step) {
  complex_.clear_nudges();
  set_step(move, step);
  complex_.run();
  ++runs_;
  return total(complex_.value(loss_.id)).imag() / step;
}

// Whether no real part is another than where nothing moves. (Beside a 0 any is: x * x at 0 is -h^2,
// which what reads it shows if it matters.)
bool Measure::reals_stay() const {
  for (std::size_t i = 0; i < reals_.size(); ++i) {
    const double off = std::abs(complex_.values()[i].real() - reals_[i]);
    if (off > 1e-10 * std::abs(reals_[i]) && reals_[i] != 0) return false;
  }
  return true;
}

Measured Measure::settle(const Move& move, double usual) {
  std::vector<Rung> rungs;
  for (const double step : kLadder) {
    const double value = complex_step(move, step);
    rungs.push_back({value, reals_stay()});
    const double size = std::max(std::abs(value), std::abs(usual));
    if (rungs.size() == 1 && rungs[0].stays && std::abs(value - usual) <= 1e-12 * size)
      return {.value = usual};
  }
  Limit limit = limit_of(rungs);
  if (std::isinf(limit.value)) limit = finest(move, limit);
  if (std::isnan(limit.value)) return {.value = usual};  // they know no better
  return {.value = limit.value, .error = limit.error, .number = std::isfinite(limit.value)};
}

// Of a pole that is near, not met: log x at 1e-300.
Limit Measure::finest(const Move& move, const Limit& pole) {
  std::vector<Rung> rungs;
  for (const double step : kFinest) {
    const double value = complex_step(move, step);
    rungs.push_back({value, reals_stay()});
  }
  const Limit limit = limit_of(rungs);
  return limit.error <= 1e-8 * std::abs(limit.value) ? limit : pole;
}

// By the longest step beside which nothing bends: there, the least is lost.
double Measure::rounding(const Move& move) {
  double step = kComplexStep, still = complex_step(move, step);
  if (wide_)
    for (const double longer : kLadder) {
      step = longer;
      still = complex_step(move, step);
      if (step == kComplexStep || reals_stay()) break;
    }
  if (!complex_rounding_) complex_rounding_.emplace(*loss_.tape, complex_);
  double off = 0;
  for (std::uint64_t trial = 1; trial <= complex_rounding_->kTrials; ++trial) {
    complex_rounding_->run_moved(complex_, trial);
    ++runs_;
    const double moved = total(complex_.value(loss_.id)).imag() / step;
    if (std::isfinite(moved)) off = std::max(off, std::abs(moved - still));
  }
  return off * complex_rounding_->kBound;
}

// Of smooth functions, f(x - ih) is the conjugate of f(x + ih), to the bit; and a decision is the
// same beside x as at x.
NodeId Measure::parted_at(const std::vector<Complex>& to_the_left) const {
  const auto differ = [](double a, double b) { return !(a == b) && !(a != a && b != b); };
  for (NodeId id = 0; id <= loss_.id; ++id) {
    if (!complex_.needs(id)) continue;
    const std::span<const Complex> value = complex_.value(id);
    const Complex* lefts = to_the_left.data() + (value.data() - complex_.values().data());
    const auto decided = decided_.find(id);
    for (std::size_t i = 0; i < value.size(); ++i) {
      const Complex right = value[i], left = lefts[i];
      if (decided != decided_.end() &&
          (differ(right.real(), decided->second[i]) || differ(left.real(), decided->second[i])))
        return id;
      const double apart = std::abs(right.imag() + left.imag());
      if (apart > 1e-8 * std::max(std::abs(right.imag()), std::abs(left.imag()))) return id;
    }
  }
  return -1;
}

Sides Measure::sides(const Move& move) {
  Sides s;
  const auto beside = [&] {
    const double value = total(complex_.value(loss_.id)).real();
    return std::abs(value - base_) > 1e-9 * std::max(std::abs(value), std::abs(base_));
  };
  s.left = complex_step(move, -kComplexStep);
  s.jump = beside();
  const std::vector<Complex> to_the_left = complex_.values();
  s.right = complex_step(move, kComplexStep);
  s.parted_at = parted_at(to_the_left);
  s.jump = s.parted_at >= 0 && (s.jump || beside());
  return s;
}

// One direction through all variables at once: it leaves every kink that any of them leaves, and
// shows every slope that is too flat or too steep for the usual step.
void Measure::look_around(std::span<const Var> variables) {
  const auto run = [&](double step) {
    complex_.clear_nudges();
    std::uint32_t number = 0;
    for (const Var& v : variables) {
      std::vector<double> direction(complex_.value(v.id).size());
      for (double& d : direction) {
        const auto word = philox({number++, 0, 0, 0x6b696e6bu}, 1);
        d = 0.5 + unit_interval(word[0], word[1]);
        if (word[2] % 2 == 0) d = -d;
      }
      set_step({v, 0, direction}, step);
    }
    complex_.run();
  };
  run(0);
  for (const Complex& z : complex_.values()) reals_.push_back(z.real());
  run(-kComplexStep);
  const std::vector<Complex> to_the_left = complex_.values();
  run(kComplexStep);
  on_kinks_ = parted_at(to_the_left) >= 0;
  const std::vector<Complex> usual = complex_.values();
  run(kLadder[0]);
  for (std::size_t i = 0; i < usual.size() && !wide_; ++i) {
    const double near = usual[i].imag() / kComplexStep;
    const double far = complex_.values()[i].imag() / kLadder[0];
    wide_ = !(std::abs(near - far) <= 1e-8 * std::max(std::abs(near), std::abs(far)));
  }
}

// ---- differences ------------------------------------------------------------------------------

void Measure::set_difference(const Move& move, double step) {
  std::vector<double> delta(move.direction.begin(), move.direction.end());
  for (double& d : delta) d *= step;
  real_.nudge(move.v.id, move.first, delta);
  for (const Move& other : move.others) set_difference(other, step);
}

double Measure::loss_at(const Move& move, double step) {
  real_.clear_nudges();
  set_difference(move, step);
  if (stopped_.empty())
    real_.run();
  else
    real_.run([&](NodeId id, std::span<double> values) {
      if (const auto held = stopped_.find(id); held != stopped_.end())
        std::copy(held->second.begin(), held->second.end(), values.begin());
    });
  ++runs_;
  return total(real_.value(loss_.id));
}

// f' = (f(-2h) - 8 f(-h) + 8 f(h) - f(2h)) / 12h + O(h^4), and the same with h/2
Measured Measure::central(const Move& move, double h) {
  const auto f = [&](double step) { return loss_at(move, step); };
  const double up = f(h), down = f(-h), up2 = f(2 * h), down2 = f(-2 * h);
  const double half_up = f(h / 2), half_down = f(-h / 2);
  const double wide = (down2 - up2 + 8 * (up - down)) / (12 * h);
  const double narrow = (down - up + 8 * (half_up - half_down)) / (6 * h);
  const double magnitude = std::max(std::abs(up), std::abs(down));
  const double off = std::numeric_limits<double>::epsilon() * magnitude + 4 * base_off_;
  // a kink nearby moves the estimates apart; one right here is a jump of the slope: of a smooth
  // function the slopes of both sides differ half as much at half the distance
  const double jump = (up + down - 2 * base_) / h, half = 2 * (half_up + half_down - 2 * base_) / h;
  Measured m;
  m.value = narrow;
  m.error = std::max(std::abs(wide - narrow), std::abs(half - jump / 2));
  const double rounding = 4 * off / h;
  m.kink = !(m.error <= rounding + 1e-7 * std::abs(narrow));
  m.error = m.kink ? m.error + rounding : std::abs(wide - narrow) + rounding;
  m.number = std::isfinite(m.error) && std::isfinite(m.value);
  return m;
}

// Goes farther where rounding hides what a step shows, and comes closer where the estimates of a
// step do not agree: past a kink, or to where the series is a few terms long.
Measured Measure::along(const Move& move) {
  if (method_ == Method::complex_step) return {.value = complex_step(move, kComplexStep)};
  Measured best = central(move, kStep * move.size);
  if (best.number && !best.kink) return farther(move, best);
  best = nearer(move, best);
  // what is far from 1 bends within a step that is a part of it
  if (!best.kink && best.number) return best;
  if (move.least > 0 && move.least < move.size) {
    Move scaled = move;
    scaled.size = move.least;
    const Measured first = central(scaled, kStep * scaled.size);
    const Measured there = first.number && !first.kink ? first : nearer(scaled, first);
    if (there.number && (!there.kink || !best.number)) best = there;
  }
  return best;
}

Measured Measure::nearer(const Move& move, Measured best) {
  double worst = best.number ? best.error : 0;
  if (!best.number) best = {kNaN, std::numeric_limits<double>::infinity(), true, false};
  for (const double step : kShorter) {
    const Measured m = central(move, step * move.size);
    if (!m.number) continue;
    worst = std::max(worst, m.error);
    if (m.error < best.error) best = m;
    if (!m.kink) return m;
  }
  // of a kink, the estimates stay as far apart as they are, however near
  best.kink = best.number && !(best.error <= std::max(1e-3 * std::abs(best.value), 1e-6 * worst));
  return best;
}

// A derivative far below the loss itself is not worth the longer way.
Measured Measure::farther(const Move& move, Measured best) {
  const double small = 1e-3 * std::abs(base_) / move.size;
  for (const double step : kLonger) {
    if (best.error <= 1e-6 * std::max(std::abs(best.value), small)) break;
    const Measured m = central(move, step * move.size);
    if (m.number && !m.kink && m.error < best.error) best = m;
  }
  return best;
}

}  // namespace taugrad
