#include <algorithm>

#include "kernels/panels.h"
#include "kernels/panels_tiles.h"

namespace taugrad::kernels {
namespace {

constexpr std::int64_t kDepth = 512;  // rows of a panel that a tile passes through at once

template <class S>
void multiply_block(const RowBlock<S>& x, const Panels<S>& b, std::int64_t number, std::int64_t p,
                    bool accumulate, const Tiles<S>& set) {
  constexpr std::int64_t kWidth = Panels<S>::kWidth;
  const std::int64_t k = std::min(kDepth, b.rows() - p), groups = (x.m + set.rows - 1) / set.rows;
  const std::int64_t columns = std::min(kWidth, b.columns() - number * kWidth);
  const Chain chain = accumulate || p > 0 ? Chain::resume : Chain::write;
  for (std::int64_t g = 0; g < groups; ++g) {
    const std::int64_t row = x.m * g / groups, rows = x.m * (g + 1) / groups - row;
    const Tile<S> tile{k,     x.a + row * x.lda + p,
                       x.lda, b.panel(number) + p * kWidth,
                       0,     x.c + row * x.ldc + number * kWidth,
                       x.ldc, chain};
    const auto kernel = set.strided[static_cast<std::size_t>(rows - 1)];
    if (columns == kWidth)
      kernel(tile);
    else
      run_edge<S>(kernel, tile, static_cast<int>(rows), columns);
  }
}

}  // namespace

template <class S>
void multiply_blocks(std::span<const RowBlock<S>> blocks, const Panels<S>& b,
                     std::int64_t first_panel, std::int64_t last_panel, bool accumulate,
                     InstructionSet set) {
  for (std::int64_t number = first_panel; number < last_panel; ++number)
    // A sum of no terms is zero (or what C held): one round even for K = 0.
    for (std::int64_t p = 0; p == 0 || p < b.rows(); p += kDepth)
      for (const RowBlock<S>& block : blocks)
        multiply_block(block, b, number, p, accumulate, tiles<S>(set));
}

template void multiply_blocks(std::span<const RowBlock<float>>, const Panels<float>&, std::int64_t,
                              std::int64_t, bool, InstructionSet);
template void multiply_blocks(std::span<const RowBlock<double>>, const Panels<double>&,
                              std::int64_t, std::int64_t, bool, InstructionSet);

}  // namespace taugrad::kernels
