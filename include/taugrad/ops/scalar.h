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
