#include "kernels/rows/row_math.h"

#include <algorithm>
#include <cmath>

#include "kernels/rows/row_tables.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rows/row_math.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/rows/row_reduce.h"

// Sums, means, largest elements and normalized rows.
HWY_BEFORE_NAMESPACE();
namespace taugrad::kernels {
namespace HWY_NAMESPACE {

template <class S>
struct RowMean {
  S value;
  bool near;  ///< to all elements, so that their differences from it are exact
};

/// Mean of n >= 1 numbers. Where they lie near to it, what rounding made of the sum is measured and
/// taken back, so that the mean of equal numbers is that number; twice, as a long sum of floats is
/// off by more.
template <class S>
HWY_INLINE RowMean<S> mean_row(const S* x, std::int64_t n) {
  const Lanes<S> d;
  const auto count = static_cast<S>(n);
  S mean = sum_row(x, n) / count;
  for (int k = 0; k < 2; ++k) {
    const auto origin = hn::Set(d, mean);
    auto far = hn::Zero(d);
    const S rest = sum_terms<S, 4>(n, [&](std::int64_t i, const auto& part) HWY_ATTR {
      const auto apart = hn::Sub(part.load(x + i), origin);
      far = hn::Max(far, hn::Abs(part.or_else(apart, hn::Zero(d))));
      return apart;
    });
    // false where something is not finite, too
    if (!(hn::GetLane(hn::MaxOfLanes(d, far)) <= std::abs(mean) / 2) || !std::isfinite(rest))
      return {mean, false};
    mean += rest / count;
  }
  return {mean, true};
}

/// out = x - by
template <class S>
HWY_INLINE void shift_row(const S* x, S by, std::int64_t n, S* out) {
  const auto origin = hn::Set(Lanes<S>(), by);
  each_vector<S>(n, [&](std::int64_t i, const auto& part)
                        HWY_ATTR { part.store(hn::Sub(part.load(x + i), origin), out + i); });
}

/// out = x - mean x; what rounding of the mean leaves in out is taken away again.
template <class S>
HWY_INLINE void centre_row(const S* x, std::int64_t n, S* out) {
  const RowMean<S> mean = mean_row(x, n);
  shift_row(x, mean.value, n, out);
  if (mean.near) shift_row(out, sum_row(out, n) / static_cast<S>(n), n, out);
}

template <class S>
void centre(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
            std::int64_t ldo) {
  for (std::int64_t r = 0; r < rows && n > 0; ++r) centre_row(x + r * ldx, n, out + r * ldo);
}

template <class S>
HWY_INLINE S mean_square(const S* x, std::int64_t n) {
  return sum_terms<S, 4>(n,
                         [&](std::int64_t i, const auto& part) HWY_ATTR {
                           const auto y = part.load(x + i);
                           return hn::Mul(y, y);
                         }) /
         static_cast<S>(n);
}

/// A variance that has overflowed: divides by the largest element; the variance of what is left.
template <class S>
S scale_row(S* x, std::int64_t n) {
  S largest = 0;
  for (std::int64_t i = 0; i < n; ++i) largest = std::max(largest, std::abs(x[i]));
  for (std::int64_t i = 0; i < n; ++i) x[i] /= largest;
  return mean_square(x, n);
}

template <class S>
void normalize(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
               std::int64_t ldo) {
  for (std::int64_t r = 0; r < rows && n > 0; ++r, x += ldx, out += ldo) {
    centre_row(x, n, out);
    const S variance = mean_square(out, n);
    const bool fits = std::isfinite(variance);  // beside it 1e-5 is nothing
    const auto deviation =
        hn::Set(Lanes<S>(), std::sqrt(fits ? variance + static_cast<S>(1e-5) : scale_row(out, n)));
    each_vector<S>(n, [&](std::int64_t i, const auto& part) HWY_ATTR {
      part.store(hn::Div(part.load(out + i), deviation), out + i);
    });
  }
}

template <class S>
void sum(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
         std::int64_t ldo) {
  for (std::int64_t r = 0; r < rows; ++r) out[r * ldo] = sum_row(x + r * ldx, n);
}

template <class S>
void mean(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
          std::int64_t ldo) {
  for (std::int64_t r = 0; r < rows; ++r)
    out[r * ldo] = n == 0 ? S(0) : mean_row(x + r * ldx, n).value;
}

template <class S>
void max(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
         std::int64_t ldo) {
  for (std::int64_t r = 0; r < rows; ++r) out[r * ldo] = n == 0 ? S(0) : largest(x + r * ldx, n);
}

template <class S>
ReducingRows<S> reducing() {
  return {&centre<S>, &normalize<S>, &sum<S>, &mean<S>, &max<S>};
}
ReducingRows<float> reducing_f32() { return reducing<float>(); }
ReducingRows<double> reducing_f64() { return reducing<double>(); }

}  // namespace HWY_NAMESPACE
}  // namespace taugrad::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace taugrad::kernels {
namespace {

HWY_EXPORT(reducing_f32);
HWY_EXPORT(reducing_f64);

template <class S>
ReducingRows<S> functions() {
  if constexpr (sizeof(S) == sizeof(float))
    return HWY_DYNAMIC_DISPATCH(reducing_f32)();
  else
    return HWY_DYNAMIC_DISPATCH(reducing_f64)();
}

}  // namespace

template <class S>
void centre_rows(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
                 std::int64_t ldo) {
  functions<S>().centre(rows, x, ldx, n, out, ldo);
}
template <class S>
void normalize_rows(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
                    std::int64_t ldo) {
  functions<S>().normalize(rows, x, ldx, n, out, ldo);
}
template <class S>
void sum_rows(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
              std::int64_t ldo) {
  functions<S>().sum(rows, x, ldx, n, out, ldo);
}
template <class S>
void mean_rows(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
               std::int64_t ldo) {
  functions<S>().mean(rows, x, ldx, n, out, ldo);
}
template <class S>
void max_rows(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
              std::int64_t ldo) {
  functions<S>().max(rows, x, ldx, n, out, ldo);
}

using Size = std::int64_t;
template void centre_rows(Size, const float*, Size, Size, float*, Size);
template void centre_rows(Size, const double*, Size, Size, double*, Size);
template void normalize_rows(Size, const float*, Size, Size, float*, Size);
template void normalize_rows(Size, const double*, Size, Size, double*, Size);
template void sum_rows(Size, const float*, Size, Size, float*, Size);
template void sum_rows(Size, const double*, Size, Size, double*, Size);
template void mean_rows(Size, const float*, Size, Size, float*, Size);
template void mean_rows(Size, const double*, Size, Size, double*, Size);
template void max_rows(Size, const float*, Size, Size, float*, Size);
template void max_rows(Size, const double*, Size, Size, double*, Size);

}  // namespace taugrad::kernels
#endif
