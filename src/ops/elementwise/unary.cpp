#include "ops/kernel.h"
#include "ops/rules.h"

// Elementwise functions of one variable. Each states f and d * f'(x), once.
namespace taugrad {
namespace {

template <class F>
using Map1 = Map<F, 1>;

using Neg = decltype([](const auto& x) { return -x; });
using Tanh = decltype([](const auto& x) { return scalar::tanh(x); });
using Sigmoid = decltype([](const auto& x) { return scalar::sigmoid(x); });
using Exp = decltype([](const auto& x) { return scalar::exp(x); });
using Log = decltype([](const auto& x) { return scalar::log(x); });
using Sqrt = decltype([](const auto& x) { return scalar::sqrt(x); });
using Abs = decltype([](const auto& x) { return scalar::abs(x); });
using Sign = decltype([](const auto& x) { return scalar::sign(x); });
using Identity = decltype([](const auto& x) { return x; });
// a complex number leaves its derivative behind: complex step, too, sees a constant
using Constant = decltype([](const auto& x) {
  return std::decay_t<decltype(x)>(scalar::real_part(x));
});
// not `x > 0 ? x : 0`, which would turn NaN into 0
using Relu = decltype([](const auto& x) {
  const std::decay_t<decltype(x)> zero(0);
  return scalar::at_most(x, zero) ? zero : x;
});

struct Clamp {
  template <class S>
  static void run(const Call<S>& c) {
    using Real = decltype(scalar::real_part(S()));
    const S lo(static_cast<Real>(c.attrs->real("lo"))), hi(static_cast<Real>(c.attrs->real("hi")));
    const std::int64_t n = c.shape->size();
    each_item(c, [&](std::int64_t item) {
      const S* x = row(c.in[0], item);
      S* y = c.out + item * n;
      for (std::int64_t i = 0; i < n; ++i)
        y[i] = scalar::below(x[i], lo) ? lo : scalar::below(hi, x[i]) ? hi : x[i];
    });
  }
};

Var neg_partial(const Primal&, std::size_t, Var d) { return -d; }
Var same_partial(const Primal&, std::size_t, Var d) { return d; }
Var tanh_partial(const Primal& p, std::size_t, Var d) { return d * (1.0 - p.out * p.out); }
Var sigmoid_partial(const Primal& p, std::size_t, Var d) { return d * (p.out * (1.0 - p.out)); }
Var relu_partial(const Primal& p, std::size_t, Var d) {
  const Var zero = number_like(d, 0);
  return where(greater(p.in[0], number_like(d, 0)), d, zero);
}
Var exp_partial(const Primal& p, std::size_t, Var d) { return d * p.out; }
Var log_partial(const Primal& p, std::size_t, Var d) { return d * (1.0 / p.in[0]); }
Var sqrt_partial(const Primal& p, std::size_t, Var d) { return d * (0.5 / p.out); }
Var abs_partial(const Primal& p, std::size_t, Var d) { return d * sign(p.in[0]); }

// 1 on lo..hi, ends included, else 0
Var clamp_partial(const Primal& p, std::size_t, Var d) {
  const Var x = p.in[0];
  const Var below = less_equal(x, number_like(x, p.attrs().real("hi")));
  const Var inside = less_equal(number_like(x, p.attrs().real("lo")), x) * below;
  return where(inside, d, number_like(d, 0));
}

void check_clamp(const Proposal& p) {
  require_number(p, 0);
  require(p.category == 0, "gives a number, not a category");
  const double lo = p.attrs.real("lo"), hi = p.attrs.real("hi");
  require(lo <= hi, "the lower end {} is above the upper end {}", lo, hi);
}

constexpr Op bounded(Op op) {
  op.attributes = "hi:real lo:real";
  op.check = check_clamp;
  return op;
}

/// Of a copy "by" tells pictures what a gradient inside an equation is taken by.
constexpr Op telling(Op op) {
  op.attributes = "by:text category";
  return op;
}

constexpr Op view(Op op) {
  op.traits.view = true;
  return op;
}

}  // namespace

constinit const Op kNeg = linear(exact_elementwise<Map1<Neg>, neg_partial, 1>("neg", "y = -x"));
constinit const Op kTanh =
    elementwise<Map1<Tanh>, tanh_partial, 1>("tanh", "y = tanh x;  y' = 1 - y^2");
constinit const Op kSigmoid = elementwise<Map1<Sigmoid>, sigmoid_partial, 1>(
    "sigmoid", "y = 1/(1 + exp(-x));  y' = y (1 - y)");
constinit const Op kRelu =
    choosing(exact_elementwise<Map1<Relu>, relu_partial, 1>("relu", "y = max(x, 0);  y'(0) = 0"));
constinit const Op kExp = elementwise<Map1<Exp>, exp_partial, 1>("exp", "y = e^x");
constinit const Op kLog = elementwise<Map1<Log>, log_partial, 1>("log", "y = ln x;  NaN below 0");
constinit const Op kSqrt =
    elementwise<Map1<Sqrt>, sqrt_partial, 1>("sqrt", "y = x^(1/2);  y' = 1/(2y), infinite at 0");
constinit const Op kAbs =
    exact_elementwise<Map1<Abs>, abs_partial, 1>("abs", "y = |x|;  y' = sign x, 0 at 0");
constinit const Op kSign =
    discrete(exact_elementwise<Map1<Sign>, same_partial, 1>("sign", "y = -1, 0 or 1; no gradient"));
constinit const Op kClamp = bounded(choosing(exact_elementwise<Clamp, clamp_partial, 1>(
    "clamp", "y = min(max(x, lo), hi);  y' = 1 on lo..hi, ends included")));
constinit const Op kCopy =
    telling(carrying(view(linear(exact_elementwise<Map1<Identity>, same_partial, 1>(
        "copy", "y = x: W(t), the use of a weight at one step (eq 24)")))));
constinit const Op kStopGradient = carrying(view(discrete(
    exact_elementwise<Map1<Constant>, same_partial, 1>("stop_gradient", "y = x, as a constant"))));

Var operator-(Var a) { return append1(kNeg, a); }
Var tanh(Var a) { return append1(kTanh, a); }
Var sigmoid(Var a) { return append1(kSigmoid, a); }
Var relu(Var a) { return append1(kRelu, a); }
Var exp(Var a) { return append1(kExp, a); }
Var log(Var a) { return append1(kLog, a); }
Var sqrt(Var a) { return append1(kSqrt, a); }
Var abs(Var a) { return append1(kAbs, a); }
Var sign(Var a) { return append1(kSign, a); }

Var clamp(Var a, double lo, double hi) { return append1(kClamp, a, {{"hi", hi}, {"lo", lo}}); }

Var stop_gradient(Var a) {
  const std::int64_t size = category_size(a);
  return append1(kStopGradient, a, size > 0 ? Attrs{{"category", size}} : Attrs{});
}

Var copy(Var w) {
  Tape& g = *w.tape;
  // W(t) bears the name of W and the position of the equation it stands in; there is one of it
  if (&g.op(w.id) == &kWeight && (g.in_step() || g.owner_index() != 0))
    return g.var(g.weight_copy(w.id, kCopy));
  const std::int64_t size = category_size(w);
  return append1(kCopy, w, size > 0 ? Attrs{{"category", size}} : Attrs{});
}

}  // namespace taugrad
