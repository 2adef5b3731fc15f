#include "kernels/rows/row_gates.h"

#include <algorithm>
#include <type_traits>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rows/row_gates.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/tiles/tile_vectors.h"

// A few vectors of a line stay in registers from step to step.
HWY_BEFORE_NAMESPACE();
namespace taugrad::kernels {
namespace HWY_NAMESPACE {

/// kCount vectors of each line, `part` of each.
template <class S, int kCount, class Part>
struct Columns {
  Vector<S> v[kCount];

  HWY_INLINE void load(const S* from, const Part& part) {
    for (int c = 0; c < kCount; ++c) v[c] = part.load(from + c * kLanes<S>);
  }
  HWY_INLINE void store(S* to, const Part& part) const {
    for (int c = 0; c < kCount; ++c) part.store(v[c], to + c * kLanes<S>);
  }
  HWY_INLINE void multiply(const S* by, const Part& part) {
    for (int c = 0; c < kCount; ++c) v[c] = hn::Mul(v[c], part.load(by + c * kLanes<S>));
  }
  /// m x
  HWY_INLINE void weigh(S m, const S* x, const Part& part) {
    const Vector<S> weight = hn::Set(Lanes<S>(), m);
    for (int c = 0; c < kCount; ++c) v[c] = hn::Mul(weight, part.load(x + c * kLanes<S>));
  }
  /// a v + m x
  HWY_INLINE void pass(const S* a, S m, const S* x, const Part& part) {
    const Vector<S> weight = hn::Set(Lanes<S>(), m);
    for (int c = 0; c < kCount; ++c) {
      const Vector<S> added = hn::Mul(weight, part.load(x + c * kLanes<S>));
      v[c] = hn::MulAdd(v[c], part.load(a + c * kLanes<S>), added);
    }
  }
  HWY_INLINE S dot(const S* x, const Part& part) const {
    Vector<S> sum = hn::Mul(v[0], part.load(x));
    for (int c = 1; c < kCount; ++c) sum = hn::MulAdd(v[c], part.load(x + c * kLanes<S>), sum);
    return hn::GetLane(hn::SumOfLanes(Lanes<S>(), sum));
  }
  /// y + v x
  HWY_INLINE void add_product(const S* x, S* y, const Part& part) const {
    for (int c = 0; c < kCount; ++c) {
      const std::int64_t at = c * kLanes<S>;
      part.store(hn::MulAdd(v[c], part.load(x + at), part.load(y + at)), y + at);
    }
  }
};

/// body(at, columns, part): vectors of a line from `at` on.
template <class S, class Body>
HWY_INLINE void each_block(std::int64_t width, const Body& body) {
  std::int64_t at = 0;
  for (; at + 4 * kLanes<S> <= width; at += 4 * kLanes<S>)
    body(at, Columns<S, 4, Whole<S>>(), Whole<S>());
  each_vector<S>(width - at, [&](std::int64_t i, const auto& part) HWY_ATTR {
    body(at + i, Columns<S, 1, std::decay_t<decltype(part)>>(), part);
  });
}

template <class S>
void scores(const GatedSizes& s, const S* q, const S* k, const S* a, S* y) {
  std::fill_n(y, s.steps * s.steps, S(0));
  each_block<S>(s.width, [&](std::int64_t at, auto left, const auto& part) HWY_ATTR {
    for (std::int64_t i = 0; i < s.steps; ++i) {
      left.load(q + i * s.width + at, part);
      for (std::int64_t j = i; j > 0; --j) {
        y[i * s.steps + j] += left.dot(k + j * s.width + at, part);
        left.multiply(a + j * s.width + at, part);
      }
      y[i * s.steps] += left.dot(k + at, part);
    }
  });
}

template <class S>
void sums(const GatedSizes& s, const S* m, const S* x, const S* a, S* y) {
  each_block<S>(s.width, [&](std::int64_t at, auto sum, const auto& part) HWY_ATTR {
    for (std::int64_t i = 0; i < s.steps; ++i) {
      const S* weights = m + i * s.steps;
      sum.weigh(weights[0], x + at, part);
      for (std::int64_t j = 1; j <= i; ++j)
        sum.pass(a + j * s.width + at, weights[j], x + j * s.width + at, part);
      sum.store(y + i * s.width + at, part);
    }
  });
}

template <class S>
void sums_back(const GatedSizes& s, const S* m, const S* x, const S* a, S* y) {
  each_block<S>(s.width, [&](std::int64_t at, auto sum, const auto& part) HWY_ATTR {
    for (std::int64_t j = 0; j < s.steps; ++j) {
      const std::int64_t last = s.steps - 1;
      sum.weigh(m[last * s.steps + j], x + last * s.width + at, part);
      for (std::int64_t i = last; i-- > j;)
        sum.pass(a + (i + 1) * s.width + at, m[i * s.steps + j], x + i * s.width + at, part);
      sum.store(y + j * s.width + at, part);
    }
  });
}

template <class S>
void slopes(const GatedSizes& s, const S* m, const S* q, const S* k, const S* a, S* y) {
  std::fill_n(y, s.steps * s.width, S(0));
  constexpr std::int64_t kBlock = 4 * kLanes<S>;
  std::vector<S> sums(static_cast<std::size_t>(s.steps * kBlock));  // before each step
  each_block<S>(s.width, [&](std::int64_t at, auto line, const auto& part) HWY_ATTR {
    for (std::int64_t i = 1; i < s.steps; ++i) {
      const S* weights = m + i * s.steps;
      line.weigh(weights[0], k + at, part);
      line.store(sums.data() + kBlock, part);
      for (std::int64_t l = 2; l <= i; ++l) {
        const std::int64_t before = (l - 1) * s.width + at;
        line.pass(a + before, weights[l - 1], k + before, part);
        line.store(sums.data() + l * kBlock, part);
      }
      line.load(q + i * s.width + at, part);
      for (std::int64_t l = i; l > 0; --l) {
        line.add_product(sums.data() + l * kBlock, y + l * s.width + at, part);
        line.multiply(a + l * s.width + at, part);
      }
    }
  });
}

template <class S>
GatedRows<S> gated() {
  return {&scores<S>, &sums<S>, &sums_back<S>, &slopes<S>};
}
GatedRows<float> gated_f32() { return gated<float>(); }
GatedRows<double> gated_f64() { return gated<double>(); }

}  // namespace HWY_NAMESPACE
}  // namespace taugrad::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace taugrad::kernels {
namespace {

HWY_EXPORT(gated_f32);
HWY_EXPORT(gated_f64);

}  // namespace

template <>
const GatedRows<float>& gated_rows() {
  static const GatedRows<float> rows = HWY_DYNAMIC_DISPATCH(gated_f32)();
  return rows;
}
template <>
const GatedRows<double>& gated_rows() {
  static const GatedRows<double> rows = HWY_DYNAMIC_DISPATCH(gated_f64)();
  return rows;
}

}  // namespace taugrad::kernels
#endif
