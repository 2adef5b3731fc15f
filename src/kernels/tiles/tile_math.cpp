#include "kernels/tiles/tile_math.h"

#include <array>
#include <cmath>
#include <limits>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/tiles/tile_math.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/tiles/tile_functions.h"
#include "kernels/tiles/tile_more.h"

// Below is compiled once for each instruction set. No two operations are contracted into one: a
// sequence of these functions has the bits of the ops one by one.
HWY_BEFORE_NAMESPACE();
namespace taugrad::kernels {
namespace HWY_NAMESPACE {

template <class S>
HWY_INLINE Vector<S> sign(Vector<S> x) {
  const auto zero = hn::Zero(Lanes<S>()), one = hn::CopySignToAbs(set<S>(1), x);
  const auto y = hn::IfThenElse(hn::Eq(x, zero), zero, one);
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

/// To 8 significant bits: half a unit of the last of them is added, less one where it is even, and
/// the rest cut off.
template <class S>
HWY_INLINE Vector<S> round(Vector<S> x) {
  const Bits<S> d;
  using B = hn::TFromD<Bits<S>>;
  constexpr int kCut = sizeof(S) == 4 ? 16 : 45;
  const auto bits = hn::BitCast(d, x);
  const auto odd = hn::And(hn::ShiftRight<kCut>(bits), hn::Set(d, B{1}));
  const auto half = hn::Add(odd, hn::Set(d, (B{1} << (kCut - 1)) - 1));
  const auto kept = hn::And(hn::Add(bits, half), hn::Set(d, ~((B{1} << kCut) - 1)));
  return hn::IfThenElse(hn::IsNaN(x), x, hn::BitCast(Lanes<S>(), kept));
}

#if HWY_TARGET != HWY_SCALAR
/// a^b = e^(b ln a) of finite floats, a > 0: in double, so that a float's last place is right.
HWY_INLINE Vector<float> power(Vector<float> a, Vector<float> b) {
  const Lanes<float> d;
  const hn::Half<Lanes<float>> half;
  const auto of = [&](auto x, auto y) HWY_ATTR {
    const Lanes<double> wide;
    const auto logarithm = log<double>(hn::PromoteTo(wide, x));
    const auto e = exp<double>(hn::Mul(hn::PromoteTo(wide, y), logarithm));
#if HWY_TARGET == HWY_EMU128  // whose floats end at the largest finite one: twice that is infinite
    constexpr double kMost = std::numeric_limits<float>::max(), kRoundsUp = 0x1.ffffffp127;
    const auto over = hn::IfThenElseZero(hn::Ge(e, hn::Set(wide, kRoundsUp)), hn::Set(wide, kMost));
    return hn::Add(hn::DemoteTo(half, e), hn::DemoteTo(half, over));
#else
    return hn::DemoteTo(half, e);
#endif
  };
  return hn::Combine(d, of(hn::UpperHalf(half, a), hn::UpperHalf(half, b)),
                     of(hn::LowerHalf(half, a), hn::LowerHalf(half, b)));
}
#endif

/// The powers that gradients ask for and those of positive floats by the lane, others one at a time
/// by the C++ library.
template <class S>
HWY_INLINE Vector<S> pow(Vector<S> a, Vector<S> b) {
  const Lanes<S> d;
  const auto zero = hn::Zero(d), one = set<S>(1), two = set<S>(2);
  const auto is_zero = hn::Eq(b, zero), is_one = hn::Eq(b, one), is_two = hn::Eq(b, two);
  const auto is_inverse = hn::Eq(b, hn::Neg(one));
  auto y = hn::IfThenElse(is_one, a, hn::Mul(a, a));
  y = hn::IfThenElse(is_zero, one, y);
  y = hn::IfThenElse(is_inverse, hn::Div(one, a), y);
  auto done = hn::Or(hn::Or(is_zero, is_one), hn::Or(is_two, is_inverse));
  if (HWY_LIKELY(hn::AllTrue(d, done))) return y;
#if HWY_TARGET != HWY_SCALAR
  if constexpr (sizeof(S) == sizeof(float)) {
    const auto ends = hn::And(hn::IsFinite(a), hn::IsFinite(b));
    const auto usual = hn::AndNot(done, hn::And(ends, hn::Gt(a, zero)));
    y = hn::IfThenElse(usual, power(a, b), y);
    done = hn::Or(done, usual);
    if (HWY_LIKELY(hn::AllTrue(d, done))) return y;
  }
#endif
  alignas(64) S bases[kLanes<S>], exponents[kLanes<S>], known[kLanes<S>], results[kLanes<S>];
  hn::Store(a, d, bases);
  hn::Store(b, d, exponents);
  hn::Store(hn::IfThenElseZero(done, one), d, known);
  hn::Store(y, d, results);
  for (std::int64_t i = 0; i < kLanes<S>; ++i)
    if (known[i] == 0) results[i] = std::pow(bases[i], exponents[i]);
  return hn::Load(d, results);
}

template <TileOp op, class S>
HWY_INLINE Vector<S> of_one(Vector<S> x, S lo, S hi) {
  const Lanes<S> d;
  if constexpr (op == TileOp::neg) return hn::Neg(x);
  if constexpr (op == TileOp::tanh) return tanh<S>(x);
  if constexpr (op == TileOp::sigmoid) return sigmoid<S>(x);
  if constexpr (op == TileOp::relu) return hn::IfThenZeroElse(hn::Le(x, hn::Zero(d)), x);
  if constexpr (op == TileOp::exp) return exp<S>(x);
  if constexpr (op == TileOp::log) return log<S>(x);
  if constexpr (op == TileOp::sqrt) return hn::Sqrt(x);
  if constexpr (op == TileOp::abs) return hn::Abs(x);
  if constexpr (op == TileOp::sign) return sign<S>(x);
  if constexpr (op == TileOp::round) return round<S>(x);
  if constexpr (op == TileOp::floor) return hn::CopySign(hn::Floor(x), x);
  if constexpr (op == TileOp::sin) return sin<S>(x);
  if constexpr (op == TileOp::cos) return cos<S>(x);
  if constexpr (op == TileOp::erf) return erf<S>(x);
  if constexpr (op == TileOp::normal_cdf) return normal_cdf<S>(x);
  if constexpr (op == TileOp::log1p) return log1p<S>(x);
  if constexpr (op == TileOp::expm1) return expm1<S>(x);
  if constexpr (op == TileOp::softplus) return softplus<S>(x);
  if constexpr (op == TileOp::clamp) {
    const auto low = hn::Set(d, lo), high = hn::Set(d, hi);
    const auto y = hn::IfThenElse(hn::Gt(x, high), high, x);
    return hn::IfThenElse(hn::Lt(x, low), low, y);
  }
  if constexpr (op == TileOp::copy) return x;
}

template <TileOp op, class S>
HWY_INLINE Vector<S> of_two(Vector<S> a, Vector<S> b) {
  if constexpr (op == TileOp::add) return hn::Add(a, b);
  if constexpr (op == TileOp::sub) return hn::Sub(a, b);
  if constexpr (op == TileOp::mul) return hn::Mul(a, b);
  if constexpr (op == TileOp::div) return hn::Div(a, b);
  if constexpr (op == TileOp::pow) return pow<S>(a, b);
  if constexpr (op == TileOp::mod) return mod<S>(a, b);
  // the first where it is not beyond the second, or NaN
  if constexpr (op == TileOp::minimum)
    return hn::IfThenElse(hn::Or(hn::Le(a, b), hn::IsNaN(a)), a, b);
  if constexpr (op == TileOp::maximum)
    return hn::IfThenElse(hn::Or(hn::Ge(a, b), hn::IsNaN(a)), a, b);
}

/// The lanes in which a comparison holds; of not_equal and other_category, those in which it does
/// not (highway's Ne is false for NaN).
template <TileOp op, class S>
HWY_INLINE hn::Mask<Lanes<S>> holds(Vector<S> a, Vector<S> b) {
  if constexpr (op == TileOp::less) return hn::Lt(a, b);
  if constexpr (op == TileOp::less_equal) return hn::Le(a, b);
  if constexpr (op == TileOp::greater) return hn::Gt(a, b);
  if constexpr (op == TileOp::greater_equal) return hn::Ge(a, b);
  if constexpr (op == TileOp::equal || op == TileOp::not_equal) return hn::Eq(a, b);
  if constexpr (op == TileOp::same_category || op == TileOp::other_category)
    return hn::And(hn::Eq(a, b), hn::Ge(a, hn::Zero(Lanes<S>())));
}

template <TileOp op, class S>
HWY_INLINE Vector<S> compared(Vector<S> a, Vector<S> b) {
  const auto mask = holds<op, S>(a, b);
  const auto one = set<S>(1);
  if constexpr (op == TileOp::not_equal || op == TileOp::other_category)
    return hn::IfThenZeroElse(mask, one);
  else
    return hn::IfThenElseZero(mask, one);
}

constexpr bool takes_one(TileOp op) {
  return op == TileOp::copy || op == TileOp::neg || (op >= TileOp::clamp && op <= TileOp::softplus);
}
constexpr bool compares(TileOp op) { return op >= TileOp::less && op <= TileOp::other_category; }

template <TileOp op, class S>
void run(const S* a, const S* b, const S* c, S* out, std::int64_t n, S lo, S hi) {
  each_register<S>(n, [&](std::int64_t i, const auto& part) HWY_ATTR {
    const auto x = part.load(a + i);
    if constexpr (takes_one(op)) {
      part.store(of_one<op, S>(x, lo, hi), out + i);
    } else if constexpr (compares(op)) {
      part.store(compared<op, S>(x, part.load(b + i)), out + i);
    } else if constexpr (op == TileOp::where) {
      const auto other = hn::Eq(x, hn::Zero(Lanes<S>()));
      part.store(hn::IfThenElse(other, part.load(c + i), part.load(b + i)), out + i);
    } else {
      part.store(of_two<op, S>(x, part.load(b + i)), out + i);
    }
  });
}

template <class S, std::size_t... op>
constexpr auto table(std::index_sequence<op...>) {
  return std::array<TileFunction<S>, sizeof...(op)>{&run<static_cast<TileOp>(op), S>...};
}

template <class S>
TileFunction<S> function_of(TileOp op) {
  static constexpr auto functions = table<S>(std::make_index_sequence<kTileOps>());
  return functions[static_cast<std::size_t>(op)];
}
TileFunction<float> function_f32(TileOp op) { return function_of<float>(op); }
TileFunction<double> function_f64(TileOp op) { return function_of<double>(op); }

}  // namespace HWY_NAMESPACE
}  // namespace taugrad::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace taugrad::kernels {

HWY_EXPORT(function_f32);
HWY_EXPORT(function_f64);

template <>
TileFunction<float> tile_function(TileOp op) {
  return HWY_DYNAMIC_DISPATCH(function_f32)(op);
}
template <>
TileFunction<double> tile_function(TileOp op) {
  return HWY_DYNAMIC_DISPATCH(function_f64)(op);
}

}  // namespace taugrad::kernels
#endif
