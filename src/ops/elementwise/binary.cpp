#include "ops/kernel.h"
#include "ops/rules.h"

// Elementwise functions of two variables; the builders broadcast them to one shape first.
namespace taugrad {
namespace {

template <class F>
using Map2 = Map<F, 2>;

using Add = decltype([](const auto& a, const auto& b) { return a + b; });
using Sub = decltype([](const auto& a, const auto& b) { return a - b; });
using Mul = decltype([](const auto& a, const auto& b) { return a * b; });
using Div = decltype([](const auto& a, const auto& b) { return a / b; });
using Pow = decltype([](const auto& a, const auto& b) { return scalar::pow(a, b); });
using Minimum = decltype([](const auto& a, const auto& b) {
  return scalar::at_most(a, b) || scalar::is_nan(a) ? a : b;
});
using Maximum = decltype([](const auto& a, const auto& b) {
  return scalar::at_most(b, a) || scalar::is_nan(a) ? a : b;
});

Var add_partial(const Primal&, std::size_t, Var d) { return d; }
Var sub_partial(const Primal&, std::size_t i, Var d) { return i == 0 ? d : -d; }
Var mul_partial(const Primal& p, std::size_t i, Var d) { return d * p.in[1 - i]; }

// y = a/b:  dy/da = 1/b,  dy/db = -y/b
Var div_partial(const Primal& p, std::size_t i, Var d) {
  return i == 0 ? d * (1.0 / p.in[1]) : -(d * (p.out / p.in[1]));
}

// y = a^b:  dy/da = b a^(b-1), 0 where b = 0;  dy/db = y ln a, 0 where a = 0
Var pow_partial(const Primal& p, std::size_t i, Var d) {
  const Var a = p.in[0], b = p.in[1], zero = number_like(a, 0);
  const Var slope = i == 0 ? b * pow(a, b - 1.0) : p.out * log(a);
  return d * where(equal(i == 0 ? b : a, zero), zero, slope);
}

// ties go to the first
Var minimum_partial(const Primal& p, std::size_t i, Var d) {
  const Var a = p.in[0], b = p.in[1];
  const Var zero = number_like(d, 0);
  return where(i == 0 ? less_equal(a, b) : less(b, a), d, zero);
}
Var maximum_partial(const Primal& p, std::size_t i, Var d) {
  const Var a = p.in[0], b = p.in[1];
  const Var zero = number_like(d, 0);
  return where(i == 0 ? greater_equal(a, b) : greater(b, a), d, zero);
}

}  // namespace

constinit const Op kAdd = linear(exact_elementwise<Map2<Add>, add_partial, 2>("add", "y = a + b"));
constinit const Op kSub = linear(exact_elementwise<Map2<Sub>, sub_partial, 2>("sub", "y = a - b"));
constinit const Op kMul =
    bilinear(exact_elementwise<Map2<Mul>, mul_partial, 2>("mul", "y = a b, element by element"));
constinit const Op kDiv = exact_elementwise<Map2<Div>, div_partial, 2>("div", "y = a / b");
constinit const Op kPow = elementwise<Map2<Pow>, pow_partial, 2>("pow", "y = a^b");
constinit const Op kMinimum = choosing(exact_elementwise<Map2<Minimum>, minimum_partial, 2>(
    "minimum", "y = min(a, b); ties: the first"));
constinit const Op kMaximum = choosing(exact_elementwise<Map2<Maximum>, maximum_partial, 2>(
    "maximum", "y = max(a, b); ties: the first"));

Var operator+(Var a, Var b) { return append_broadcast(kAdd, a, b); }
Var operator-(Var a, Var b) { return append_broadcast(kSub, a, b); }
Var operator*(Var a, Var b) { return append_broadcast(kMul, a, b); }
Var operator/(Var a, Var b) { return append_broadcast(kDiv, a, b); }
Var operator+(Var a, double b) { return a + number_like(a, b); }
Var operator-(Var a, double b) { return a - number_like(a, b); }
Var operator*(Var a, double b) { return a * number_like(a, b); }
Var operator/(Var a, double b) { return a / number_like(a, b); }
Var operator+(double a, Var b) { return number_like(b, a) + b; }
Var operator-(double a, Var b) { return number_like(b, a) - b; }
Var operator*(double a, Var b) { return number_like(b, a) * b; }
Var operator/(double a, Var b) { return number_like(b, a) / b; }
Var& operator+=(Var& a, const Var& b) { return a = a + b; }
Var& operator-=(Var& a, const Var& b) { return a = a - b; }
Var& operator*=(Var& a, const Var& b) { return a = a * b; }
Var& operator/=(Var& a, const Var& b) { return a = a / b; }
Var& operator+=(Var& a, double b) { return a = a + b; }
Var& operator-=(Var& a, double b) { return a = a - b; }
Var& operator*=(Var& a, double b) { return a = a * b; }
Var& operator/=(Var& a, double b) { return a = a / b; }
Var pow(Var a, Var b) { return append_broadcast(kPow, a, b); }
Var pow(Var a, double b) { return pow(a, number_like(a, b)); }
Var pow(double a, Var b) { return pow(number_like(b, a), b); }
Var min(Var a, Var b) { return append_broadcast(kMinimum, a, b); }
Var min(Var a, GivenNumber b) { return min(a, number_like(a, b.value)); }
Var min(double a, Var b) { return min(number_like(b, a), b); }
Var max(Var a, Var b) { return append_broadcast(kMaximum, a, b); }
Var max(Var a, GivenNumber b) { return max(a, number_like(a, b.value)); }
Var max(double a, Var b) { return max(number_like(b, a), b); }

}  // namespace taugrad
