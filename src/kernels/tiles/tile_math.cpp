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

constexpr bool takes_one(TileOp op) { return tile_op_arity(op) == 1; }
constexpr bool compares(TileOp op) { return op >= TileOp::less && op <= TileOp::other_category; }

/// The elements of one register from i on.
template <TileOp op, class S, class Part>
HWY_INLINE void run_part(const S* a, const S* b, const S* c, S* out, std::int64_t i, S lo, S hi,
                         const Part& part) {
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
}

template <TileOp op, class S>
void run(const S* a, const S* b, const S* c, S* out, std::int64_t n, S lo, S hi) {
  each_register<S>(n, [&](std::int64_t i, const auto& part)
                          HWY_ATTR { run_part<op, S>(a, b, c, out, i, lo, hi, part); });
}

template <TileOp op, class S>
void run_call(const BoundCall& call) {
  const auto& t = static_cast<const TileCall<S>&>(call);
  run<op, S>(t.a, t.b, t.c, t.out, t.n, t.lo, t.hi);
}
/// So many whole registers; of none of them a part of one.
template <TileOp op, class S, int registers, class Part = Whole<S>>
void run_registers(const BoundCall& call) {
  const auto& t = static_cast<const TileCall<S>&>(call);
  for (std::int64_t r = 0; r < registers; ++r)
    run_part<op, S>(t.a, t.b, t.c, t.out, r * kLanes<S>, t.lo, t.hi, Part());
}

using CallFunction = void (*)(const BoundCall&);

/// What cells are made of: the others are found by one function for all n.
constexpr bool is_short(TileOp op) { return op <= TileOp::exp || op == TileOp::where; }

template <class S, TileOp op>
CallFunction call_for(std::int64_t n) {
  if constexpr (is_short(op)) {
    if (n == kLanes<S>) return &run_registers<op, S, 1>;
    if (n == 2 * kLanes<S>) return &run_registers<op, S, 2>;
    if (n == 4 * kLanes<S>) return &run_registers<op, S, 4>;
#if HWY_TARGET != HWY_SCALAR
    constexpr std::int64_t kBytes = kLanes<S> * static_cast<std::int64_t>(sizeof(S));
    if constexpr (kBytes >= 32)
      if (n == kLanes<S> / 2) return &run_registers<op, S, 1, Lower<S>>;
    if constexpr (kBytes >= 64)
      if (n == kLanes<S> / 4) return &run_registers<op, S, 1, Lowest<S>>;
#endif
  }
  return &run_call<op, S>;
}

template <class S, std::size_t... op>
CallFunction call_of(TileOp which, std::int64_t n, std::index_sequence<op...>) {
  using Find = CallFunction (*)(std::int64_t);
  static constexpr std::array<Find, sizeof...(op)> kFind{&call_for<S, static_cast<TileOp>(op)>...};
  return kFind[static_cast<std::size_t>(which)](n);
}
CallFunction call_f32(TileOp op, std::int64_t n) {
  return call_of<float>(op, n, std::make_index_sequence<kTileOps>());
}
CallFunction call_f64(TileOp op, std::int64_t n) {
  return call_of<double>(op, n, std::make_index_sequence<kTileOps>());
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
HWY_EXPORT(call_f32);
HWY_EXPORT(call_f64);

template <>
TileFunction<float> tile_function(TileOp op) {
  return HWY_DYNAMIC_DISPATCH(function_f32)(op);
}
template <>
TileFunction<double> tile_function(TileOp op) {
  return HWY_DYNAMIC_DISPATCH(function_f64)(op);
}

/// Half of the wider ones is then no work. Both have fused multiply-adds and so the same bits.
bool fits_shorter_registers([[maybe_unused]] std::int64_t bytes) {
#if (HWY_TARGETS & HWY_AVX2) && (HWY_TARGETS & HWY_AVX3)
  return bytes <= 32 && (hwy::SupportedTargets() & HWY_AVX2) != 0;
#else
  return false;
#endif
}

template <>
void (*tile_call<float>(TileOp op, std::int64_t n))(const BoundCall&) {
#if HWY_TARGETS & HWY_AVX2
  if (fits_shorter_registers(n * 4)) return N_AVX2::call_f32(op, n);
#endif
  return HWY_DYNAMIC_DISPATCH(call_f32)(op, n);
}
template <>
void (*tile_call<double>(TileOp op, std::int64_t n))(const BoundCall&) {
#if HWY_TARGETS & HWY_AVX2
  if (fits_shorter_registers(n * 8)) return N_AVX2::call_f64(op, n);
#endif
  return HWY_DYNAMIC_DISPATCH(call_f64)(op, n);
}

}  // namespace taugrad::kernels
#endif
