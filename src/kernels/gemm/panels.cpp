#include "kernels/gemm/panels.h"

#include <algorithm>
#include <cstring>

#include "kernels/gemm/pairs.h"
#include "kernels/gemm/panels_transpose.h"

namespace taugrad::kernels {

template <class S>
std::int64_t Panels<S>::bytes(std::int64_t k, std::int64_t n, bool pairs) {
  return (n + kWidth - 1) / kWidth * (pairs ? (k + 1) / 2 : k) * kPanelBytes + 64;
}

template <class S>
void Panels<S>::resize(std::int64_t k, std::int64_t n, bool pairs) {
  const std::size_t elements = static_cast<std::size_t>(bytes(k, n, pairs)) / sizeof(S);
  if (storage_.size() < elements) storage_.resize(elements);
  const auto address = reinterpret_cast<std::uintptr_t>(storage_.data());
  data_ = reinterpret_cast<S*>((address + 63) / 64 * 64);
  k_ = k;
  n_ = n;
  pairs_ = pairs;
}

template <class S>
void Panels<S>::fill(const S* b, std::int64_t row_step, std::int64_t column_step,
                     InstructionSet set) {
  if (pairs_) return fill_pairs(b, row_step, column_step);
  std::int64_t from = 0;
  if (row_step == 1)
    for (; from + kWidth <= n_; from += kWidth)
      transpose_panel(b + from * column_step, column_step, k_, data_ + from * k_, set);
  else if (column_step == 1)
    from = fill_full(b, row_step);
  for (; from < n_; from += kWidth)
    for (std::int64_t p = 0; p < k_; ++p)
      for (std::int64_t j = 0; j < kWidth; ++j)
        data_[from * k_ + p * kWidth + j] =
            from + j < n_ ? b[p * row_step + (from + j) * column_step] : S(0);
}

template <class S>
void Panels<S>::fill_pairs(const S* b, std::int64_t row_step, std::int64_t column_step) {
  if constexpr (sizeof(S) == 4) {
    Panels single;
    single.resize(k_, n_);
    single.fill(b, row_step, column_step);
    for (std::int64_t p = 0; p < count(); ++p) {
      const S* from = single.panel(p);
      S* to = data_ + p * depth() * kWidth;
      for (std::int64_t k = 0; k < k_; k += 2, from += 2 * kWidth, to += kWidth)
        pair_up(from, k + 1 < k_ ? from + kWidth : nullptr, kWidth, to);
    }
  }
}

template <class S>
std::int64_t Panels<S>::fill_full(const S* b, std::int64_t row_step) {
  std::int64_t from = 0;
  for (const std::int64_t panels : {4, 1})  // longer stretches of rows are read faster
    for (; from + panels * kWidth <= n_; from += panels * kWidth)
      for (std::int64_t p = 0; p < k_; ++p)
        for (std::int64_t j = from; j < from + panels * kWidth; j += kWidth)
          std::memcpy(data_ + j * k_ + p * kWidth, b + p * row_step + j, kPanelBytes);
  return from;
}

template class Panels<float>;
template class Panels<double>;

}  // namespace taugrad::kernels
