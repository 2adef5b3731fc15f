#include <array>
#include <cmath>

#include "base/index.h"
#include "ops/kernel.h"
#include "ops/rules.h"

// The mean of many values, as of a variable's over its index: right to rounding, so that the mean
// of equal values is that value, however many and however large they are.
namespace taugrad {
namespace {

constexpr std::int64_t kBlock = 64;  ///< elements that are added up at a time

/// Sums of exact numbers.
template <class S>
struct Totals {
  std::array<S, kBlock> sum;
  void clear(std::int64_t n) { std::fill_n(sum.begin(), n, S(0)); }
  void add(const S* x, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) sum[at(i)] += x[i];
  }
  S over(std::int64_t i, const S& count) const { return sum[at(i)] / count; }
};

/// Sums of doubles, each with what its roundings left out.                     (Knuth's two-sum)
template <>
struct Totals<double> {
  std::array<double, kBlock> sum, lost;
  void clear(std::int64_t n) {
    std::fill_n(sum.begin(), n, 0.0);
    std::fill_n(lost.begin(), n, 0.0);
  }
  void add(const double* x, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
      const double s = sum[at(i)], total = s + x[i], part = total - s;
      lost[at(i)] += (s - (total - part)) + (x[i] - part);
      sum[at(i)] = total;
    }
  }
  /// What the division leaves over is divided as well.
  double over(std::int64_t i, double count) const {
    const double s = sum[at(i)], mean = s / count;
    const double rest = std::fma(-mean, count, s) + lost[at(i)];
    return std::isfinite(rest) ? mean + rest / count : mean;  // else of numbers that are not finite
  }
};

/// Sums of floats are kept in doubles.
template <>
struct Totals<float> {
  std::array<double, kBlock> sum;
  void clear(std::int64_t n) { std::fill_n(sum.begin(), n, 0.0); }
  void add(const float* x, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) sum[at(i)] += static_cast<double>(x[i]);
  }
  float over(std::int64_t i, float count) const {
    return static_cast<float>(sum[at(i)] / static_cast<double>(count));
  }
};

/// The real and the imaginary part apart, as long as what divides is real.
template <>
struct Totals<scalar::Complex> {
  Totals<double> real, imag;
  void clear(std::int64_t n) {
    real.clear(n);
    imag.clear(n);
  }
  void add(const scalar::Complex* x, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
      parts_[0][at(i)] = x[i].real();
      parts_[1][at(i)] = x[i].imag();
    }
    real.add(parts_[0].data(), n);
    imag.add(parts_[1].data(), n);
  }
  scalar::Complex over(std::int64_t i, const scalar::Complex& count) const {
    if (count.imag() == 0) return {real.over(i, count.real()), imag.over(i, count.real())};
    return scalar::Complex(real.over(i, 1), imag.over(i, 1)) / count;
  }

 private:
  std::array<std::array<double, kBlock>, 2> parts_;
};

struct MeanN {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t size = c.shape->size();
    const std::span<const Operand<S>> terms = c.in.subspan(1);
    Totals<S> totals;
    each_item(c, [&](std::int64_t item) {
      for (std::int64_t from = 0; from < size; from += kBlock) {
        const std::int64_t n = std::min(kBlock, size - from);
        totals.clear(n);
        for (const Operand<S>& x : terms) totals.add(row(x, item) + from, n);
        const S* const count = row(c.in[0], item) + from;
        for (std::int64_t i = 0; i < n; ++i)
          c.out[item * size + from + i] = totals.over(i, count[i]);
      }
    });
  }
};

void check_terms(const Proposal& p) {
  if (p.in.size() < 2) fail(Status::bad_input, "G020", "the mean of no values");
  for (std::size_t i = 0; i < p.in.size(); ++i) require_number(p, i);
  if (p.category != 0) fail(Status::bad_input, "E011", "gives a number, not a category");
}

// dy/dn = -y / n, dy/dx_i = 1 / n
void mean_n_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const Var share = ybar / p.in[0];
  if (p.wants(0)) xbar[0] = -(share * p.out);
  for (std::size_t i = 1; i < xbar.size(); ++i)
    if (p.wants(i)) xbar[i] = share;
}

Var mean_n_jvp(const Primal& p, std::span<const Var> xdot) {
  Vars terms;
  for (const Var& dot : xdot.subspan(1))
    if (dot) terms.push_back(dot);
  const Var moved = terms.empty() ? Var{} : mean_n(p.in[0], terms);
  if (!xdot[0]) return moved;
  const Var divided = xdot[0] * p.out / p.in[0];
  return moved ? moved - divided : -divided;
}

}  // namespace

constinit const Op kMeanN{
    .name = "mean_n",
    .about = "y = (x1 + x2 + ..) / n, right to rounding; n is the first input",
    .arity = kAnyArity,
    .shape = one_shape,
    .forward = exact_forwards<MeanN>(),
    .vjp = mean_n_vjp,
    .jvp = mean_n_jvp,
    .traits = {.elementwise = true},
    .check = check_terms};

Var mean_n(Var count, std::span<const Var> terms) {
  Vars in{broadcast_to(count, terms[0].shape())};
  in.insert(in.end(), terms.begin(), terms.end());
  return taugrad::apply(kMeanN, in);
}

}  // namespace taugrad
