#include "kernels/gemm/pairs.h"

#include <algorithm>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace taugrad::kernels {

#if defined(__x86_64__) && !defined(__clang__)

bool pairs_supported() {
  static const bool supported = [] {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw");
  }();
  return supported;
}

__attribute__((target("avx512f,avx512bw,avx512bf16"))) void pair_along(const float* x,
                                                                       std::int64_t n,
                                                                       float* cells) {
  for (std::int64_t i = 0; i < n; i += 32, x += 32, cells += 16) {
    const std::int64_t left = std::min<std::int64_t>(n - i, 32);
    const auto bits = static_cast<std::uint32_t>((std::uint64_t{1} << left) - 1);
    const __m512 low = _mm512_maskz_loadu_ps(static_cast<__mmask16>(bits), x);
    const __m512 high = left > 16
                            ? _mm512_maskz_loadu_ps(static_cast<__mmask16>(bits >> 16), x + 16)
                            : _mm512_setzero_ps();
    const auto pairs = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
    const auto cell = static_cast<__mmask16>((1u << (left + 1) / 2) - 1);
    _mm512_mask_storeu_epi32(cells, cell, pairs);
  }
}

__attribute__((target("avx512f"))) void pair_up(const float* x, const float* y, std::int64_t n,
                                                float* cells) {
  const __m512i upper = _mm512_set1_epi32(static_cast<int>(0xFFFF0000u));
  for (std::int64_t i = 0; i < n; i += 16) {
    const auto mask = static_cast<__mmask16>((1u << std::min<std::int64_t>(n - i, 16)) - 1);
    const __m512i low = _mm512_maskz_srli_epi32(mask, _mm512_maskz_loadu_epi32(mask, x + i), 16);
    const __m512i high =
        y == nullptr ? _mm512_setzero_si512() : _mm512_maskz_loadu_epi32(mask, y + i);
    _mm512_mask_storeu_epi32(cells + i, mask, _mm512_or_si512(low, _mm512_and_si512(high, upper)));
  }
}

#else

bool pairs_supported() { return false; }
void pair_along(const float*, std::int64_t, float*) {}
void pair_up(const float*, const float*, std::int64_t, float*) {}

#endif

}  // namespace taugrad::kernels
