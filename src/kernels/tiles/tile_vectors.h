// Vectors of the instruction set that is being compiled for: included once for each of them.
#if defined(TAUGRAD_KERNELS_TILE_VECTORS_H) == defined(HWY_TARGET_TOGGLE)
#ifdef TAUGRAD_KERNELS_TILE_VECTORS_H
#undef TAUGRAD_KERNELS_TILE_VECTORS_H
#else
#define TAUGRAD_KERNELS_TILE_VECTORS_H
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace taugrad::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class S>
using Lanes = hn::ScalableTag<S>;  // of a whole register
template <class S>
using Vector = hn::Vec<Lanes<S>>;
template <class S>
inline constexpr std::int64_t kLanes = static_cast<std::int64_t>(hn::MaxLanes(Lanes<S>()));
template <class S>
using Bits = hn::RebindToUnsigned<Lanes<S>>;

template <class S>
HWY_INLINE Vector<S> set(double x) {
  return hn::Set(Lanes<S>(), static_cast<S>(x));
}

/// A whole vector of a row.
template <class S>
struct Whole {
  HWY_INLINE Vector<S> load(const S* from) const { return hn::LoadU(Lanes<S>(), from); }
  HWY_INLINE void store(Vector<S> x, S* to) const { hn::StoreU(x, Lanes<S>(), to); }
  HWY_INLINE Vector<S> or_else(Vector<S> x, Vector<S>) const { return x; }
};

/// The first lanes of a vector, for what is left of a row. Others are loaded as 0, never touched in
/// memory, and computed by the same instructions.
template <class S>
struct First {
  explicit HWY_INLINE First(std::int64_t n)
      : count(n), mask(hn::FirstN(Lanes<S>(), static_cast<std::size_t>(n))) {}
// the masked accesses of AVX2 to float and double touch no other lane
#if HWY_MEM_OPS_MIGHT_FAULT && HWY_TARGET != HWY_AVX2
  HWY_INLINE Vector<S> load(const S* from) const {
    alignas(64) S lanes[kLanes<S>] = {};
    std::copy_n(from, count, lanes);
    return hn::Load(Lanes<S>(), lanes);
  }
  HWY_INLINE void store(Vector<S> x, S* to) const {
    alignas(64) S lanes[kLanes<S>];
    hn::Store(x, Lanes<S>(), lanes);
    std::copy_n(lanes, count, to);
  }
#else
  HWY_INLINE Vector<S> load(const S* from) const { return hn::MaskedLoad(mask, Lanes<S>(), from); }
  HWY_INLINE void store(Vector<S> x, S* to) const { hn::BlendedStore(x, mask, Lanes<S>(), to); }
#endif
  /// x in the lanes that exist, y in the others.
  HWY_INLINE Vector<S> or_else(Vector<S> x, Vector<S> y) const {
    return hn::IfThenElse(mask, x, y);
  }

  std::int64_t count;
  hn::Mask<Lanes<S>> mask;
};

#if HWY_TARGET != HWY_SCALAR
/// The lower half of a vector; the other is 0. Rows so short follow on one another in a chain, and
/// what a masked store wrote is slow to load again.
template <class S>
struct Lower {
  using Few = hn::Half<Lanes<S>>;
  HWY_INLINE Vector<S> load(const S* from) const {
    return hn::ZeroExtendVector(Lanes<S>(), hn::LoadU(Few(), from));
  }
  HWY_INLINE void store(Vector<S> x, S* to) const {
    hn::StoreU(hn::LowerHalf(Few(), x), Few(), to);
  }
};
/// A quarter of it.
template <class S>
struct Lowest {
  using Half = hn::Half<Lanes<S>>;
  using Few = hn::Half<Half>;
  HWY_INLINE Vector<S> load(const S* from) const {
    return hn::ZeroExtendVector(Lanes<S>(), hn::ZeroExtendVector(Half(), hn::LoadU(Few(), from)));
  }
  HWY_INLINE void store(Vector<S> x, S* to) const {
    hn::StoreU(hn::LowerHalf(Few(), hn::LowerHalf(Half(), x)), Few(), to);
  }
};
#endif

/// each_vector, but what is left of a row in registers as short as 16 bytes as far as they fit.
template <class S, class Body>
HWY_INLINE void each_register(std::int64_t n, const Body& body) {
  [[maybe_unused]] constexpr std::int64_t kBytes = kLanes<S> * static_cast<std::int64_t>(sizeof(S));
  std::int64_t i = 0;
  for (; i + kLanes<S> <= n; i += kLanes<S>) body(i, Whole<S>());
#if HWY_TARGET != HWY_SCALAR
  if constexpr (kBytes >= 32)
    if (i + kLanes<S> / 2 <= n) {
      body(i, Lower<S>());
      i += kLanes<S> / 2;
    }
  if constexpr (kBytes >= 64)
    if (i + kLanes<S> / 4 <= n) {
      body(i, Lowest<S>());
      i += kLanes<S> / 4;
    }
#endif
  if (i < n) body(i, First<S>(n - i));
}

/// body(i, part) for the vectors of n elements, ascending: `part` (Whole or First) reads and writes
/// those from i on.
template <class S, class Body>
HWY_INLINE void each_vector(std::int64_t n, const Body& body) {
  std::int64_t i = 0;
  for (; i + kLanes<S> <= n; i += kLanes<S>) body(i, Whole<S>());
  if (i < n) body(i, First<S>(n - i));
}

}  // namespace HWY_NAMESPACE
}  // namespace taugrad::kernels
HWY_AFTER_NAMESPACE();

#endif
