#pragma once

#include <array>
#include <cstdint>

#include "kernels/panels.h"

namespace taugrad::kernels {

/// Rows of C that a tile holds in registers, at most.
constexpr int kTileRows = 14;

/// Where the sums of a tile begin and end.
enum class Chain {
  write,   // from zero, written to C
  resume,  // from C, written to C
  add      // from zero, added to C
};

/// C[i] (+)= sum over p < k of A[i][p] B[p] for a few rows i and the columns of one panel or more,
/// each sum one chain of multiply-adds in ascending p.
template <class S>
struct Tile {
  std::int64_t k;
  const S* a;
  std::int64_t lda;     // A[i][p] = a[i * lda + p]; a sliced A has a[p * rows + i] instead
  const S* b;           // [k][kWidth]
  std::int64_t b_step;  // from one panel to the next
  S* c;
  std::int64_t ldc;
  Chain chain;
};

/// The tiles of an instruction set, by number of rows - 1.
template <class S>
struct Tiles {
  using Kernel = void (*)(const Tile<S>&);
  int rows;  // the most rows of one tile
  std::array<Kernel, kTileRows> strided, sliced;
};

template <class S>
const Tiles<S>& tiles(InstructionSet set);

/// Runs a tile of `rows` rows of which only the first `columns` columns are C's: through a copy.
template <class S>
void run_edge(typename Tiles<S>::Kernel kernel, Tile<S> tile, int rows, std::int64_t columns);

}  // namespace taugrad::kernels
