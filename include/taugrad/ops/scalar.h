#pragma once

#include <cmath>
#include <complex>
#include <limits>

/// What forward rules ask of a scalar type. For complex numbers, which carry a derivative in their
/// imaginary part (complex step), every function is the analytic one, so that f(x + ih) = f(x) +
/// ih f'(x), and an order is that of the numbers x + h a moment after x: by the real part, of equal
/// ones by the imaginary. So a step of +ih takes the branch to the right of a kink, -ih the left
/// one. A branch that only keeps a smooth function accurate is chosen by the real part alone.
namespace taugrad::scalar {

using Complex = std::complex<double>;

template <class S>
S real_part(S x) {
  return x;
}
inline double real_part(const Complex& z) { return z.real(); }

template <class S>
bool below(const S& a, const S& b) {
  return a < b;
}
inline bool below(const Complex& a, const Complex& b) {
  return a.real() < b.real() || (a.real() == b.real() && a.imag() < b.imag());
}
template <class S>
bool at_most(const S& a, const S& b) {
  return a <= b;
}
inline bool at_most(const Complex& a, const Complex& b) {
  return a.real() < b.real() || (a.real() == b.real() && a.imag() <= b.imag());
}

template <class S>
bool is_nan(const S& x) {
  return real_part(x) != real_part(x);
}

template <class S>
bool is_finite(const S& x) {
  const auto r = real_part(x);
  return r - r == decltype(r - r)(0);
}

template <class S>
S tanh(S x) {
  return std::tanh(x);
}
template <class S>
S exp(S x) {
  return std::exp(x);
}

template <class S>
S sin(S x) {
  return std::sin(x);
}
template <class S>
S cos(S x) {
  return std::cos(x);
}

template <class S>
S log(S x) {
  return std::log(x);
}
inline Complex log(const Complex& z) {
  // a negative number has no real logarithm, whatever the complex plane says
  if (z.real() < 0) return {std::numeric_limits<double>::quiet_NaN(), 0};
  return std::log(z);
}

template <class S>
S sqrt(S x) {
  return std::sqrt(x);
}
inline Complex sqrt(const Complex& z) {
  if (z.real() < 0) return {std::numeric_limits<double>::quiet_NaN(), 0};
  return std::sqrt(z);
}

template <class S>
S log1p(S x) {
  return std::log1p(x);
}
inline Complex log1p(const Complex& z) {
  const double re = z.real(), im = z.imag();
  return {0.5 * std::log1p(2 * re + re * re + im * im), std::atan2(im, 1 + re)};
}

template <class S>
S expm1(S x) {
  return std::expm1(x);
}
inline Complex expm1(const Complex& z) {
  const double half = std::sin(z.imag() / 2);
  return {std::expm1(z.real()) * std::cos(z.imag()) - 2 * half * half,
          std::exp(z.real()) * std::sin(z.imag())};
}

/// ln(1 + e^x), which is x + ln(1 + e^-x): nothing overflows, and far left it is e^x.
template <class S>
S softplus(S x) {
  const bool right = real_part(x) > 0;
  const S rest = log1p(exp(right ? -x : x));
  return right ? x + rest : rest;
}

/// A function of which the value and the first derivative are known, beside the real axis: the
/// series of f(x + iy) to y^3, of the first three derivatives.
inline Complex continued(double y, double f, double f1, double f2, double f3) {
  return {f - y * y * f2 / 2, y * f1 - y * y * y * f3 / 6};
}

template <class S>
S erf(S x) {
  return std::erf(x);
}
inline Complex erf(const Complex& z) {
  const double x = z.real(), slope = 1.1283791670955126 * std::exp(-x * x);  // 2 / sqrt(pi)
  return continued(z.imag(), std::erf(x), slope, -2 * x * slope, (4 * x * x - 2) * slope);
}

/// The integral of the normal density up to x: erfc(-x / sqrt 2) / 2, which keeps its digits in the
/// tail. What rounding leaves out of -x / sqrt 2 counts x^2 times there and is put back.
inline double normal_cdf(double x) {
  constexpr double kRootHalf = 0.70710678118654757, kRest = -4.833646656726457e-17;
  const double z = -x * kRootHalf, y = 0.5 * std::erfc(z);
  if (!(z > 0.5 && z < 28)) return y;
  const double lost = std::fma(-x, kRootHalf, -z) - x * kRest;
  return y - lost * 0.56418958354775629 * std::exp(-z * z);  // 1 / sqrt(pi)
}
inline float normal_cdf(float x) { return static_cast<float>(normal_cdf(static_cast<double>(x))); }
inline Complex normal_cdf(const Complex& z) {
  const double x = z.real(), slope = 0.39894228040143268 * std::exp(-x * x / 2);  // 1 / sqrt(2 pi)
  return continued(z.imag(), normal_cdf(x), slope, -x * slope, (x * x - 1) * slope);
}

template <class S>
S floor(S x) {
  return std::floor(x);
}
inline Complex floor(const Complex& z) {
  const double whole = std::floor(z.real());
  return whole == z.real() && z.imag() < 0 ? whole - 1 : whole;  // a moment after a whole number
}

/// a - b floor(a / b) without the rounding of a / b: in [0, |b|), with the sign of b.
template <class S>
S mod(S a, S b) {
  const S rest = std::fmod(a, b);
  if (rest == 0) return std::copysign(rest, b);
  if ((rest < 0) == (b < 0)) return rest;
  const S y = rest + b;
  return y == b && std::isfinite(b) ? std::nextafter(b, S(0)) : y;
}
inline Complex mod(const Complex& a, const Complex& b) {
  double y = mod(a.real(), b.real());
  double times = std::nearbyint((a.real() - y) / b.real());
  if (y == 0 && (a.imag() - times * b.imag()) / b.real() < 0) y = b.real(), times -= 1;
  return {y, a.imag() - times * b.imag()};
}

template <class S>
S sign(S x) {
  if (is_nan(x)) return x;
  return S(below(S(0), x) ? 1 : below(x, S(0)) ? -1 : 0);
}

/// sign(z) z: never the modulus, which is not analytic.
template <class S>
S abs(S x) {
  return below(x, S(0)) ? -x : x;
}
inline float abs(float x) { return std::fabs(x); }
inline double abs(double x) { return std::fabs(x); }

template <class S>
S pow(S a, S b) {
  return std::pow(a, b);
}
inline Complex pow(const Complex& a, const Complex& b) {
  const double x = a.real(), p = b.real();
  const bool real = a.imag() == 0 && b.imag() == 0;
  if (real || a == Complex(0) || b == Complex(0)) return std::pow(x, p);
  if (x >= 0) return std::exp(b * std::log(a));
  if (b.imag() != 0 || p != std::nearbyint(p)) return {std::numeric_limits<double>::quiet_NaN(), 0};
  const Complex magnitude = std::exp(p * std::log(-a));
  return std::fmod(p, 2) == 0 ? magnitude : -magnitude;
}

template <class S>
S sigmoid(S x) {
  // exp of a negative number only: it never overflows
  if (real_part(x) >= 0) return S(1) / (S(1) + exp(-x));
  const S e = exp(x);
  return e / (S(1) + e);
}

template <class S>
bool is_zero(const S& x) {
  return x == S(0);
}

}  // namespace taugrad::scalar
