#include "kernels/tiles/tile_pairs.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/tiles/tile_pairs.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/tiles/tile_functions.h"

HWY_BEFORE_NAMESPACE();
namespace taugrad::kernels {
namespace HWY_NAMESPACE {

using CallFunction = void (*)(const BoundCall&);

template <class S, TileOp op>
HWY_INLINE Vector<S> first_of(const PairCall<S>& t, std::int64_t i, const auto& part) {
  const Vector<S> x = part.load(t.a + i);
  if constexpr (op == TileOp::tanh) return tanh<S>(x);
  if constexpr (op == TileOp::sigmoid) return sigmoid<S>(x);
  if constexpr (op == TileOp::add) return hn::Add(x, part.load(t.b + i));
  if constexpr (op == TileOp::mul) return hn::Mul(x, part.load(t.b + i));
}

template <class S, TileOp first, TileOp second, class Part>
HWY_INLINE void run_part(const PairCall<S>& t, std::int64_t i, const Part& part) {
  const Vector<S> x = first_of<S, first>(t, i, part);
  const Vector<S> y = part.load(t.other + i);
  part.store(x, t.between + i);
  part.store(second == TileOp::add ? hn::Add(x, y) : hn::Mul(x, y), t.out + i);
}

template <class S, TileOp first, TileOp second>
void run_pair(const BoundCall& call) {
  const auto& t = static_cast<const PairCall<S>&>(call);
  each_register<S>(t.n, [&](std::int64_t i, const auto& part)
                            HWY_ATTR { run_part<S, first, second>(t, i, part); });
}
/// So many whole registers; of none of them a part of one.
template <class S, TileOp first, TileOp second, int registers, class Part = Whole<S>>
void run_registers(const BoundCall& call) {
  const auto& t = static_cast<const PairCall<S>&>(call);
  for (std::int64_t r = 0; r < registers; ++r) run_part<S, first, second>(t, r * kLanes<S>, Part());
}

template <class S, TileOp first, TileOp second>
CallFunction call_for(std::int64_t n) {
  if (n == kLanes<S>) return &run_registers<S, first, second, 1>;
  if (n == 2 * kLanes<S>) return &run_registers<S, first, second, 2>;
#if HWY_TARGET != HWY_SCALAR
  constexpr std::int64_t kBytes = kLanes<S> * static_cast<std::int64_t>(sizeof(S));
  if constexpr (kBytes >= 32)
    if (n == kLanes<S> / 2) return &run_registers<S, first, second, 1, Lower<S>>;
#endif
  return &run_pair<S, first, second>;
}

template <class S, TileOp first>
CallFunction call_with(TileOp second, std::int64_t n) {
  if (second == TileOp::add) return call_for<S, first, TileOp::add>(n);
  if (second == TileOp::mul) return call_for<S, first, TileOp::mul>(n);
  return nullptr;
}
template <class S>
CallFunction call_of(TileOp first, TileOp second, std::int64_t n) {
  switch (first) {
    case TileOp::add:
      return call_with<S, TileOp::add>(second, n);
    case TileOp::mul:
      return call_with<S, TileOp::mul>(second, n);
    case TileOp::tanh:
      return call_with<S, TileOp::tanh>(second, n);
    case TileOp::sigmoid:
      return call_with<S, TileOp::sigmoid>(second, n);
    default:
      return nullptr;
  }
}
CallFunction pair_f32(TileOp first, TileOp second, std::int64_t n) {
  return call_of<float>(first, second, n);
}
CallFunction pair_f64(TileOp first, TileOp second, std::int64_t n) {
  return call_of<double>(first, second, n);
}

}  // namespace HWY_NAMESPACE
}  // namespace taugrad::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace taugrad::kernels {

HWY_EXPORT(pair_f32);
HWY_EXPORT(pair_f64);

template <>
void (*pair_call<float>(TileOp first, TileOp second, std::int64_t n))(const BoundCall&) {
#if HWY_TARGETS & HWY_AVX2
  if (fits_shorter_registers(n * 4)) return N_AVX2::pair_f32(first, second, n);
#endif
  return HWY_DYNAMIC_DISPATCH(pair_f32)(first, second, n);
}
template <>
void (*pair_call<double>(TileOp first, TileOp second, std::int64_t n))(const BoundCall&) {
#if HWY_TARGETS & HWY_AVX2
  if (fits_shorter_registers(n * 8)) return N_AVX2::pair_f64(first, second, n);
#endif
  return HWY_DYNAMIC_DISPATCH(pair_f64)(first, second, n);
}

}  // namespace taugrad::kernels
#endif
