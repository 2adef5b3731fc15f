#include "ops/kernel.h"
#include "ops/rules.h"

// Further elementwise functions, and those that are made of others.
namespace taugrad {
namespace {

template <class F>
using Map1 = Map<F, 1>;

using Sin = decltype([](const auto& x) { return scalar::sin(x); });
using Cos = decltype([](const auto& x) { return scalar::cos(x); });
using Erf = decltype([](const auto& x) { return scalar::erf(x); });
using NormalCdf = decltype([](const auto& x) { return scalar::normal_cdf(x); });
using Log1p = decltype([](const auto& x) { return scalar::log1p(x); });
using Expm1 = decltype([](const auto& x) { return scalar::expm1(x); });
using Softplus = decltype([](const auto& x) { return scalar::softplus(x); });

struct Floor {
  template <class S>
  S operator()(const S& x) const {
    return scalar::floor(x);
  }
  Rational operator()(const Rational& x) const { return x.floor(); }
};
struct Mod {
  template <class S>
  S operator()(const S& a, const S& b) const {
    return scalar::mod(a, b);
  }
  Rational operator()(const Rational& a, const Rational& b) const {
    return a - b * (a / b).floor();
  }
};

Var sin_partial(const Primal& p, std::size_t, Var d) { return d * cos(p.in[0]); }
Var cos_partial(const Primal& p, std::size_t, Var d) { return -(d * sin(p.in[0])); }
Var erf_partial(const Primal& p, std::size_t, Var d) {
  return d * (1.1283791670955126 * exp(-(p.in[0] * p.in[0])));  // 2 / sqrt(pi)
}
Var normal_cdf_partial(const Primal& p, std::size_t, Var d) {
  return d * (0.39894228040143268 * exp(-0.5 * (p.in[0] * p.in[0])));  // 1 / sqrt(2 pi)
}
Var log1p_partial(const Primal& p, std::size_t, Var d) { return d * (1.0 / (1.0 + p.in[0])); }
Var expm1_partial(const Primal& p, std::size_t, Var d) { return d * exp(p.in[0]); }
Var softplus_partial(const Primal& p, std::size_t, Var d) { return d * sigmoid(p.in[0]); }
Var no_partial(const Primal&, std::size_t, Var d) { return d; }

// y = a - b q with q = floor(a / b), found from y: the quotient may round to the other side
Var mod_partial(const Primal& p, std::size_t i, Var d) {
  if (i == 0) return d;
  return -(d * floor((p.in[0] - p.out) / p.in[1] + 0.5));
}

}  // namespace

constinit const Op kSin = elementwise<Map1<Sin>, sin_partial, 1>("sin", "y = sin x");
constinit const Op kCos = elementwise<Map1<Cos>, cos_partial, 1>("cos", "y = cos x");
constinit const Op kErf =
    elementwise<Map1<Erf>, erf_partial, 1>("erf", "y = erf x;  y' = 2 exp(-x^2) / sqrt(pi)");
constinit const Op kNormalCdf = elementwise<Map1<NormalCdf>, normal_cdf_partial, 1>(
    "normal_cdf", "y = erfc(-x / sqrt 2) / 2;  y' = exp(-x^2 / 2) / sqrt(2 pi)");
constinit const Op kLog1p =
    elementwise<Map1<Log1p>, log1p_partial, 1>("log1p", "y = ln(1 + x);  NaN below -1");
constinit const Op kExpm1 = elementwise<Map1<Expm1>, expm1_partial, 1>("expm1", "y = e^x - 1");
constinit const Op kSoftplus = elementwise<Map1<Softplus>, softplus_partial, 1>(
    "softplus", "y = ln(1 + e^x);  y' = sigmoid x");
constinit const Op kFloor = discrete(exact_elementwise<Map1<Floor>, no_partial, 1>(
    "floor", "y = the largest whole number <= x; no gradient"));
constinit const Op kMod = exact_elementwise<Map<Mod, 2>, mod_partial, 2>(
    "mod", "y = a - b floor(a / b), in 0..|b| with the sign of b;  dy/db = -floor(a / b)");

Var sin(Var a) { return append1(kSin, a); }
Var cos(Var a) { return append1(kCos, a); }
Var erf(Var a) { return append1(kErf, a); }
Var normal_cdf(Var a) { return append1(kNormalCdf, a); }
Var log1p(Var a) { return append1(kLog1p, a); }
Var expm1(Var a) { return append1(kExpm1, a); }
Var softplus(Var a) { return append1(kSoftplus, a); }
Var floor(Var a) { return append1(kFloor, a); }
Var mod(Var a, Var b) { return append_broadcast(kMod, a, b); }
Var mod(Var a, double b) { return mod(a, number_like(a, b)); }

Var log_sigmoid(Var a) { return -softplus(-a); }
Var silu(Var a) { return a * sigmoid(a); }
Var gelu(Var a) { return a * normal_cdf(a); }
// sums of what lies above 0 and below: nothing of either side is computed on the other
Var elu(Var a) {
  const Var below = expm1(min(a, 0.0));
  return relu(a) + below;
}
Var leaky_relu(Var a, Var slope) {
  const Var below = slope * min(a, 0.0);
  return relu(a) + below;
}
Var leaky_relu(Var a, double slope) {
  const Var below = slope * min(a, 0.0);
  return relu(a) + below;
}
Var clamp(Var a, Var lo, Var hi) { return min(max(a, lo), hi); }

}  // namespace taugrad
