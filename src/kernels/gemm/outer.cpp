#include "kernels/gemm/outer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "kernels/gemm/ahead.h"
#include "kernels/gemm/pairs.h"
#include "kernels/gemm/panels_tiles.h"

// Loops, outermost first: blocks of rows; stretches of D's columns, packed into slices of a tile's
// rows that stay in the second-level cache; panels of X, packed one at a time; tiles.
namespace taugrad::kernels {
namespace {

constexpr std::int64_t kBlock = 256;         // rows of one chain: part of what the bits are
constexpr std::int64_t kStretch = 64;        // slices of D packed at once
constexpr std::int64_t kCloseBytes = 16384;  // half of a first-level cache

/// One operand's rows of a block.
template <class S>
struct Rows {
  std::int64_t count = 0;
  const S* row[kBlock];

  void add(const S* first, std::int64_t stride, std::int64_t rows) {
    for (; rows > 0; --rows, first += stride) row[count++] = first;
  }
  /// The stride of rows that lie so close together that they are best read where they are; else 0.
  std::int64_t close_stride() const {
    if (count < 2) return 0;
    const auto at = [this](std::int64_t i) { return reinterpret_cast<std::intptr_t>(row[i]); };
    const std::intptr_t step = at(1) - at(0);
    if (step <= 0 || step * count > kCloseBytes) return 0;
    for (std::int64_t i = 2; i < count; ++i)
      if (at(i) - at(i - 1) != step) return 0;
    return step / static_cast<std::int64_t>(sizeof(S));
  }
};

template <class S>
struct Block {
  Rows<S> d, x;

  /// Takes the rows that come next, at most `most` of them: `segments` begins with the segment that
  /// holds them, of which `begin` rows have been taken.
  void take(std::span<const Segment<S>>& segments, std::int64_t& begin, std::int64_t most) {
    d.count = x.count = 0;
    while (!segments.empty() && d.count < most) {
      const Segment<S>& s = segments.front();
      const std::int64_t rows = std::min(s.rows - begin, most - d.count);
      d.add(s.d + begin * s.ldd, s.ldd, rows);
      x.add(s.x + begin * s.ldx, s.ldx, rows);
      begin += rows;
      if (begin < s.rows) return;
      segments = segments.subspan(1);
      begin = 0;
    }
  }
};

/// A panel of X or slices of D, packed or where they were.
template <class S>
struct Operand {
  const S* data;
  std::int64_t stride;  // from row to row; 0: packed slices, whose width it is
  std::int64_t step;    // from slice to slice
};

/// Rows that come next, two by two, as pairs in storage of their own.
template <class S>
struct PairedBlock {
  Block<S> block;
  std::int64_t m, n, first_column, last_column;  ///< of X those columns
  S *d, *x;                                      ///< for kBlock / 2 rows each

  /// At most `most` pairs; those of a segment begin with its first row.
  void take(std::span<const Segment<S>>& segments, std::int64_t& begin, std::int64_t most) {
    block.d.count = block.x.count = 0;
    while (!segments.empty() && block.d.count < most) {
      const Segment<S>& s = segments.front();
      for (; begin < s.rows && block.d.count < most; begin += 2) add(s, begin, begin + 1 < s.rows);
      if (begin < s.rows) return;
      segments = segments.subspan(1);
      begin = 0;
    }
  }

 private:
  void add(const Segment<S>& s, std::int64_t row, bool two) {
    if constexpr (sizeof(S) == 4) {
      S* const to_d = d + block.d.count * m;
      S* const to_x = x + block.x.count * n;
      const S* const of_d = s.d + row * s.ldd;
      const S* const of_x = s.x + row * s.ldx + first_column;
      pair_up(of_d, two ? of_d + s.ldd : nullptr, m, to_d);
      pair_up(of_x, two ? of_x + s.ldx : nullptr, last_column - first_column, to_x + first_column);
      block.d.add(to_d, m, 1);
      block.x.add(to_x, n, 1);
    }
  }
};

/// Copies `columns` columns of all rows to slices [rows][kWidth], `step` elements apart, of which
/// the last one may be narrower.
template <class S, int kWidth>
void copy_slices(const Rows<S>& rows, std::int64_t column, std::int64_t columns, std::int64_t step,
                 S* out) {
  const std::int64_t full = columns / kWidth, rest = columns % kWidth;
  S* last = out + full * step;
  for (std::int64_t r = 0; r < rows.count; ++r, out += kWidth, last += rest) {
    const S* row = rows.row[r] + column;
    for (std::int64_t i = 0; i < full; ++i, row += kWidth)
      std::memcpy(out + i * step, row, kWidth * sizeof(S));
    for (std::int64_t j = 0; j < rest; ++j) last[j] = row[j];
  }
}

/// By the width of the slices - 1: a copy of known length is fast.
template <class S, int... kSmaller>
auto copies_of_slices(std::integer_sequence<int, kSmaller...>) {
  using Copy = void (*)(const Rows<S>&, std::int64_t, std::int64_t, std::int64_t, S*);
  return std::array<Copy, sizeof...(kSmaller)>{&copy_slices<S, kSmaller + 1>...};
}

/// Copies columns of X to a panel, zeros beyond the last.
template <class S>
void copy_panel(const Rows<S>& rows, std::int64_t column, std::int64_t columns, S* out) {
  constexpr std::int64_t kWidth = Panels<S>::kWidth;
  for (std::int64_t r = 0; r < rows.count; ++r, out += kWidth)
    if (columns >= kWidth) {
      std::memcpy(out, rows.row[r] + column, kWidth * sizeof(S));
    } else {
      std::copy_n(rows.row[r] + column, columns, out);
      std::fill(out + columns, out + kWidth, S(0));
    }
}

/// The sum of a block: C and what of it is asked for.
template <class S>
class BlockSum {
 public:
  BlockSum(const Tiles<S>& set, std::int64_t m, std::int64_t n, S* c, std::int64_t ldc)
      : set_(set), m_(m), n_(n), c_(c), ldc_(ldc) {
    const std::int64_t slices = (m + set.rows - 1) / set.rows;
    width_ = (m + slices - 1) / slices;
  }

  /// Meanwhile memory of the next block is fetched, tile by tile.
  void run(const Block<S>& block, std::int64_t first_panel, std::int64_t last_panel, Chain chain,
           OuterScratch<S>& scratch, Ahead<S> ahead) const {
    constexpr std::int64_t kWidth = Panels<S>::kWidth;
    const std::int64_t rows = block.d.count, d_stride = block.d.close_stride(),
                       x_stride = block.x.close_stride(), stretch = kStretch * width_;
    // a cache line between slices: a row of D goes to as many sets of the cache as there are slices
    const std::int64_t step = rows * width_ + 64 / static_cast<std::int64_t>(sizeof(S));
    S* const x = scratch.fit(rows * kWidth + kStretch * step);
    S* const d = x + rows * kWidth;
    for (std::int64_t i = 0; i < m_; i += stretch) {
      const std::int64_t end = std::min(m_, i + stretch);
      Operand<S> of_d{d, 0, step};
      if (d_stride > 0)
        of_d = {block.d.row[0] + i, d_stride, width_};
      else
        copy_d(block.d, i, end - i, step, d);
      for (std::int64_t number = first_panel; number < last_panel; ++number) {
        const std::int64_t column = number * kWidth;
        Operand<S> of_x{x, kWidth, 0};
        if (x_stride > 0 && column + kWidth <= n_)
          of_x = {block.x.row[0] + column, x_stride, 0};
        else
          copy_panel(block.x, column, n_ - column, x);
        panel(block.x, of_d, of_x, i, end, column, number + 1 < last_panel, chain, ahead);
      }
    }
  }

 private:
  void copy_d(const Rows<S>& rows, std::int64_t column, std::int64_t columns, std::int64_t step,
              S* out) const {
    static const auto copies = copies_of_slices<S>(std::make_integer_sequence<int, kTileRows>{});
    copies[static_cast<std::size_t>(width_ - 1)](rows, column, columns, step, out);
  }

  /// Rows [i, end) of one panel of C. Meanwhile the next panel of X is fetched, where there is one.
  void panel(const Rows<S>& rows, const Operand<S>& d, const Operand<S>& x, std::int64_t i,
             std::int64_t end, std::int64_t column, bool more, Chain chain, Ahead<S>& ahead) const {
    constexpr std::int64_t kWidth = Panels<S>::kWidth;
    const std::int64_t slices = (end - i + width_ - 1) / width_;
    for (std::int64_t slice = 0; slice < slices; ++slice, i += width_) {
      for (std::int64_t r = slice * rows.count / slices;
           more && r < (slice + 1) * rows.count / slices; ++r) {
        __builtin_prefetch(rows.row[r] + column + kWidth, 0, 2);
        __builtin_prefetch(rows.row[r] + column + kWidth + kWidth / 2, 0, 2);
      }
      const std::int64_t height = std::min(width_, end - i);
      S* c[kTileRows];
      for (std::int64_t r = 0; r < height; ++r) {
        c[r] = c_ + (i + r) * ldc_;
        __builtin_prefetch(c[r] + column, 1, 3);
        __builtin_prefetch(c[r] + column + kWidth / 2, 1, 3);
      }
      Tile<S> tile{rows.count,
                   d.data + slice * d.step,
                   d.stride > 0 ? d.stride : height,
                   x.data,
                   x.stride,
                   0,
                   c,
                   column,
                   chain,
                   x.data,
                   0};
      ahead.take(tile);
      run_tile(set_, true, tile, height, n_ - column);
    }
  }

  const Tiles<S>& set_;
  std::int64_t m_, n_;
  S* c_;
  std::int64_t ldc_, width_;
};

/// C (+)= the block, in the columns of the panels.
template <class S>
void flush(const S* block, std::int64_t m, std::int64_t n, std::int64_t first_panel,
           std::int64_t last_panel, bool add, S* c, std::int64_t ldc) {
  const std::int64_t from = first_panel * Panels<S>::kWidth;
  const std::int64_t to = std::min(n, last_panel * Panels<S>::kWidth);
  for (std::int64_t i = 0; i < m; ++i, c += ldc, block += ldc)
    for (std::int64_t j = from; j < to; ++j) c[j] = add ? c[j] + block[j] : block[j];
}

}  // namespace

template <class S>
S* OuterScratch<S>::fit(std::int64_t elements) {
  return fit(elements, storage_);
}
template <class S>
S* OuterScratch<S>::fit_pairs(std::int64_t elements) {
  return fit(elements, pairs_);
}
template <class S>
S* OuterScratch<S>::fit(std::int64_t elements, std::vector<S>& storage) {
  const std::size_t size = static_cast<std::size_t>(elements) + 64 / sizeof(S);
  if (storage.size() < size) storage.resize(size);
  const auto address = reinterpret_cast<std::uintptr_t>(storage.data());
  return reinterpret_cast<S*>((address + 63) / 64 * 64);
}

template <class S>
void outer_rows(std::span<const Segment<S>> segments, std::int64_t m, std::int64_t n,
                std::int64_t first_panel, std::int64_t last_panel, bool accumulate, S* c,
                std::int64_t ldc, OuterScratch<S>& scratch, InstructionSet set,
                const Carry<S>& carry) {
  const bool pairs = set == InstructionSet::avx512_pairs;
  const std::int64_t size = pairs ? kBlock / 2 : kBlock;
  std::int64_t total = 0;
  for (const Segment<S>& s : segments) total += places(s.rows, pairs);
  std::int64_t open = carry.places_before % size;  // rows of the block at hand so far
  bool add = accumulate || carry.places_before >= size;
  if (m == 0 || (total == 0 && (carry.more || (open == 0 && add)))) return;
  const BlockSum<S> to_c(tiles<S>(set), m, n, c, ldc),
      to_block(tiles<S>(set), m, n, carry.block, ldc);
  S* const paired = pairs ? scratch.fit_pairs(size * (m + n)) : nullptr;
  PairedBlock<S> of_pairs{{},
                          m,
                          n,
                          first_panel * Panels<S>::kWidth,
                          std::min(n, last_panel * Panels<S>::kWidth),
                          paired,
                          pairs ? paired + size * m : nullptr};
  const bool far = !pairs && total * (m + n) * static_cast<std::int64_t>(sizeof(S)) > kFarBytes;
  Block<S> blocks[2];  // the one at hand and the next
  std::int64_t begin = 0;
  if (!pairs) blocks[0].take(segments, begin, size - open);
  for (int number = 0; number == 0 || total > 0; ++number) {
    if (pairs) of_pairs.take(segments, begin, size - open);
    const Block<S>& block = pairs ? of_pairs.block : blocks[number % 2];
    Block<S>& next = blocks[(number + 1) % 2];
    if (!pairs) next.take(segments, begin, size);
    total -= block.d.count;
    Ahead<S> ahead;
    if (far)
      ahead = {filled<S>(next.d.row, next.d.count, m), filled<S>(next.x.row, next.x.count, n)};
    const bool complete = open + block.d.count == size || (total == 0 && !carry.more);
    if (open == 0 && complete) {
      to_c.run(block, first_panel, last_panel, add ? Chain::add : Chain::write, scratch, ahead);
    } else {
      const Chain chain = open > 0 ? Chain::resume : Chain::write;
      to_block.run(block, first_panel, last_panel, chain, scratch, ahead);
      if (complete) flush(carry.block, m, n, first_panel, last_panel, add, c, ldc);
    }
    add = add || complete;
    open = 0;
  }
}

template class OuterScratch<float>;
template class OuterScratch<double>;
template void outer_rows(std::span<const Segment<float>>, std::int64_t, std::int64_t, std::int64_t,
                         std::int64_t, bool, float*, std::int64_t, OuterScratch<float>&,
                         InstructionSet, const Carry<float>&);
template void outer_rows(std::span<const Segment<double>>, std::int64_t, std::int64_t, std::int64_t,
                         std::int64_t, bool, double*, std::int64_t, OuterScratch<double>&,
                         InstructionSet, const Carry<double>&);

}  // namespace taugrad::kernels
