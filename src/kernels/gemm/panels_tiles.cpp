#include "kernels/gemm/panels_tiles.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace taugrad::kernels {
namespace {

struct Form {
  bool transposed = false, narrow = false;
  bool pairs = false;  ///< a float stands for two numbers of bfloat16
};

/// sum += a * b, fused where the registers are wider than 16 bytes. G++ is given the instruction:
/// left to its optimizer, one tile would be fused and another not.
template <class S, int kBytes, bool kPairs, class Vector>
[[gnu::always_inline]] inline void multiply_add(Vector& sum, const Vector& a, const Vector& b) {
#ifdef __clang__
#pragma clang fp contract(on)
  sum = a * b + sum;
#else
  if constexpr (kPairs)
    asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  else if constexpr (kBytes == 16)
    sum += a * b;
  else if constexpr (sizeof(S) == 4)
    asm("vfmadd231ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  else
    asm("vfmadd231pd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
#endif
}

/// Keeps x in its register: g++ would read it from memory again for each use, and tiles of few rows
/// would wait for their loads.
template <class Vector>
[[gnu::always_inline]] inline void keep([[maybe_unused]] Vector& x) {
#ifndef __clang__
  asm("" : "+v"(x));
#endif
}

/// The sums of kRows rows in kPanels x kColumns registers of kBytes each, columns from `from` on:
/// fused multiply-adds where the registers are wider than 16 bytes.
template <class S, int kBytes, int kRows, int kPanels, int kColumns, Form kForm>
[[gnu::always_inline]] inline void strip(const Tile<S>& x, std::int64_t from) {
  typedef S Vector __attribute__((vector_size(kBytes)));
  constexpr std::int64_t kLanes = kBytes / static_cast<std::int64_t>(sizeof(S));
  constexpr int kVectors = kPanels * kColumns;
  // copies: the compiler cannot know that what is written to C is none of x
  S* const* const c = x.c;
  const std::int64_t column = x.column + from, lda = x.lda, b_row = x.b_row, b_step = x.b_step,
                     k = x.k, ahead_step = x.ahead_step;
  const Chain chain = x.chain;
  const S *a = x.a, *b = x.b + from, *ahead = x.ahead;
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
    for (int j = 0; j < kVectors; ++j) {
      std::memcpy(&row[j], b + j / kColumns * b_step + j % kColumns * kLanes, kBytes);
      if constexpr (kRows <= 4) keep(row[j]);
    }
    if constexpr (kForm.transposed || kRows > 3) {
      __builtin_prefetch(ahead, 0, 2);
      ahead += ahead_step;
    }
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      Vector value;
      if constexpr (kForm.pairs) {  // bit for bit: what is spread is no number
        typedef std::int32_t Cells __attribute__((vector_size(kBytes)));
        std::int32_t cell;
        std::memcpy(&cell, kForm.transposed ? a + i : base[i / 3] + i % 3 * lda, sizeof(cell));
        value = reinterpret_cast<Vector>(cell - Cells{});
      } else {
        value = (kForm.transposed ? a[i] : base[i / 3][i % 3 * lda]) - Vector{};
      }
#pragma GCC unroll 8
      for (int j = 0; j < kVectors; ++j)
        multiply_add<S, kBytes, kForm.pairs>(sum[i][j], value, row[j]);
    }
    if constexpr (kForm.transposed) {
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

/// Half the width of a panel or all of it (of kPanels, if more), kColumns registers at a time.
template <class S, int kBytes, int kRows, int kPanels, int kColumns, Form kForm>
[[gnu::always_inline]] inline void panel(const Tile<S>& x) {
  constexpr std::int64_t kLanes = kBytes / static_cast<std::int64_t>(sizeof(S));
  constexpr std::int64_t kWidth = kForm.narrow ? Panels<S>::kWidth / 2 : Panels<S>::kWidth;
  constexpr int kStep = std::min(kColumns, static_cast<int>(kWidth / kLanes));
  for (std::int64_t from = 0; from < kWidth; from += kStep * kLanes)
    strip<S, kBytes, kRows, kPanels, kStep, kForm>(x, from);
}

struct Avx512 {
  static constexpr int kRows = 12;
  static constexpr int kWide[3] = {4, 2, 2};  // panels at once for 1, 2 and 3 rows
  template <class S, int kRows, int kPanels, Form kForm>
  __attribute__((target("avx512f"))) static void run(const Tile<S>& x) {
    panel<S, 64, kRows, kPanels, 2, kForm>(x);
  }
};
/// Twice the terms in each instruction: pairs of numbers of bfloat16.
struct Avx512Pairs {
  [[maybe_unused]] static constexpr int kRows = 12;  // clang has no such kernel
  [[maybe_unused]] static constexpr int kWide[3] = {4, 2, 2};
  template <class S, int kRows, int kPanels, Form kForm>
  __attribute__((target("avx512f,avx512bf16"))) static void run(const Tile<S>& x) {
    panel<S, 64, kRows, kPanels, 2, Form{kForm.transposed, kForm.narrow, true}>(x);
  }
};
struct Avx2 {
  static constexpr int kRows = 6;
  static constexpr int kWide[3] = {2, 1, 1};
  template <class S, int kRows, int kPanels, Form kForm>
  __attribute__((target("avx2,fma"))) static void run(const Tile<S>& x) {
    panel<S, 32, kRows, kPanels, kRows <= 3 ? 4 : 2, kForm>(x);
  }
};
struct Generic {
  static constexpr int kRows = 4;
  static constexpr int kWide[3] = {1, 1, 1};
  template <class S, int kRows, int kPanels, Form kForm>
  static void run(const Tile<S>& x) {
    panel<S, 16, kRows, kPanels, kRows == 1 ? 8 : 2, kForm>(x);
  }
};

template <class S, class Set, int kRows, int kPanels>
constexpr typename Tiles<S>::Kernel wide() {
  if constexpr (kPanels <= Set::kWide[kRows - 1])
    return &Set::template run<S, kRows, kPanels, Form{}>;
  else
    return nullptr;
}

template <class S, class Set, int... kRow>
constexpr Tiles<S> table(std::integer_sequence<int, kRow...>) {
  return {Set::kRows,
          {&Set::template run<S, kRow + 1, 1, Form{}>...},
          {&Set::template run<S, kRow + 1, 1, Form{.transposed = true}>...},
          {&Set::template run<S, kRow + 1, 1, Form{.narrow = true}>...},
          {&Set::template run<S, kRow + 1, 1, Form{.transposed = true, .narrow = true}>...},
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
#if defined(__x86_64__) && !defined(__clang__)
    case InstructionSet::avx512_pairs:
      if constexpr (sizeof(S) == 4) return kTiles<S, Avx512Pairs>;
      [[fallthrough]];
#else
    case InstructionSet::avx512_pairs:
#endif
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
void run_tile(const Tiles<S>& set, bool transposed, const Tile<S>& tile, std::int64_t rows,
              std::int64_t columns) {
  constexpr std::int64_t kWidth = Panels<S>::kWidth;
  const std::size_t number = static_cast<std::size_t>(rows - 1);
  if (columns >= kWidth) return (transposed ? set.transposed : set.straight)[number](tile);
  alignas(64) S full[kTileRows * kWidth];  // through a copy: a tile writes all of its columns
  S* copy[kTileRows];
  for (std::int64_t i = 0; i < rows; ++i) copy[i] = full + i * kWidth;
  if (tile.chain != Chain::write) {
    std::fill_n(full, rows * kWidth, S(0));
    for (std::int64_t i = 0; i < rows; ++i) std::copy_n(tile.c[i] + tile.column, columns, copy[i]);
  }
  Tile<S> whole = tile;
  whole.c = copy;
  whole.column = 0;
  if (columns > kWidth / 2)
    (transposed ? set.transposed : set.straight)[number](whole);
  else
    (transposed ? set.narrow_transposed : set.narrow_straight)[number](whole);
  for (std::int64_t i = 0; i < rows; ++i) std::copy_n(copy[i], columns, tile.c[i] + tile.column);
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
template void run_tile(const Tiles<float>&, bool, const Tile<float>&, std::int64_t, std::int64_t);
template void run_tile(const Tiles<double>&, bool, const Tile<double>&, std::int64_t, std::int64_t);

}  // namespace taugrad::kernels
