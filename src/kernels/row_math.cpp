#include "kernels/row_math.h"

#include <cmath>

#include "kernels/row_tables.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/row_math.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/row_reduce.h"

// Sums, means, largest elements and normalized rows.
HWY_BEFORE_NAMESPACE();
namespace taugrad::kernels {
namespace HWY_NAMESPACE {

template <class S>
void normalize(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
               std::int64_t ldo) {
  const Lanes<S> d;
  const S count(static_cast<float>(n));
  for (std::int64_t r = 0; r < rows && n > 0; ++r, x += ldx, out += ldo) {
    const auto mean = hn::Set(d, sum_row(x, n) / count);
    const S square = sum_terms<S, 4>(n, [&](std::int64_t i, const auto& part) HWY_ATTR {
      const auto centred = hn::Sub(part.load(x + i), mean);
      return hn::Mul(centred, centred);
    });
    const auto deviation = hn::Set(d, std::sqrt(square / count + S(1e-5)));
    each_vector<S>(n, [&](std::int64_t i, const auto& part) HWY_ATTR {
      part.store(hn::Div(hn::Sub(part.load(x + i), mean), deviation), out + i);
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
  const S count(static_cast<float>(n));
  for (std::int64_t r = 0; r < rows; ++r)
    out[r * ldo] = n == 0 ? S(0) : sum_row(x + r * ldx, n) / count;
}

template <class S>
void max(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
         std::int64_t ldo) {
  for (std::int64_t r = 0; r < rows; ++r) out[r * ldo] = n == 0 ? S(0) : largest(x + r * ldx, n);
}

template <class S>
ReducingRows<S> reducing() {
  return {&normalize<S>, &sum<S>, &mean<S>, &max<S>};
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
