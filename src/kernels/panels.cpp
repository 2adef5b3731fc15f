#include "kernels/panels.h"

#include <algorithm>

namespace taugrad::kernels {

template <class S>
std::int64_t Panels<S>::bytes(std::int64_t k, std::int64_t n) {
  return (n + kWidth - 1) / kWidth * k * kPanelBytes + 64;
}

template <class S>
void Panels<S>::resize(std::int64_t k, std::int64_t n) {
  const std::size_t elements = static_cast<std::size_t>(bytes(k, n)) / sizeof(S);
  if (storage_.size() < elements) storage_.resize(elements);
  const auto address = reinterpret_cast<std::uintptr_t>(storage_.data());
  data_ = reinterpret_cast<S*>((address + 63) / 64 * 64);
  k_ = k;
  n_ = n;
}

template <class S>
void Panels<S>::fill(const S* b, std::int64_t row_step, std::int64_t column_step) {
  constexpr std::int64_t kTile =
      64 / static_cast<std::int64_t>(sizeof(S));  // one cache line of a column
  for (std::int64_t from = 0; from < n_; from += kWidth) {
    S* out = data_ + from * k_;
    const std::int64_t width = std::min(kWidth, n_ - from);
    const S* in = b + from * column_step;
    for (std::int64_t p = 0; p < k_; p += kTile) {
      const std::int64_t end = std::min(p + kTile, k_);
      if (column_step == 1) {
        for (std::int64_t q = p; q < end; ++q)
          std::copy_n(in + q * row_step, width, out + q * kWidth);
      } else {
        for (std::int64_t j = 0; j < width; ++j)
          for (std::int64_t q = p; q < end; ++q)
            out[q * kWidth + j] = in[q * row_step + j * column_step];
      }
      for (std::int64_t q = p; width < kWidth && q < end; ++q)
        std::fill(out + q * kWidth + width, out + (q + 1) * kWidth, S(0));
    }
  }
}

template class Panels<float>;
template class Panels<double>;

}  // namespace taugrad::kernels
