// Further functions of vectors: included once for each of them, as tile_functions.h.
#if defined(TAUGRAD_KERNELS_TILE_MORE_H) == defined(HWY_TARGET_TOGGLE)
#ifdef TAUGRAD_KERNELS_TILE_MORE_H
#undef TAUGRAD_KERNELS_TILE_MORE_H
#else
#define TAUGRAD_KERNELS_TILE_MORE_H
#endif

#include <cmath>

#include "kernels/tiles/tile_functions.h"

HWY_BEFORE_NAMESPACE();
namespace taugrad::kernels {
namespace HWY_NAMESPACE {

/// The numbers of these functions.
template <class S>
struct More;

template <>
struct More<float> {
  // pi/2 in three parts, and how far out they tell where the nearest multiple lies
  static constexpr double kHalfPi[] = {1.57079637050628662109375, -4.37113882867379e-08,
                                       -1.7151245100018e-15};
  static constexpr double kTurnEnd = 1e5;
  static constexpr double kSin[] = {-1.6666654611e-1, 8.3321608736e-3, -1.9515295891e-4};
  static constexpr double kCos[] = {4.166664568298827e-2, -1.388731625493765e-3,
                                    2.443315711809948e-5};
  // (1 + 2z) e^(z^2) erfc z in powers of (z - 3) / (z + 3)
  static constexpr double kErfc[] = {
      1.25300806,    -0.1356211,    -0.0475621561, 0.129644721,    -0.119275281,    0.0683131967,
      -0.0237635597, 0.00250677867, 0.00187506025, -0.00073408205, -9.25376913e-05, 8.00745497e-05};
  // erf(x) / x in powers of x^2, for |x| < 3/4
  static constexpr double kErf[] = {1.12837917,    -0.376126384,    0.112837786,   -0.0268647718,
                                    0.00521678949, -0.000835692792, 9.47046178e-05};
};

template <>
struct More<double> {
  static constexpr double kHalfPi[] = {1.5707963267948966, 6.123233995736766e-17,
                                       -1.4973849048591833e-33};
  static constexpr double kTurnEnd = 1e6;
  static constexpr double kSin[] = {-1.66666666666666324348e-01, 8.33333333332248946124e-03,
                                    -1.98412698298579493134e-04, 2.75573137070700676789e-06,
                                    -2.50507602534068634195e-08, 1.58969099521155010221e-10};
  static constexpr double kCos[] = {4.16666666666666019037e-02, -1.38888888888741095749e-03,
                                    2.48015872894767294178e-05, -2.75573143513906633035e-07,
                                    2.08757232129817482790e-09, -1.13596475577881948265e-11};
  static constexpr double kErfc[] = {
      1.2530080582697296,      -0.13562110612458117,    -0.047562294353450871,
      0.12964515870276061,     -0.11927366341530699,    0.068308027343978478,
      -0.023770514918645888,   0.0025293918160662391,   0.0018886903591561553,
      -0.00077983227210839912, -0.00010515979981501177, 0.00012509935235563107,
      4.9494849925705948e-06,  -2.0100567931289227e-05, -7.3151051641590624e-07,
      3.4724146028756862e-06,  3.5683839153992204e-07,  -6.1664960776043527e-07,
      -1.4160064940265987e-07, 1.0187000600072885e-07,  4.1807846988455821e-08,
      -1.3326364813003834e-08, -8.5003979297726153e-09, 9.8857988311393651e-10,
      8.8642190164270916e-10};
  static constexpr double kErf[] = {
      1.1283791670955126,     -0.37612638903183754,    0.11283791670955087,
      -0.026866170645118446,  0.005223977625222192,    -0.00085483270011359463,
      0.00012055331545294116, -1.4925589383821143e-05, 1.6460383209858149e-06,
      -1.63332293434337e-07,  1.4413879289095029e-08,  -9.502840894774706e-10};
};

/// y, but f of x in the lanes that are not `done`: one at a time, by the C++ library.
template <class S, class Function>
HWY_INLINE Vector<S> lanes_left(Vector<S> y, hn::Mask<Lanes<S>> done, Vector<S> x,
                                const Function& f) {
  const Lanes<S> d;
  alignas(64) S arguments[kLanes<S>], known[kLanes<S>], results[kLanes<S>];
  hn::Store(x, d, arguments);
  hn::Store(hn::IfThenElseZero(done, set<S>(1)), d, known);
  hn::Store(y, d, results);
  for (std::int64_t i = 0; i < kLanes<S>; ++i)
    if (known[i] == 0) results[i] = f(arguments[i]);
  return hn::Load(d, results);
}

/// e^x - 1 = 2^n p + (2^n - 1), which loses nothing near 0.
template <class S>
HWY_INLINE Vector<S> expm1(Vector<S> x) {
  const Lanes<S> d;
  const auto one = set<S>(1);
  const auto near = hn::Le(hn::Abs(x), set<S>(Format<S>::kExpShort));
  const auto e = reduce<S>(hn::IfThenElseZero(near, x));
  const auto power =
      hn::BitCast(d, hn::Add(exponent_bits<S>(e.shifted), hn::Set(Bits<S>(), Format<S>::kOne)));
  const auto y = hn::CopySign(hn::MulAdd(power, e.p, hn::Sub(power, one)), x);
  if (HWY_LIKELY(hn::AllTrue(d, near))) return y;
  return hn::IfThenElse(near, y, hn::Sub(exp_careful<S>(x), one));
}

/// ln w of w = 1 + x, and what rounding left out of w.
template <class S>
HWY_INLINE Vector<S> log1p(Vector<S> x) {
  const Lanes<S> d;
  const auto one = set<S>(1), w = hn::Add(one, x);
  const auto lost = hn::Sub(x, hn::Sub(w, one));
  const auto whole = log<S>(w);
  const auto y = hn::Add(whole, hn::Div(lost, w));
  const auto end =
      hn::Or(hn::Eq(w, hn::Zero(d)), hn::Eq(w, hn::Set(d, std::numeric_limits<S>::infinity())));
  return hn::CopySign(hn::IfThenElse(end, whole, y), x);
}

/// ln(1 + e^x): of x > 0 x + ln(1 + e^-x).
template <class S>
HWY_INLINE Vector<S> softplus(Vector<S> x) {
  const auto rest = log1p<S>(exp<S>(hn::Neg(hn::Abs(x))));
  return hn::Add(hn::IfThenElseZero(hn::Gt(x, hn::Zero(Lanes<S>())), x), rest);
}

/// sin x, or cos x for `quarter` 1: with k the nearest whole number to x / (pi/2) and r what is
/// left, sin r or cos r. x - k pi/2 is exact in its first part, so r keeps its digits.
template <class S>
HWY_INLINE Vector<S> wave(Vector<S> x, int quarter) {
  using M = More<S>;
  const Lanes<S> d;
  const Bits<S> bits;
  using B = hn::TFromD<Bits<S>>;
  const auto near = hn::Le(hn::Abs(x), set<S>(M::kTurnEnd));
  const auto shifted = hn::MulAdd(hn::IfThenElseZero(near, x), set<S>(0.63661977236758138),
                                  set<S>(Format<S>::kRounding));
  const auto k = hn::Sub(shifted, set<S>(Format<S>::kRounding));
  auto r = hn::NegMulAdd(k, set<S>(M::kHalfPi[0]), x);
  r = hn::NegMulAdd(k, set<S>(M::kHalfPi[1]), r);
  r = hn::NegMulAdd(k, set<S>(M::kHalfPi[2]), r);
  const auto z = hn::Mul(r, r);
  const auto sine = hn::MulAdd(hn::Mul(r, z), polynomial<S>(z, M::kSin), r);
  const auto half = hn::Mul(z, set<S>(0.5)), whole = hn::Sub(set<S>(1), half);
  const auto low = hn::Sub(hn::Sub(set<S>(1), whole), half);
  const auto cosine = hn::Add(whole, hn::MulAdd(hn::Mul(z, z), polynomial<S>(z, M::kCos), low));
  const auto turn = hn::Add(hn::BitCast(bits, shifted), hn::Set(bits, static_cast<B>(quarter)));
  const auto odd = hn::RebindMask(d, hn::Ne(hn::And(turn, hn::Set(bits, B{1})), hn::Zero(bits)));
  const auto sign =
      hn::BitCast(d, hn::ShiftLeft<sizeof(S) * 8 - 2>(hn::And(turn, hn::Set(bits, B{2}))));
  return hn::Xor(hn::IfThenElse(odd, cosine, sine), sign);
}

template <class S>
HWY_INLINE Vector<S> sin(Vector<S> x) {
  const auto f = [](S a) { return std::sin(a); };
#if HWY_NATIVE_FMA
  const auto near = hn::Le(hn::Abs(x), set<S>(More<S>::kTurnEnd));
  const auto y = hn::IfThenElse(hn::Eq(x, hn::Zero(Lanes<S>())), x, wave<S>(x, 0));
  return HWY_LIKELY(hn::AllTrue(Lanes<S>(), near)) ? y : lanes_left<S>(y, near, x, f);
#else
  return lanes_left<S>(x, hn::Eq(x, hn::Zero(Lanes<S>())), x, f);
#endif
}

template <class S>
HWY_INLINE Vector<S> cos(Vector<S> x) {
  const auto f = [](S a) { return std::cos(a); };
#if HWY_NATIVE_FMA
  const auto near = hn::Le(hn::Abs(x), set<S>(More<S>::kTurnEnd));
  const auto y = wave<S>(x, 1);
  return HWY_LIKELY(hn::AllTrue(Lanes<S>(), near)) ? y : lanes_left<S>(y, near, x, f);
#else
  return lanes_left<S>(set<S>(1), hn::Eq(x, hn::Zero(Lanes<S>())), x, f);
#endif
}

/// erfc z of z = x scale >= 0, given e^(-z^2): P(t) / (1 + 2z), whose divisor is known to twice the
/// digits of a number.
template <class S>
HWY_INLINE Vector<S> erfc_of(Vector<S> x, double scale, Vector<S> bell) {
  const auto one = set<S>(1), three = set<S>(3), twice = set<S>(2 * scale);
  x = hn::IfThenElse(hn::Gt(x, set<S>(1e4)), set<S>(1e4), x);  // infinity, too
  const auto z = hn::Mul(x, set<S>(scale));
  const auto p = polynomial<S>(hn::Div(hn::Sub(z, three), hn::Add(z, three)), More<S>::kErfc);
  const auto divisor = hn::MulAdd(x, twice, one), inverse = hn::Div(one, divisor);
  const auto lost = hn::MulAdd(x, twice, hn::Sub(one, divisor));
  const auto q = hn::Mul(p, inverse);
  const auto rest = hn::NegMulAdd(q, lost, hn::NegMulAdd(q, divisor, p));
  return hn::Mul(bell, hn::MulAdd(rest, inverse, q));
}

/// What rounding leaves out of h = a b, of numbers that are not large.
template <class S>
HWY_INLINE Vector<S> rest_of_product(Vector<S> a, Vector<S> b, Vector<S> h) {
#if HWY_NATIVE_FMA
  return hn::MulSub(a, b, h);
#else
  // each in two halves, whose products are exact
  const auto half = [](Vector<S> x) HWY_ATTR {
    const auto c = hn::Mul(x, set<S>(sizeof(S) == 4 ? 4097.0 : 134217729.0));
    return hn::Sub(c, hn::Sub(c, x));
  };
  const auto ah = half(a), bh = half(b);
  const auto al = hn::Sub(a, ah), bl = hn::Sub(b, bh);
  const auto high = hn::Sub(hn::Mul(ah, bh), h);
  return hn::Add(hn::Add(hn::Add(high, hn::Mul(ah, bl)), hn::Mul(al, bh)), hn::Mul(al, bl));
#endif
}

/// e^-(a b), whose exponent is known to twice the digits of a number where it is not far out.
template <class S>
HWY_INLINE Vector<S> bell(Vector<S> a, Vector<S> b) {
  const auto h = hn::Neg(hn::Mul(a, b));
  const auto near = hn::Le(hn::Abs(h), set<S>(Format<S>::kExpShort));
  const auto y = exp_short<S>(h, rest_of_product<S>(hn::Neg(a), b, h));
  if (HWY_LIKELY(hn::AllTrue(Lanes<S>(), near))) return y;
  return hn::IfThenElse(near, y, exp_careful<S>(h));
}

template <class S>
HWY_INLINE Vector<S> erf(Vector<S> x) {
  const auto z = hn::Abs(x), one = set<S>(1);
  const auto near = hn::Mul(z, polynomial<S>(hn::Mul(z, z), More<S>::kErf));
  const auto far = hn::Sub(one, erfc_of<S>(z, 1, bell<S>(z, z)));
  const auto y = hn::IfThenElse(hn::Lt(z, set<S>(0.75)), near, far);
  return hn::IfThenElse(hn::IsNaN(x), x, hn::CopySign(y, x));
}

template <class S>
HWY_INLINE Vector<S> normal_cdf(Vector<S> x) {
#if !HWY_NATIVE_FMA  // roundings would add up
  return lanes_left<S>(x, hn::IsNaN(x), x, [](S a) {
    return static_cast<S>(std::erfc(a * -0.707106781186547524400844362104849039L) / 2);
  });
#else
  const auto magnitude = hn::Abs(x), half = set<S>(0.5);
  constexpr double kRootHalf = 0.70710678118654757;
  const auto z = hn::Mul(magnitude, set<S>(kRootHalf));
  const auto tail =
      hn::Mul(half, erfc_of<S>(magnitude, kRootHalf, bell<S>(magnitude, hn::Mul(magnitude, half))));
  const auto far = hn::IfThenElse(hn::Gt(x, hn::Zero(Lanes<S>())), hn::Sub(set<S>(1), tail), tail);
  // in the middle 1/2 and what erf adds to it
  const auto part = hn::Mul(z, polynomial<S>(hn::Mul(z, z), More<S>::kErf));
  const auto near = hn::MulAdd(half, hn::CopySign(part, x), half);
  const auto y = hn::IfThenElse(hn::Lt(z, half), near, far);
  return hn::IfThenElse(hn::IsNaN(x), x, y);
#endif
}

/// a - b floor(a / b), exactly: one lane at a time, by the C++ library's remainder.
template <class S>
HWY_INLINE Vector<S> mod(Vector<S> a, Vector<S> b) {
  const Lanes<S> d;
  alignas(64) S x[kLanes<S>], y[kLanes<S>];
  hn::Store(a, d, x);
  hn::Store(b, d, y);
  for (std::int64_t i = 0; i < kLanes<S>; ++i) {
    const S rest = std::fmod(x[i], y[i]);
    if (rest == 0 || (rest < 0) == (y[i] < 0)) {
      x[i] = rest == 0 ? std::copysign(rest, y[i]) : rest;
    } else {
      const S up = rest + y[i];
      x[i] = up == y[i] && std::isfinite(up) ? std::nextafter(up, S(0)) : up;
    }
  }
  return hn::Load(d, x);
}

}  // namespace HWY_NAMESPACE
}  // namespace taugrad::kernels
HWY_AFTER_NAMESPACE();

#endif
