// The sum and the largest element of a row: included once for each instruction set.
#if defined(TAUGRAD_KERNELS_ROW_REDUCE_H) == defined(HWY_TARGET_TOGGLE)
#ifdef TAUGRAD_KERNELS_ROW_REDUCE_H
#undef TAUGRAD_KERNELS_ROW_REDUCE_H
#else
#define TAUGRAD_KERNELS_ROW_REDUCE_H
#endif

#include <limits>

#include "kernels/tiles/tile_vectors.h"

HWY_BEFORE_NAMESPACE();
namespace taugrad::kernels {
namespace HWY_NAMESPACE {

/// Sum of term(i, part) over the vectors of n elements, as in each_vector: vector i goes to chain
/// i mod kChains, what is beyond the last full round to the first one; then the chains are added
/// in pairs, then their lanes. Nothing of that depends on more than n.
template <class S, int kChains, class Term>
HWY_INLINE S sum_terms(std::int64_t n, const Term& term) {
  static_assert(kChains == 1 || kChains == 4);
  const Lanes<S> d;
  Vector<S> sums[kChains];
  for (Vector<S>& sum : sums) sum = hn::Zero(d);
  std::int64_t i = 0;
  for (; i + kChains * kLanes<S> <= n; i += kChains * kLanes<S>)
    for (int k = 0; k < kChains; ++k)
      sums[k] = hn::Add(sums[k], term(i + k * kLanes<S>, Whole<S>()));
  each_vector<S>(n - i, [&](std::int64_t j, const auto& part) HWY_ATTR {
    sums[0] = hn::Add(sums[0], part.or_else(term(i + j, part), hn::Zero(d)));
  });
  if constexpr (kChains == 4)
    sums[0] = hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3]));
  return hn::GetLane(hn::SumOfLanes(d, sums[0]));
}

template <class S>
HWY_INLINE S sum_row(const S* x, std::int64_t n) {
  return sum_terms<S, 4>(
      n, [&](std::int64_t i, const auto& part) HWY_ATTR { return part.load(x + i); });
}

/// The first largest of n >= 1 numbers; a NaN counts as the largest.
template <class S>
HWY_INLINE S largest(const S* x, std::int64_t n) {
  const Lanes<S> d;
  const Vector<S> least = hn::Set(d, -std::numeric_limits<S>::infinity());
  Vector<S> best = least;
  auto unordered = hn::IsNaN(best);
  each_vector<S>(n, [&](std::int64_t i, const auto& part) HWY_ATTR {
    const auto y = part.or_else(part.load(x + i), least);
    unordered = hn::Or(unordered, hn::IsNaN(y));
    best = hn::Max(best, y);
  });
  if (!hn::AllFalse(d, unordered)) return *std::find_if(x, x + n, [](S y) { return y != y; });
  const S most = hn::GetLane(hn::MaxOfLanes(d, best));
  // some sets of instructions begin at the lowest finite number: of -inf alone it is -inf
  if (most == std::numeric_limits<S>::lowest()) return *std::max_element(x, x + n);
  // of zeros of both signs, the first
  return most == 0 ? *std::find(x, x + n, S(0)) : most;
}

}  // namespace HWY_NAMESPACE
}  // namespace taugrad::kernels
HWY_AFTER_NAMESPACE();

#endif
