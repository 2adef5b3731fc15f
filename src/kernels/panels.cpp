#include "kernels/panels.h"

#include <algorithm>
#include <iterator>

// Fused multiply-adds where the instruction set has them: each element is still one chain in
// ascending k.
#pragma GCC optimize("fp-contract=fast")

namespace taugrad::kernels {
namespace {

constexpr std::int64_t kDepth = 512;  // rows of a panel that stay in the first-level cache

/// C (+)= A P for kRows rows of A and one panel P; kBytes: of a vector register, kColumns:
/// registers a row.
template <class S, int kBytes, int kRows, int kColumns>
[[gnu::always_inline]] inline void tile(std::int64_t k, const S* a, std::int64_t lda,
                                        const S* panel, S* c, std::int64_t ldc, bool accumulate) {
  typedef S Vector __attribute__((vector_size(kBytes)));
  typedef S Unaligned __attribute__((vector_size(kBytes), aligned(alignof(S)), may_alias));
  constexpr std::int64_t kLanes = kBytes / static_cast<std::int64_t>(sizeof(S));
  Vector sum[kRows][kColumns];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < kColumns; ++j)
      sum[i][j] =
          accumulate ? *reinterpret_cast<const Unaligned*>(c + i * ldc + j * kLanes) : Vector{};
  for (std::int64_t p = 0; p < k; ++p, panel += Panels<S>::kWidth) {
    Vector b[kColumns];
#pragma GCC unroll 8
    for (int j = 0; j < kColumns; ++j)
      b[j] = *reinterpret_cast<const Unaligned*>(panel + j * kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const S x = a[i * lda + p];
#pragma GCC unroll 8
      for (int j = 0; j < kColumns; ++j) sum[i][j] += x * b[j];
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < kColumns; ++j)
      *reinterpret_cast<Unaligned*>(c + i * ldc + j * kLanes) = sum[i][j];
}

template <class S>
struct Block {  // kDepth rows at most of one panel, and the rows of A and C that meet it
  std::int64_t m, k;
  const S* a;
  std::int64_t lda;
  const S* panel;
  S* c;
  std::int64_t ldc;
  bool accumulate;
};

/// The full width of a panel, kColumns registers at a time, for kRows rows from row `i` on.
template <class S, int kBytes, int kRows, int kColumns>
[[gnu::always_inline]] inline void strip(const Block<S>& x, std::int64_t i) {
  constexpr std::int64_t kStep = kColumns * kBytes / static_cast<std::int64_t>(sizeof(S));
  for (std::int64_t j = 0; j < Panels<S>::kWidth; j += kStep)
    tile<S, kBytes, kRows, kColumns>(x.k, x.a + i * x.lda, x.lda, x.panel + j, x.c + i * x.ldc + j,
                                     x.ldc, x.accumulate);
}

template <class S, int kBytes, int kRows, int kColumns>
[[gnu::always_inline]] inline void block(const Block<S>& x) {
  std::int64_t i = 0;
  for (; i + kRows <= x.m; i += kRows) strip<S, kBytes, kRows, kColumns>(x, i);
  if constexpr (kRows > 4)
    for (; i + 4 <= x.m; i += 4) strip<S, kBytes, 4, kColumns>(x, i);
  if constexpr (kRows > 2)
    for (; i + 2 <= x.m; i += 2) strip<S, kBytes, 2, kColumns>(x, i);
  for (; i < x.m; ++i) strip<S, kBytes, 1, 128 / kBytes>(x, i);
}

template <class S>
__attribute__((target("avx512f"))) void block_avx512(const Block<S>& x) {
  block<S, 64, 12, 2>(x);
}
template <class S>
__attribute__((target("avx2,fma"))) void block_avx2(const Block<S>& x) {
  block<S, 32, 6, 2>(x);
}
template <class S>
void block_generic(const Block<S>& x) {
  block<S, 16, 4, 2>(x);
}

template <class S>
void run_block(const Block<S>& x, InstructionSet set) {
  switch (set) {
    case InstructionSet::avx512:
      return block_avx512(x);
    case InstructionSet::avx2:
      return block_avx2(x);
    case InstructionSet::generic:
      return block_generic(x);
  }
}

/// The last panel, where it is not full: through a full-width copy of a few rows of C.
template <class S>
void run_edge(const Block<S>& x, std::int64_t columns, InstructionSet set) {
  constexpr std::int64_t kRows = 12;
  alignas(64) S full[kRows * Panels<S>::kWidth];
  const std::int64_t m = x.m;
  for (std::int64_t i = 0; i < m; i += kRows) {
    Block<S> part = x;
    part.m = std::min(kRows, m - i);
    part.a = x.a + i * x.lda;
    part.c = full;
    part.ldc = Panels<S>::kWidth;
    if (x.accumulate) {
      std::fill(std::begin(full), std::end(full), S(0));
      for (std::int64_t r = 0; r < part.m; ++r)
        std::copy_n(x.c + (i + r) * x.ldc, columns, full + r * part.ldc);
    }
    run_block(part, set);
    for (std::int64_t r = 0; r < part.m; ++r)
      std::copy_n(full + r * part.ldc, columns, x.c + (i + r) * x.ldc);
  }
}

}  // namespace

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

template <class S>
void multiply_rows(std::int64_t m, const S* a, std::int64_t lda, const Panels<S>& b,
                   bool accumulate, S* c, std::int64_t ldc, InstructionSet set) {
  constexpr std::int64_t kWidth = Panels<S>::kWidth;
  for (std::int64_t from = 0; from < b.columns(); from += kWidth) {
    const std::int64_t columns = std::min(kWidth, b.columns() - from);
    // A sum of no terms is zero (or what C held): one round even for K = 0.
    for (std::int64_t p = 0; p == 0 || p < b.rows(); p += kDepth) {
      const Block<S> x{m,
                       std::min(kDepth, b.rows() - p),
                       a + p,
                       lda,
                       b.panel(from / kWidth) + p * kWidth,
                       c + from,
                       ldc,
                       accumulate || p > 0};
      if (columns == kWidth)
        run_block(x, set);
      else
        run_edge(x, columns, set);
    }
  }
}

InstructionSet best_instruction_set() {
  static const InstructionSet best = [] {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) return InstructionSet::avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
      return InstructionSet::avx2;
    return InstructionSet::generic;
  }();
  return best;
}

template class Panels<float>;
template class Panels<double>;
template void multiply_rows(std::int64_t, const float*, std::int64_t, const Panels<float>&, bool,
                            float*, std::int64_t, InstructionSet);
template void multiply_rows(std::int64_t, const double*, std::int64_t, const Panels<double>&, bool,
                            double*, std::int64_t, InstructionSet);

}  // namespace taugrad::kernels
