// exp, log, tanh and sigmoid of vectors: included once for each instruction set.
#if defined(TAUGRAD_KERNELS_TILE_FUNCTIONS_H) == defined(HWY_TARGET_TOGGLE)
#ifdef TAUGRAD_KERNELS_TILE_FUNCTIONS_H
#undef TAUGRAD_KERNELS_TILE_FUNCTIONS_H
#else
#define TAUGRAD_KERNELS_TILE_FUNCTIONS_H
#endif

#include <limits>

#include "kernels/tiles/tile_vectors.h"

// Where the short way of a function does not reach, a careful one does, and only the lanes it is
// for take its result: a lane's bits never depend on the way that its neighbours went.
HWY_BEFORE_NAMESPACE();
namespace taugrad::kernels {
namespace HWY_NAMESPACE {

/// The numbers that tell float from double.
template <class S>
struct Format;

template <>
struct Format<float> {
  static constexpr int kMantissa = 23;
  static constexpr double kRounding = 12582912.0;  // 1.5 * 2^23: x + this - this is x's integer
  static constexpr double kExpLow = -104, kExpHigh = 89;  // beyond them exp is 0 or infinite
  static constexpr double kExpShort = 87;                 // e^x and e^-x are normal up to here
  static constexpr double kTanhEnd = 20;                  // tanh(x/2) = 1 from here on
  static constexpr double kLn2High = 0.693359375, kLn2Low = -2.12194440e-4;
  static constexpr std::uint32_t kOne = 0x3f800000, kRootHalf = 0x3f3504f3;
  // (exp(r) - 1 - r) / r^2 on |r| < ln(2)/2, interpolated at the zeros of a Chebyshev polynomial
  static constexpr double kExp[] = {0.500000001,   0.166666667,   0.041666464,
                                    0.00833331082, 0.00139337514, 0.000198911034};
  // (log((1+s)/(1-s)) - 2s) / s^3 in powers of s^2, for |s| < 0.1716
  static constexpr double kLog[] = {0.66666662693023682, 0.40000972151756287, 0.28498786687850952,
                                    0.24279078841209412};
};

template <>
struct Format<double> {
  static constexpr int kMantissa = 52;
  static constexpr double kRounding = 6755399441055744.0;
  static constexpr double kExpLow = -746, kExpHigh = 710;
  static constexpr double kExpShort = 708;
  static constexpr double kTanhEnd = 40;
  static constexpr double kLn2High = 6.93147180369123816490e-01,
                          kLn2Low = 1.90821492927058770002e-10;
  static constexpr std::uint64_t kOne = 0x3ff0000000000000, kRootHalf = 0x3fe6a09e667f3bcd;
  static constexpr double kExp[] = {
      0.5000000000000001,    0.16666666666666669,    0.04166666666662374,    0.008333333333330032,
      0.0013888888917406447, 0.00019841269863201828, 2.4801520996825697e-05, 2.7557268229963227e-06,
      2.76202305675069e-07,  2.5100494788905042e-08};
  static constexpr double kLog[] = {6.666666666666735130e-01, 3.999999999940941908e-01,
                                    2.857142874366239149e-01, 2.222219843214978396e-01,
                                    1.818357216161805012e-01, 1.531383769920937332e-01,
                                    1.479819860511658591e-01};
};

/// c[0] + c[1] x + c[2] x^2 + ..
template <class S, std::size_t count>
HWY_INLINE Vector<S> polynomial(Vector<S> x, const double (&c)[count]) {
  Vector<S> y = set<S>(c[count - 1]);
  for (std::size_t i = count - 1; i-- > 0;) y = hn::MulAdd(y, x, set<S>(c[i]));
  return y;
}

/// e^x = 2^n (1 + p): n is an integer, in `shifted` plus kRounding; |p| is below 0.42.
template <class S>
struct Exponential {
  Vector<S> shifted, p;
};
/// @param low  what is to be added to x and does not fit it; or nothing
template <class S, class... Low>
HWY_INLINE Exponential<S> reduce(Vector<S> x, Low... low) {
  using F = Format<S>;
  constexpr double kInverseLn2 = 1.44269504088896340736;
  const auto shifted = hn::MulAdd(x, set<S>(kInverseLn2), set<S>(F::kRounding));
  const auto n = hn::Sub(shifted, set<S>(F::kRounding));
  auto r = hn::NegMulAdd(n, set<S>(F::kLn2High), x);
  r = hn::NegMulAdd(n, set<S>(F::kLn2Low), r);
  ((r = hn::Add(r, low)), ...);
  return {shifted, hn::MulAdd(hn::Mul(r, r), polynomial<S>(r, F::kExp), r)};
}

/// n << mantissa, for an n in `shifted`: the bits that 2^n adds to an exponent.
template <class S>
HWY_INLINE hn::Vec<Bits<S>> exponent_bits(Vector<S> shifted) {
  return hn::ShiftLeft<Format<S>::kMantissa>(hn::BitCast(Bits<S>(), shifted));
}

/// exp where |x| <= kExpShort.
template <class S, class... Low>
HWY_INLINE Vector<S> exp_short(Vector<S> x, Low... low) {
  const auto e = reduce<S>(x, low...);
  const auto y = hn::Add(e.p, set<S>(1));
  return hn::BitCast(Lanes<S>(), hn::Add(hn::BitCast(Bits<S>(), y), exponent_bits<S>(e.shifted)));
}

/// exp anywhere: the power of two in two factors, as results may be below the normal numbers.
template <class S>
HWY_INLINE Vector<S> exp_careful(Vector<S> x) {
  using F = Format<S>;
  const Lanes<S> d;
  const hn::RebindToSigned<Lanes<S>> signed_lanes;
  const auto low = set<S>(F::kExpLow), high = set<S>(F::kExpHigh);
  x = hn::IfThenElse(hn::Lt(x, low), low, x);
  x = hn::IfThenElse(hn::Gt(x, high), high, x);  // a NaN remains
  const auto e = reduce<S>(x);
  const auto n = hn::Sub(hn::BitCast(signed_lanes, e.shifted),
                         hn::BitCast(signed_lanes, set<S>(F::kRounding)));
  const auto half = hn::ShiftRight<1>(n);
  const auto one = hn::BitCast(signed_lanes, set<S>(1));
  const auto power = [&](auto k) HWY_ATTR {
    return hn::BitCast(d, hn::Add(hn::ShiftLeft<F::kMantissa>(k), one));
  };
  const auto y = hn::Add(e.p, set<S>(1));
  return hn::Mul(hn::Mul(y, power(half)), power(hn::Sub(n, half)));
}

template <class S>
HWY_INLINE Vector<S> exp(Vector<S> x) {
  const auto near = hn::Le(hn::Abs(x), set<S>(Format<S>::kExpShort));
  const auto y = exp_short<S>(x);
  if (HWY_LIKELY(hn::AllTrue(Lanes<S>(), near))) return y;
  return hn::IfThenElse(near, y, exp_careful<S>(x));
}

/// 1 / (1 + e^-x); at the far ends e^x and 1, which it equals there.
template <class S>
HWY_INLINE Vector<S> sigmoid(Vector<S> x) {
  const auto one = set<S>(1);
  const auto near = hn::Le(hn::Abs(x), set<S>(Format<S>::kExpShort));
  const auto y = hn::Div(one, hn::Add(one, exp_short<S>(hn::Neg(x))));
  if (HWY_LIKELY(hn::AllTrue(Lanes<S>(), near))) return y;
  const auto far = hn::IfThenElse(hn::Gt(x, hn::Zero(Lanes<S>())), one, exp_careful<S>(x));
  return hn::IfThenElse(near, y, far);
}

/// e / (e + 2) with e = exp(2|x|) - 1 = 2^n p + (2^n - 1), which loses nothing near 0.
template <class S>
HWY_INLINE Vector<S> tanh(Vector<S> x) {
  const Lanes<S> d;
  const auto end = set<S>(Format<S>::kTanhEnd), one = set<S>(1);
  const auto magnitude = hn::Abs(x);
  const auto twice = hn::Add(magnitude, magnitude);
  const auto part = reduce<S>(hn::IfThenElse(hn::Gt(twice, end), end, twice));  // a NaN remains
  const auto power =
      hn::BitCast(d, hn::Add(exponent_bits<S>(part.shifted), hn::Set(Bits<S>(), Format<S>::kOne)));
  const auto e = hn::MulAdd(power, part.p, hn::Sub(power, one));
  return hn::CopySignToAbs(hn::Div(e, hn::Add(e, set<S>(2))), x);
}

/// ln x of a normal x: x = 2^k (1 + f) with 1 + f between the roots of 1/2 and 2, s = f / (2 + f).
template <class S>
HWY_INLINE Vector<S> log_short(Vector<S> x, double scale) {
  using F = Format<S>;
  const Lanes<S> d;
  const Bits<S> bits;
  const auto from = hn::Add(hn::BitCast(bits, x), hn::Set(bits, F::kOne - F::kRootHalf));
  // an integer k as a number, by way of the bits of 2^mantissa + k
  const double kBase = static_cast<double>(std::uint64_t{1} << F::kMantissa);
  const auto biased =
      hn::BitCast(d, hn::Or(hn::ShiftRight<F::kMantissa>(from), hn::BitCast(bits, set<S>(kBase))));
  const double kBias = static_cast<double>(F::kOne >> F::kMantissa);
  const auto k = hn::Sub(biased, set<S>(kBase + kBias + scale));
  const auto mantissa = hn::And(from, hn::Set(bits, (std::uint64_t{1} << F::kMantissa) - 1));
  const auto one_and_f = hn::BitCast(d, hn::Add(mantissa, hn::Set(bits, F::kRootHalf)));
  const auto f = hn::Sub(one_and_f, set<S>(1));
  const auto s = hn::Div(f, hn::Add(f, set<S>(2)));
  const auto s2 = hn::Mul(s, s);
  const auto half_square = hn::Mul(hn::Mul(f, f), set<S>(0.5));
  const auto rest = hn::MulAdd(s2, polynomial<S>(s2, F::kLog), half_square);
  const auto low = hn::MulAdd(s, rest, hn::Mul(k, set<S>(F::kLn2Low)));
  return hn::MulAdd(k, set<S>(F::kLn2High), hn::Add(hn::Sub(low, half_square), f));
}

template <class S>
HWY_INLINE Vector<S> log(Vector<S> x) {
  const Lanes<S> d;
  using Limits = std::numeric_limits<S>;
  const auto least = hn::Set(d, Limits::min()), infinity = hn::Set(d, Limits::infinity());
  const auto normal = hn::And(hn::Ge(x, least), hn::Lt(x, infinity));
  const auto y = log_short<S>(x, 0);
  if (HWY_LIKELY(hn::AllTrue(d, normal))) return y;
  constexpr int kUp = Format<S>::kMantissa + 1;  // makes any number normal
  const auto scale = static_cast<double>(std::uint64_t{1} << kUp);
  auto other = log_short<S>(hn::Mul(x, set<S>(scale)), kUp);
  const auto zero = hn::Zero(d);
  other = hn::IfThenElse(hn::Eq(x, zero), hn::Neg(infinity), other);
  other = hn::IfThenElse(hn::Eq(x, infinity), infinity, other);
  // below 0, and of NaN
  other = hn::IfThenElse(hn::Ge(x, zero), other, set<S>(Limits::quiet_NaN()));
  return hn::IfThenElse(normal, y, other);
}

}  // namespace HWY_NAMESPACE
}  // namespace taugrad::kernels
HWY_AFTER_NAMESPACE();

#endif
