#include "kernels/panels_tiles.h"

#include <algorithm>
#include <utility>

// Fused multiply-adds where the instruction set has them: each element is still one chain in
// ascending k.
#pragma GCC optimize("fp-contract=fast")

namespace taugrad::kernels {
namespace {

/// kRows rows in kColumns registers of kBytes each.
template <class S, int kBytes, int kRows, int kColumns, bool kSliced>
[[gnu::always_inline]] inline void strip(const Tile<S>& x, std::int64_t from) {
  typedef S Vector __attribute__((vector_size(kBytes)));
  typedef S Unaligned __attribute__((vector_size(kBytes), aligned(alignof(S)), may_alias));
  constexpr std::int64_t kLanes = kBytes / static_cast<std::int64_t>(sizeof(S));
  const std::int64_t lda = x.lda;
  const S* a = x.a;
  const S* b = x.b + from;
  S* c = x.c + from;
  Vector sum[kRows][kColumns];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < kColumns; ++j)
      sum[i][j] = x.chain == Chain::resume
                      ? *reinterpret_cast<const Unaligned*>(c + i * x.ldc + j * kLanes)
                      : Vector{};
  for (std::int64_t p = 0; p < x.k; ++p, b += Panels<S>::kWidth) {
    Vector row[kColumns];
#pragma GCC unroll 8
    for (int j = 0; j < kColumns; ++j) row[j] = *reinterpret_cast<const Unaligned*>(b + j * kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const S value = kSliced ? a[p * kRows + i] : a[i * lda + p];
#pragma GCC unroll 8
      for (int j = 0; j < kColumns; ++j) sum[i][j] += value * row[j];
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < kColumns; ++j) {
      Unaligned& to = *reinterpret_cast<Unaligned*>(c + i * x.ldc + j * kLanes);
      to = x.chain == Chain::add ? to + sum[i][j] : sum[i][j];
    }
}

/// The width of a panel, kColumns registers at a time.
template <class S, int kBytes, int kRows, int kColumns, bool kSliced>
[[gnu::always_inline]] inline void panel(const Tile<S>& x) {
  constexpr std::int64_t kStep = kColumns * kBytes / static_cast<std::int64_t>(sizeof(S));
  for (std::int64_t from = 0; from < Panels<S>::kWidth; from += kStep)
    strip<S, kBytes, kRows, kColumns, kSliced>(x, from);
}

struct Avx512 {
  static constexpr int kRows = 14;
  template <class S, int kRows, bool kSliced>
  __attribute__((target("avx512f"))) static void run(const Tile<S>& x) {
    panel<S, 64, kRows, 2, kSliced>(x);
  }
};
struct Avx2 {
  static constexpr int kRows = 6;
  template <class S, int kRows, bool kSliced>
  __attribute__((target("avx2,fma"))) static void run(const Tile<S>& x) {
    panel<S, 32, kRows, kRows <= 3 ? 4 : 2, kSliced>(x);
  }
};
struct Generic {
  static constexpr int kRows = 4;
  template <class S, int kRows, bool kSliced>
  static void run(const Tile<S>& x) {
    panel<S, 16, kRows, kRows == 1 ? 8 : 2, kSliced>(x);
  }
};

template <class S, class Set, int... kRow>
constexpr Tiles<S> table(std::integer_sequence<int, kRow...>) {
  return {Set::kRows,
          {&Set::template run<S, kRow + 1, false>...},
          {&Set::template run<S, kRow + 1, true>...}};
}
template <class S, class Set>
constexpr Tiles<S> kTiles = table<S, Set>(std::make_integer_sequence<int, Set::kRows>{});

}  // namespace

template <class S>
const Tiles<S>& tiles(InstructionSet set) {
  switch (set) {
    case InstructionSet::avx512:
      return kTiles<S, Avx512>;
    case InstructionSet::avx2:
      return kTiles<S, Avx2>;
    case InstructionSet::generic:
      break;
  }
  return kTiles<S, Generic>;
}

template <class S>
void run_edge(typename Tiles<S>::Kernel kernel, Tile<S> tile, int rows, std::int64_t columns) {
  constexpr std::int64_t kWidth = Panels<S>::kWidth;
  alignas(64) S full[kTileRows * kWidth];
  S* const c = tile.c;
  const std::int64_t ldc = tile.ldc;
  if (tile.chain != Chain::write) {
    std::fill_n(full, rows * kWidth, S(0));
    for (int i = 0; i < rows; ++i) std::copy_n(c + i * ldc, columns, full + i * kWidth);
  }
  tile.c = full;
  tile.ldc = kWidth;
  kernel(tile);
  for (int i = 0; i < rows; ++i) std::copy_n(full + i * kWidth, columns, c + i * ldc);
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

template const Tiles<float>& tiles(InstructionSet);
template const Tiles<double>& tiles(InstructionSet);
template void run_edge<float>(Tiles<float>::Kernel, Tile<float>, int, std::int64_t);
template void run_edge<double>(Tiles<double>::Kernel, Tile<double>, int, std::int64_t);

}  // namespace taugrad::kernels
