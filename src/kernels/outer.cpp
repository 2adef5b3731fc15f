#include "kernels/outer.h"

#include <algorithm>

#include "kernels/panels_tiles.h"

namespace taugrad::kernels {
namespace {

constexpr std::int64_t kBlock = 256;  // rows of one chain: part of what the bits are

/// The rows [from, from + rows) of all segments, columns [column, column + width) of D or X, one
/// after another with `step` elements a row, zeros beyond `width`.
template <class S>
void pack(std::span<const Segment<S>> segments, std::int64_t from, std::int64_t rows, bool of_x,
          std::int64_t column, std::int64_t width, std::int64_t step, S* out) {
  for (const Segment<S>& s : segments) {
    const std::int64_t begin = std::min(from, s.rows), end = std::min(s.rows, begin + rows);
    for (std::int64_t r = begin; r < end; ++r, out += step) {
      std::copy_n((of_x ? s.x + r * s.ldx : s.d + r * s.ldd) + column, width, out);
      std::fill(out + width, out + step, S(0));
    }
    from -= begin;
    rows -= end - begin;
  }
}

}  // namespace

template <class S>
S* OuterScratch<S>::fit(std::int64_t elements) {
  const std::size_t line = 64 / sizeof(S), size = static_cast<std::size_t>(elements) + line;
  if (storage_.size() < size) storage_.resize(size);
  const auto address = reinterpret_cast<std::uintptr_t>(storage_.data());
  return reinterpret_cast<S*>((address + 63) / 64 * 64);
}

template <class S>
void outer_rows(std::span<const Segment<S>> segments, std::int64_t m, std::int64_t n,
                std::int64_t first_panel, std::int64_t last_panel, bool accumulate, S* c,
                std::int64_t ldc, OuterScratch<S>& scratch, InstructionSet set) {
  constexpr std::int64_t kWidth = Panels<S>::kWidth;
  const Tiles<S>& kernels = tiles<S>(set);
  std::int64_t total = 0;
  for (const Segment<S>& s : segments) total += s.rows;
  if (total == 0 && accumulate) return;
  S* const x = scratch.fit(kBlock * (kWidth + kTileRows));
  S* const d = x + kBlock * kWidth;
  const std::int64_t groups = (m + kernels.rows - 1) / kernels.rows;
  for (std::int64_t from = 0; from == 0 || from < total; from += kBlock) {
    const std::int64_t rows = std::min(kBlock, total - from);
    for (std::int64_t number = first_panel; number < last_panel; ++number) {
      const std::int64_t columns = std::min(kWidth, n - number * kWidth);
      pack(segments, from, rows, true, number * kWidth, columns, kWidth, x);
      for (std::int64_t g = 0; g < groups; ++g) {
        const std::int64_t i = m * g / groups, height = m * (g + 1) / groups - i;
        pack(segments, from, rows, false, i, height, height, d);
        const Tile<S> tile{rows, d,
                           0,    x,
                           0,    c + i * ldc + number * kWidth,
                           ldc,  accumulate || from > 0 ? Chain::add : Chain::write};
        const auto kernel = kernels.sliced[static_cast<std::size_t>(height - 1)];
        if (columns == kWidth)
          kernel(tile);
        else
          run_edge<S>(kernel, tile, static_cast<int>(height), columns);
      }
    }
  }
}

template class OuterScratch<float>;
template class OuterScratch<double>;
template void outer_rows(std::span<const Segment<float>>, std::int64_t, std::int64_t, std::int64_t,
                         std::int64_t, bool, float*, std::int64_t, OuterScratch<float>&,
                         InstructionSet);
template void outer_rows(std::span<const Segment<double>>, std::int64_t, std::int64_t, std::int64_t,
                         std::int64_t, bool, double*, std::int64_t, OuterScratch<double>&,
                         InstructionSet);

}  // namespace taugrad::kernels
