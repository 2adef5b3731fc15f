#pragma once

#include <array>
#include <cstdint>

#include "kernels/bound_call.h"
#include "kernels/gemm/panels.h"

namespace taugrad::kernels {

/// Rows of C that a tile holds in registers, at most.
constexpr int kTileRows = 12;

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
  std::int64_t lda;  // A[i][p] = a[i * lda + p], or a[p * lda + i] for a transposed tile
  const S* b;        // [k][kWidth], rows b_row apart
  std::int64_t b_row;
  std::int64_t b_step;  // from one panel to the next
  S* const* c;          // row i of C is c[i] + column
  std::int64_t column;
  Chain chain;
  const S* ahead;  // with each row of B a cache line is fetched from here on, so far apart
  std::int64_t ahead_step;
};

/// The tiles of an instruction set, by number of rows - 1.
template <class S>
struct Tiles {
  using Kernel = void (*)(const Tile<S>&);
  using Kernels = std::array<Kernel, kTileRows>;
  int rows;  // the most rows of one tile
  Kernels straight, transposed;
  Kernels narrow_straight, narrow_transposed;  // the first half of a panel's columns alone
  // Several panels at once, straight: few rows alone are too few chains to hide the latency of a
  // multiply-add. By number of rows - 1; 2 and 4 panels; null where one panel has chains enough.
  std::array<std::array<Kernel, 2>, 3> wide;
};

/// One row and the columns of some panels. `tile.c` points to `c` once the call stays where it is.
template <class S>
struct RowCall : BoundCall {
  typename Tiles<S>::Kernel kernel;  ///< null: run_tile of so many columns
  std::int64_t columns;
  Tile<S> tile;
  S* c;
  bool far;  ///< the first-level cache does not hold the matrix
};

template <class S>
const Tiles<S>& tiles(InstructionSet set);

/// Runs a tile of `rows` rows and one panel, of whose columns the first `columns` are C's (more
/// than kWidth: all).
template <class S>
void run_tile(const Tiles<S>& set, bool transposed, const Tile<S>& tile, std::int64_t rows,
              std::int64_t columns);

}  // namespace taugrad::kernels
