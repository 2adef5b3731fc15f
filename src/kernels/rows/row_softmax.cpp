#include <cmath>
#include <limits>

#include "kernels/rows/row_tables.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rows/row_softmax.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/rows/row_reduce.h"
#include "kernels/tiles/tile_functions.h"

// Rows whose exponentials are summed. All are shifted by the largest element: e^0 is the largest
// term, nothing overflows.
HWY_BEFORE_NAMESPACE();
namespace taugrad::kernels {
namespace HWY_NAMESPACE {

/// Sum of exp(x[i] - shift); use(i, part, term) sees each vector of terms.
template <class S, class Use>
HWY_INLINE S sum_exponentials(const S* x, std::int64_t n, S shift, const Use& use) {
  const Vector<S> origin = hn::Set(Lanes<S>(), shift);
  // an exponential takes longer than an addition: one chain does
  return sum_terms<S, 1>(n, [&](std::int64_t i, const auto& part) HWY_ATTR {
    const auto y = exp<S>(hn::Sub(part.or_else(part.load(x + i), origin), origin));
    use(i, part, y);
    return y;
  });
}

template <class S>
HWY_INLINE S sum_exponentials(const S* x, std::int64_t n, S shift) {
  return sum_exponentials(x, n, shift, [](std::int64_t, const auto&, const Vector<S>&) HWY_ATTR {});
}

template <class S>
void softmax(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
             std::int64_t ldo) {
  for (std::int64_t r = 0; r < rows && n > 0; ++r, x += ldx, out += ldo) {
    const S sum = sum_exponentials(x, n, largest(x, n),
                                   [&](std::int64_t i, const auto& part, const Vector<S>& y)
                                       HWY_ATTR { part.store(y, out + i); });
    const auto total = hn::Set(Lanes<S>(), sum);
    each_vector<S>(n, [&](std::int64_t i, const auto& part)
                          HWY_ATTR { part.store(hn::Div(part.load(out + i), total), out + i); });
  }
}

template <class S>
void log_softmax(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
                 std::int64_t ldo) {
  for (std::int64_t r = 0; r < rows && n > 0; ++r, x += ldx, out += ldo) {
    const S most = largest(x, n);
    const auto shift = hn::Set(Lanes<S>(), most);
    const auto log_total = hn::Set(Lanes<S>(), std::log(sum_exponentials(x, n, most)));
    each_vector<S>(n, [&](std::int64_t i, const auto& part) HWY_ATTR {
      part.store(hn::Sub(hn::Sub(part.load(x + i), shift), log_total), out + i);
    });
  }
}

template <class S>
void nll(std::int64_t rows, const S* logits, std::int64_t ldx, std::int64_t n, const S* target,
         std::int64_t ldt, S* out, std::int64_t ldo) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const S* z = logits + r * ldx;
    const S shift = largest(z, n);
    const std::int64_t y = category_in(target[r * ldt], n);
    // an absent target has the one-hot 0
    out[r * ldo] = std::log(sum_exponentials(z, n, shift)) + (y < 0 ? shift : shift - z[y]);
  }
}

template <class S>
ExponentialRows<S> exponential() {
  return {&softmax<S>, &log_softmax<S>, &nll<S>};
}
ExponentialRows<float> exponential_f32() { return exponential<float>(); }
ExponentialRows<double> exponential_f64() { return exponential<double>(); }

}  // namespace HWY_NAMESPACE
}  // namespace taugrad::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace taugrad::kernels {
namespace {

HWY_EXPORT(exponential_f32);
HWY_EXPORT(exponential_f64);

template <class S>
ExponentialRows<S> functions() {
  if constexpr (sizeof(S) == sizeof(float))
    return HWY_DYNAMIC_DISPATCH(exponential_f32)();
  else
    return HWY_DYNAMIC_DISPATCH(exponential_f64)();
}

}  // namespace

template <class S>
void softmax_rows(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
                  std::int64_t ldo) {
  functions<S>().softmax(rows, x, ldx, n, out, ldo);
}
template <class S>
void log_softmax_rows(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
                      std::int64_t ldo) {
  functions<S>().log_softmax(rows, x, ldx, n, out, ldo);
}
template <class S>
void nll_rows(std::int64_t rows, const S* logits, std::int64_t ldx, std::int64_t n, const S* target,
              std::int64_t ldt, S* out, std::int64_t ldo) {
  functions<S>().nll(rows, logits, ldx, n, target, ldt, out, ldo);
}
template <class S>
void nll_p_rows(std::int64_t rows, const S* p, std::int64_t ldx, std::int64_t n, const S* target,
                std::int64_t ldt, S* out, std::int64_t ldo) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t y = category_in(target[r * ldt], n);
    const S chosen = y < 0 ? S(1) : p[r * ldx + y];
    // of what is no probability the logarithm has a value, the likelihood none
    out[r * ldo] = y < 0                              ? S(0)
                   : chosen >= 0 && chosen <= S(1.01) ? -std::log(chosen)
                                                      : std::numeric_limits<S>::quiet_NaN();
  }
}

using Size = std::int64_t;
template void softmax_rows(Size, const float*, Size, Size, float*, Size);
template void softmax_rows(Size, const double*, Size, Size, double*, Size);
template void log_softmax_rows(Size, const float*, Size, Size, float*, Size);
template void log_softmax_rows(Size, const double*, Size, Size, double*, Size);
template void nll_rows(Size, const float*, Size, Size, const float*, Size, float*, Size);
template void nll_rows(Size, const double*, Size, Size, const double*, Size, double*, Size);
template void nll_p_rows(Size, const float*, Size, Size, const float*, Size, float*, Size);
template void nll_p_rows(Size, const double*, Size, Size, const double*, Size, double*, Size);

}  // namespace taugrad::kernels
#endif
