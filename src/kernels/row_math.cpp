#include "kernels/row_math.h"

#include <algorithm>
#include <cmath>

namespace taugrad::kernels {
namespace {

template <class S>
S largest(const S* x, std::int64_t n) {
  S best = x[0];
  for (std::int64_t i = 1; i < n && best == best; ++i)
    if (x[i] != x[i] || x[i] > best) best = x[i];
  return best;
}

template <class S>
S exponentials(const S* x, std::int64_t n, S shift) {
  S total = 0;
  for (std::int64_t i = 0; i < n; ++i) total += std::exp(x[i] - shift);
  return total;
}

template <class S>
S sum_of(const S* x, std::int64_t n) {
  S total = 0;
  for (std::int64_t i = 0; i < n; ++i) total += x[i];
  return total;
}

template <class S>
std::int64_t category_of(S x, std::int64_t size) {
  // written so that NaN is outside, and nothing outside is converted
  return x >= 0 && x < static_cast<S>(size) ? static_cast<std::int64_t>(x) : -1;
}

}  // namespace

template <class S>
void softmax_rows(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
                  std::int64_t ldo) {
  for (std::int64_t r = 0; r < rows && n > 0; ++r, x += ldx, out += ldo) {
    const S shift = largest(x, n);
    S total = 0;
    for (std::int64_t i = 0; i < n; ++i) total += out[i] = std::exp(x[i] - shift);
    for (std::int64_t i = 0; i < n; ++i) out[i] /= total;
  }
}

template <class S>
void log_softmax_rows(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
                      std::int64_t ldo) {
  for (std::int64_t r = 0; r < rows && n > 0; ++r, x += ldx, out += ldo) {
    const S shift = largest(x, n), log_total = std::log(exponentials(x, n, shift));
    for (std::int64_t i = 0; i < n; ++i) out[i] = (x[i] - shift) - log_total;
  }
}

template <class S>
void normalize_rows(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
                    std::int64_t ldo) {
  const S count(static_cast<float>(n));
  for (std::int64_t r = 0; r < rows && n > 0; ++r, x += ldx, out += ldo) {
    const S mean = sum_of(x, n) / count;
    S square = 0;
    for (std::int64_t i = 0; i < n; ++i) square += (x[i] - mean) * (x[i] - mean);
    const S deviation = std::sqrt(square / count + S(1e-5));
    for (std::int64_t i = 0; i < n; ++i) out[i] = (x[i] - mean) / deviation;
  }
}

template <class S>
void sum_rows(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
              std::int64_t ldo) {
  for (std::int64_t r = 0; r < rows; ++r) out[r * ldo] = sum_of(x + r * ldx, n);
}

template <class S>
void mean_rows(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
               std::int64_t ldo) {
  for (std::int64_t r = 0; r < rows; ++r)
    out[r * ldo] = n == 0 ? S(0) : sum_of(x + r * ldx, n) / S(static_cast<float>(n));
}

template <class S>
void max_rows(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
              std::int64_t ldo) {
  for (std::int64_t r = 0; r < rows; ++r) out[r * ldo] = n == 0 ? S(0) : largest(x + r * ldx, n);
}

template <class S>
void nll_rows(std::int64_t rows, const S* logits, std::int64_t ldx, std::int64_t n, const S* target,
              std::int64_t ldt, S* out, std::int64_t ldo) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const S* z = logits + r * ldx;
    const S shift = largest(z, n);
    const std::int64_t y = category_of(target[r * ldt], n);
    out[r * ldo] = std::log(exponentials(z, n, shift)) + (y < 0 ? shift : shift - z[y]);
  }
}

template <class S>
void nll_p_rows(std::int64_t rows, const S* p, std::int64_t ldx, std::int64_t n, const S* target,
                std::int64_t ldt, S* out, std::int64_t ldo) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t y = category_of(target[r * ldt], n);
    out[r * ldo] = y < 0 ? S(0) : -std::log(p[r * ldx + y]);
  }
}

template <class S>
void add_rows(std::int64_t rows, std::int64_t n, std::span<const RowOperand<S>> operands, S* out,
              std::int64_t ldo) {
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t i = 0; i < n; ++i) {
      S total = operands[0].data[r * operands[0].stride + i];
      for (const RowOperand<S>& x : operands.subspan(1)) total += x.data[r * x.stride + i];
      out[r * ldo + i] = total;
    }
}

template <class S>
void sum_columns(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, bool accumulate,
                 S* out) {
  if (!accumulate) std::fill_n(out, n, S(0));
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t i = 0; i < n; ++i) out[i] += x[r * ldx + i];
}

template <class S>
void scatter_rows(std::int64_t rows, const S* category, std::int64_t ldc, const S* x,
                  std::int64_t ldx, std::int64_t n, std::int64_t size, S* out) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t k = category_of(category[r * ldc], size);
    if (k < 0) continue;
    for (std::int64_t i = 0; i < n; ++i) out[k * n + i] += x[r * ldx + i];
  }
}

#define TAUGRAD_ROWS(S)                                                                          \
  template void softmax_rows(std::int64_t, const S*, std::int64_t, std::int64_t, S*,             \
                             std::int64_t);                                                      \
  template void log_softmax_rows(std::int64_t, const S*, std::int64_t, std::int64_t, S*,         \
                                 std::int64_t);                                                  \
  template void normalize_rows(std::int64_t, const S*, std::int64_t, std::int64_t, S*,           \
                               std::int64_t);                                                    \
  template void sum_rows(std::int64_t, const S*, std::int64_t, std::int64_t, S*, std::int64_t);  \
  template void mean_rows(std::int64_t, const S*, std::int64_t, std::int64_t, S*, std::int64_t); \
  template void max_rows(std::int64_t, const S*, std::int64_t, std::int64_t, S*, std::int64_t);  \
  template void nll_rows(std::int64_t, const S*, std::int64_t, std::int64_t, const S*,           \
                         std::int64_t, S*, std::int64_t);                                        \
  template void nll_p_rows(std::int64_t, const S*, std::int64_t, std::int64_t, const S*,         \
                           std::int64_t, S*, std::int64_t);                                      \
  template void add_rows(std::int64_t, std::int64_t, std::span<const RowOperand<S>>, S*,         \
                         std::int64_t);                                                          \
  template void sum_columns(std::int64_t, const S*, std::int64_t, std::int64_t, bool, S*);       \
  template void scatter_rows(std::int64_t, const S*, std::int64_t, const S*, std::int64_t,       \
                             std::int64_t, std::int64_t, S*)
TAUGRAD_ROWS(float);
TAUGRAD_ROWS(double);
#undef TAUGRAD_ROWS

}  // namespace taugrad::kernels
