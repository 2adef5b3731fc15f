#include "ops/kernel.h"
#include "ops/rules.h"

// Norms, logarithms of sums, running sums and products along an axis.
namespace taugrad {
namespace {

// ---- norm -------------------------------------------------------------------------------------

template <class S>
double magnitude(const S& x) {
  return std::abs(static_cast<double>(scalar::real_part(x)));
}

/// (sum x^2)^(1/2). Where the squares are too large or small for their type, numbers are scaled by
/// a power of two, which loses nothing.
template <class S>
S norm_of(const S* x, std::int64_t n, std::int64_t step) {
  using Wide = std::conditional_t<std::is_same_v<S, float>, double, S>;
  const auto squares = [&](double scale) {
    Wide total(0);
    for (std::int64_t i = 0; i < n; ++i) {
      const Wide scaled = Wide(x[i * step]) * Wide(scale);
      total += scaled * scaled;
    }
    return total;
  };
  const Wide plain = squares(1);
  const double size = magnitude(plain);
  if (size > 1e-260 && size < 1e300) return S(scalar::sqrt(plain));
  double largest = 0;
  for (std::int64_t i = 0; i < n; ++i) largest = std::max(largest, magnitude(x[i * step]));
  if (!std::isfinite(largest) || std::isnan(size)) return S(scalar::sqrt(plain));
  if (largest == 0) return S(0);
  const int exponent = std::clamp(std::ilogb(largest), -1000, 1000);
  return S(scalar::sqrt(squares(std::scalbn(1.0, -exponent))) * Wide(std::scalbn(1.0, exponent)));
}

struct Norm {
  template <class S>
  static void run(const Call<S>& c) {
    each_line(c, [&](const S* x, std::int64_t n, std::int64_t step, std::int64_t line) {
      c.out[line] = norm_of(x, n, step);
    });
  }
};

/// x / |x|, at 0 0.
Var direction(const Primal& p) {
  const Var length = p.out + equal(p.out, number_like(p.out, 0));
  return p.in[0] / broadcast_to(length, p.in[0].shape());
}
void norm_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const Var to = direction(p);
  xbar[0] = broadcast_to(ybar, p.in[0].shape()) * to;
}
Var norm_jvp(const Primal& p, std::span<const Var> xdot) {
  return sum_to(xdot[0] * direction(p), p.out.shape());
}

// ---- logsumexp --------------------------------------------------------------------------------

struct LogSumExp {
  template <class S>
  static void run(const Call<S>& c) {
    each_line(c, [&](const S* x, std::int64_t n, std::int64_t step, std::int64_t line) {
      c.out[line] = of(x, n, step);
    });
  }
  template <class S>
  static S of(const S* x, std::int64_t n, std::int64_t step) {
    if (n == 0) return S(-std::numeric_limits<double>::infinity());
    // shifted by the real part of the largest: e^0 is the largest term, nothing overflows
    const std::int64_t place = first_largest(x, n, step);
    const S shift = S(scalar::real_part(x[place * step]));
    if (!scalar::is_finite(shift)) return shift;
    // of the others only what they add to that 1: far from it nothing is rounded away
    S rest(0);
    for (std::int64_t i = 0; i < n; ++i)
      if (i != place) rest += scalar::exp(x[i * step] - shift);
    const S first = x[place * step] - shift;  // the imaginary part, if there is one
    return shift + scalar::log1p(rest + scalar::expm1(first));
  }
};

/// e^x / sum e^x, at -inf 0. By e^(x - y), which rounding of a large y moves by a common factor:
/// divided by their sum, about 1, the shares are right to rounding. y is not taken below any number
/// that could be meant.
Var share(const Primal& p) {
  const Var y = max(p.out, number_like(p.out, -3e38));
  const Var near = exp(p.in[0] - broadcast_to(y, p.in[0].shape()));
  const Var total = sum_to(near, p.out.shape());
  return near / broadcast_to(max(total, number_like(total, 1e-3)), p.in[0].shape());
}
void logsumexp_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const Var shares = share(p);
  xbar[0] = broadcast_to(ybar, p.in[0].shape()) * shares;
}
Var logsumexp_jvp(const Primal& p, std::span<const Var> xdot) {
  return sum_to(xdot[0] * share(p), p.out.shape());
}

// ---- cumsum -----------------------------------------------------------------------------------

Shape cumsum_shape(std::span<const Shape> in, const Attrs& attrs) {
  require(attrs.has("axis"), "attribute \"axis\" is missing");
  return along_axis_shape(in, attrs);
}

struct Cumsum {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t size = c.shape->size();
    const bool backwards = c.attrs->integer_or("reverse", 0) != 0;
    for (std::int64_t item = 0; item < c.items; ++item)
      sums(row(c.in[0], item), c.out + item * size, lines_of(*c.shape, *c.attrs), backwards);
  }
  template <class S>
  static void sums(const S* x, S* y, const Lines& lines, bool backwards) {
    for (std::int64_t o = 0; o < lines.outer; ++o)
      for (std::int64_t i = 0; i < lines.inner; ++i) {
        S total(0);
        for (std::int64_t k = 0; k < lines.n; ++k) {
          const std::int64_t at = backwards ? lines.n - 1 - k : k;
          const std::int64_t place = (o * lines.n + at) * lines.inner + i;
          y[place] = total += x[place];
        }
      }
  }
};

Var running(Var a, std::int64_t axis, bool backwards) {
  Attrs attrs{{"axis", axis}};
  if (backwards) attrs.set("reverse", std::int64_t{1});
  return append1(kCumsum, a, attrs);
}
void cumsum_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  xbar[0] = running(ybar, p.attrs().integer("axis"), p.attrs().integer_or("reverse", 0) == 0);
}

/// The product of the rows of the first axis, half by half: its gradient divides by nothing.
Var product_of_rows(Var a) {
  Var left;  // a row that has no other
  for (std::int64_t n = a.shape()[0]; n > 1; n = a.shape()[0]) {
    const std::int64_t half = n / 2;
    if (n % 2 != 0) {
      const Var odd = slice(a, n - 1, n);
      left = left ? left * odd : odd;
    }
    const Var second = slice(a, half, 2 * half);
    a = slice(a, 0, half) * second;
  }
  return left ? a * left : a;
}

/// The op along the axis, which then goes away unless it is kept.
Var reduced(const Op& op, Var a, const Along& along) {
  if (along.axis == Along::kAll) return shaped(append1(op, a), a, along);
  const int axis = checked_axis(op, a, along.axis);
  const Var kept = append1(op, a, {{"axis", std::int64_t{axis}}});
  return along.keep ? kept : reshape(kept, without_axis(a.shape(), axis, false));
}

}  // namespace

constinit const Op kNorm{.name = "norm",
                         .about = "y = (sum x^2)^(1/2), or along an axis;  y' = x / y, 0 at 0",
                         .attributes = "axis:integer",
                         .shape = reduced_shape,
                         .forward = forwards<Norm>(),
                         .vjp = norm_vjp,
                         .jvp = norm_jvp};
constinit const Op kLogSumExp{
    .name = "logsumexp",
    .about = "y = ln sum e^x, or along an axis;  y' = e^(x - y), 0 of -inf",
    .attributes = "axis:integer",
    .shape = reduced_shape,
    .forward = forwards<LogSumExp>(),
    .vjp = logsumexp_vjp,
    .jvp = logsumexp_jvp};
constinit const Op kCumsum{
    .name = "cumsum",
    .about = "sums up to each element along an axis, or from it on (reverse)",
    .attributes = "axis:integer reverse:flag",
    .shape = cumsum_shape,
    .forward = exact_forwards<Cumsum>(),
    .vjp = cumsum_vjp,
    .traits = {.linear = true}};

Var norm(Var a) { return append1(kNorm, a); }
Var logsumexp(Var a) { return append1(kLogSumExp, a); }
Var norm(Var a, const Along& along) { return reduced(kNorm, a, along); }
Var logsumexp(Var a, const Along& along) { return reduced(kLogSumExp, a, along); }
Var cumsum(Var a, int axis) { return running(a, checked_axis(kCumsum, a, axis), false); }

Var prod(Var a, const Along& along) {
  if (along.axis == Along::kAll) {
    const std::int64_t n = a.shape().size();
    const Var all = n == 0 ? constant(*a.tape, 1) : product_of_rows(reshape(a, {n}));
    return shaped(reshape(all, {}), a, along);
  }
  const int axis = checked_axis("prod", a, along.axis), rank = a.shape().rank();
  const Shape result = without_axis(a.shape(), axis, along.keep);
  if (a.shape()[axis] == 0) return constant(*a.tape, 1, result);
  std::vector<int> order{axis};
  for (int i = 0; i < rank; ++i)
    if (i != axis) order.push_back(i);
  return reshape(product_of_rows(transpose(a, order)), result);
}
Var prod(Var a) { return prod(a, Along{}); }

// where the norm is 0 nothing flows: not to the elements, and not to it
Var unit(Var a) {
  checked_axis("unit", a, -1);
  const Var length = norm(a, {.axis = -1, .keep = true});
  const Var none = equal(length, number_like(length, 0));
  const Var divisor = length + none, inverse = (1.0 - none) / divisor;
  return a * broadcast_to(inverse, a.shape());
}

}  // namespace taugrad
