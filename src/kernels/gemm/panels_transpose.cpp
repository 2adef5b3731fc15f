#include "kernels/gemm/panels_transpose.h"

#include <cstring>

namespace taugrad::kernels {
namespace {

/// Lanes of two vectors in turn: those of their lower halves to `low`, of their upper ones to
/// `high`.
template <int kLanes, class Vector>
[[gnu::always_inline]] inline void interleave(const Vector& a, const Vector& b, Vector& low,
                                              Vector& high) {
  if constexpr (kLanes == 2) {
    low = __builtin_shufflevector(a, b, 0, 2);
    high = __builtin_shufflevector(a, b, 1, 3);
  } else if constexpr (kLanes == 4) {
    low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  } else if constexpr (kLanes == 8) {
    low = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    high = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  } else {
    low = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    high =
        __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  }
}

/// A square of kLanes x kLanes: interleaving row i with row i + kLanes / 2 is one bit of the
/// exchange of row and column numbers.
template <class S, int kBytes>
[[gnu::always_inline]] inline void square(const S* in, std::int64_t stride, S* out) {
  typedef S Vector __attribute__((vector_size(kBytes)));
  constexpr int kLanes = kBytes / static_cast<int>(sizeof(S));
  Vector a[kLanes], b[kLanes];
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) {
    std::memcpy(&a[i], in + i * stride, kBytes);
  }
#pragma GCC unroll 4
  for (int bit = 1; bit < kLanes; bit *= 2) {
#pragma GCC unroll 8
    for (int i = 0; i < kLanes / 2; ++i)
      interleave<kLanes>(a[i], a[i + kLanes / 2], b[2 * i], b[2 * i + 1]);
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) a[i] = b[i];
  }
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) std::memcpy(out + i * Panels<S>::kWidth, &a[i], kBytes);
}

/// Through a copy of some columns of `in`: whole stretches of rows are read at once, and rows that
/// lie a multiple of 4096 bytes apart do not drive each other from the first-level cache.
template <class S, int kBytes>
[[gnu::always_inline]] inline void panel(const S* in, std::int64_t stride, std::int64_t k, S* out) {
  constexpr std::int64_t kWidth = Panels<S>::kWidth;
  constexpr std::int64_t kLanes = kBytes / static_cast<std::int64_t>(sizeof(S));
  constexpr std::int64_t kColumns = 512 / static_cast<std::int64_t>(sizeof(S));
  constexpr std::int64_t kStep = kColumns + 64 / static_cast<std::int64_t>(sizeof(S));
  alignas(64) S rows[kWidth * kStep];
  for (; k >= kColumns; k -= kColumns, in += kColumns, out += kColumns * kWidth) {
    for (std::int64_t j = 0; j < kWidth; ++j)
      std::memcpy(rows + j * kStep, in + j * stride, kColumns * sizeof(S));
    for (std::int64_t p = 0; p < kColumns; p += kLanes)
      for (std::int64_t j = 0; j < kWidth; j += kLanes)
        square<S, kBytes>(rows + j * kStep + p, kStep, out + p * kWidth + j);
  }
  for (; k >= kLanes; k -= kLanes, in += kLanes, out += kLanes * kWidth)
    for (std::int64_t j = 0; j < kWidth; j += kLanes)
      square<S, kBytes>(in + j * stride, stride, out + j);
  for (; k > 0; --k, ++in, out += kWidth)
    for (std::int64_t j = 0; j < kWidth; ++j) out[j] = in[j * stride];
}

template <class S>
__attribute__((target("avx512f"))) void panel_avx512(const S* in, std::int64_t stride,
                                                     std::int64_t k, S* out) {
  panel<S, 64>(in, stride, k, out);
}
template <class S>
__attribute__((target("avx2"))) void panel_avx2(const S* in, std::int64_t stride, std::int64_t k,
                                                S* out) {
  panel<S, 32>(in, stride, k, out);
}

}  // namespace

template <class S>
void transpose_panel(const S* in, std::int64_t stride, std::int64_t k, S* out, InstructionSet set) {
  switch (set) {
    case InstructionSet::avx512_pairs:
    case InstructionSet::avx512:
      return panel_avx512(in, stride, k, out);
    case InstructionSet::avx2:
      return panel_avx2(in, stride, k, out);
    case InstructionSet::generic:
      return panel<S, 16>(in, stride, k, out);
  }
}

template void transpose_panel(const float*, std::int64_t, std::int64_t, float*, InstructionSet);
template void transpose_panel(const double*, std::int64_t, std::int64_t, double*, InstructionSet);

}  // namespace taugrad::kernels
