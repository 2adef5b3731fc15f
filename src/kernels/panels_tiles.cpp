#include "kernels/panels_tiles.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace taugrad::kernels {
namespace {

/// sum += a * b, fused where the registers are wider than 16 bytes. G++ is given the instruction:
/// left to its optimizer, one tile would be fused and another not.
template <class S, int kBytes, class Vector>
[[gnu::always_inline]] inline void multiply_add(Vector& sum, const Vector& a, const Vector& b) {
#ifdef __clang__
#pragma clang fp contract(on)
  sum = a * b + sum;
#else
  if constexpr (kBytes == 16)
    sum += a * b;
  else if constexpr (sizeof(S) == 4)
    asm("vfmadd231ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  else
    asm("vfmadd231pd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
#endif
}

/// The sums of kRows rows in kPanels x kColumns registers of kBytes each, columns from `from` on:
/// fused multiply-adds where the registers are wider than 16 bytes.
template <class S, int kBytes, int kRows, int kPanels, int kColumns, bool kTransposed>
[[gnu::always_inline]] inline void strip(const Tile<S>& x, std::int64_t from) {
  typedef S Vector __attribute__((vector_size(kBytes)));
  constexpr std::int64_t kLanes = kBytes / static_cast<std::int64_t>(sizeof(S));
  constexpr int kVectors = kPanels * kColumns;
  // copies: the compiler cannot know that what is written to C is none of x
  S* const* const c = x.c;
  const std::int64_t column = x.column + from, lda = x.lda, b_row = x.b_row, b_step = x.b_step,
                     k = x.k, next = x.next;
  const Chain chain = x.chain;
  const S *a = x.a, *b = x.b + from;
  S* to[kRows];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) to[i] = c[i] + column;
  const auto at = [&to](int i, int j) {
    return to[i] + j / kColumns * Panels<S>::kWidth + j % kColumns * kLanes;
  };
  Vector sum[kRows][kVectors];
  if (chain == Chain::resume) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
      for (int j = 0; j < kVectors; ++j) std::memcpy(&sum[i][j], at(i, j), kBytes);
  } else {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
      for (int j = 0; j < kVectors; ++j) sum[i][j] = Vector{};
  }
  // Every third row has a pointer, hidden from the compiler, which would otherwise keep one for
  // each row and spill: the others are reached by scaled indexing.
  const S* base[(kRows + 2) / 3];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; i += 3) base[i / 3] = a + i * lda;
  for (std::int64_t p = 0; p < k; ++p, b += b_row) {
    Vector row[kVectors];
#pragma GCC unroll 8
    for (int j = 0; j < kVectors; ++j)
      std::memcpy(&row[j], b + j / kColumns * b_step + j % kColumns * kLanes, kBytes);
    if constexpr (!kTransposed && kRows > 3) __builtin_prefetch(b + next, 0, 2);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const Vector value = (kTransposed ? a[i] : base[i / 3][i % 3 * lda]) - Vector{};
#pragma GCC unroll 8
      for (int j = 0; j < kVectors; ++j) multiply_add<S, kBytes>(sum[i][j], value, row[j]);
    }
    if constexpr (kTransposed) {
      a += lda;
    } else {
#pragma GCC unroll 8
      for (int i = 0; i < kRows; i += 3) {
        ++base[i / 3];
        asm("" : "+r"(base[i / 3]));
      }
    }
  }
  if (chain == Chain::add) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
      for (int j = 0; j < kVectors; ++j) {
        Vector start;
        std::memcpy(&start, at(i, j), kBytes);
        sum[i][j] += start;
      }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < kVectors; ++j) std::memcpy(at(i, j), &sum[i][j], kBytes);
}

/// The width of a panel (of kPanels, if more), kColumns registers at a time.
template <class S, int kBytes, int kRows, int kPanels, int kColumns, bool kTransposed>
[[gnu::always_inline]] inline void panel(const Tile<S>& x) {
  constexpr std::int64_t kStep = kColumns * kBytes / static_cast<std::int64_t>(sizeof(S));
  for (std::int64_t from = 0; from < Panels<S>::kWidth; from += kStep)
    strip<S, kBytes, kRows, kPanels, kColumns, kTransposed>(x, from);
}

struct Avx512 {
  static constexpr int kRows = 12;
  static constexpr int kWide[3] = {4, 2, 2};  // panels at once for 1, 2 and 3 rows
  template <class S, int kRows, int kPanels, bool kTransposed>
  __attribute__((target("avx512f"))) static void run(const Tile<S>& x) {
    panel<S, 64, kRows, kPanels, 2, kTransposed>(x);
  }
};
struct Avx2 {
  static constexpr int kRows = 6;
  static constexpr int kWide[3] = {2, 1, 1};
  template <class S, int kRows, int kPanels, bool kTransposed>
  __attribute__((target("avx2,fma"))) static void run(const Tile<S>& x) {
    panel<S, 32, kRows, kPanels, kRows <= 3 ? 4 : 2, kTransposed>(x);
  }
};
struct Generic {
  static constexpr int kRows = 4;
  static constexpr int kWide[3] = {1, 1, 1};
  template <class S, int kRows, int kPanels, bool kTransposed>
  static void run(const Tile<S>& x) {
    panel<S, 16, kRows, kPanels, kRows == 1 ? 8 : 2, kTransposed>(x);
  }
};

template <class S, class Set, int kRows, int kPanels>
constexpr typename Tiles<S>::Kernel wide() {
  if constexpr (kPanels <= Set::kWide[kRows - 1])
    return &Set::template run<S, kRows, kPanels, false>;
  else
    return nullptr;
}

template <class S, class Set, int... kRow>
constexpr Tiles<S> table(std::integer_sequence<int, kRow...>) {
  return {Set::kRows,
          {&Set::template run<S, kRow + 1, 1, false>...},
          {&Set::template run<S, kRow + 1, 1, true>...},
          {{{wide<S, Set, 1, 2>(), wide<S, Set, 1, 4>()},
            {wide<S, Set, 2, 2>(), wide<S, Set, 2, 4>()},
            {wide<S, Set, 3, 2>(), wide<S, Set, 3, 4>()}}}};
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
  S* row[kTileRows];
  for (int i = 0; i < rows; ++i) row[i] = full + i * kWidth;
  S* const* const c = tile.c;
  const std::int64_t column = tile.column;
  if (tile.chain != Chain::write) {
    std::fill_n(full, rows * kWidth, S(0));
    for (int i = 0; i < rows; ++i) std::copy_n(c[i] + column, columns, row[i]);
  }
  tile.c = row;
  tile.column = 0;
  kernel(tile);
  for (int i = 0; i < rows; ++i) std::copy_n(row[i], columns, c[i] + column);
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
