#include <algorithm>
#include <memory>
#include <new>
#include <numeric>

#include "kernels/gemm/ahead.h"
#include "kernels/gemm/pairs.h"
#include "kernels/gemm/panels.h"
#include "kernels/gemm/panels_tiles.h"

// Loops, outermost first: batches of up to kBatch rows, from whatever blocks they come; stretches
// of K of at most kDepth terms; panels; tiles. So the weights are read from afar once a batch, and
// the rows of a batch stay in the second-level cache.
namespace taugrad::kernels {
namespace {

constexpr std::int64_t kBatch = 60;  // rows: 5 full tiles
/// Terms of a chain between its rests in C.
template <class S>
constexpr std::int64_t kDepth = 2048 / static_cast<std::int64_t>(sizeof(S));
/// Weights beyond this are not expected in the first-level cache, where other numbers are too,
constexpr std::int64_t kNearBytes = 24 << 10;
/// nor beyond this in the second-level one.
constexpr std::int64_t kFarWeights = 1 << 20;

template <class S>
struct Batch {
  std::int64_t count = 0;
  const S* a[kBatch];
  S* c[kBatch];
};

/// Walks through the rows of all blocks.
template <class S>
class Cursor {
 public:
  explicit Cursor(std::span<const RowBlock<S>> blocks) : blocks_(blocks) {}

  void take(std::int64_t count, Batch<S>& out) {
    for (out.count = 0; out.count < count;) {
      const RowBlock<S>& x = blocks_[block_];
      if (row_ == x.m) {
        ++block_;
        row_ = 0;
        continue;
      }
      const std::int64_t end = std::min(x.m, row_ + count - out.count);
      for (; row_ < end; ++row_, ++out.count) {
        out.a[out.count] = x.a + row_ * x.lda;
        out.c[out.count] = x.c + row_ * x.ldc;
      }
    }
  }

 private:
  std::span<const RowBlock<S>> blocks_;
  std::size_t block_ = 0;
  std::int64_t row_ = 0;
};

/// Whether the rows are best copied: they are not evenly spaced, or so spaced that they fall into
/// one set of the first-level cache.
template <class S>
bool needs_copy(const Batch<S>& x, std::int64_t lda) {
  constexpr std::int64_t kPeriod = 4096 / static_cast<std::int64_t>(sizeof(S));
  if (x.count > 4 && lda % kPeriod == 0) return true;
  for (std::int64_t i = 1; i < x.count; ++i)
    if (reinterpret_cast<std::uintptr_t>(x.a[i]) !=
        reinterpret_cast<std::uintptr_t>(x.a[i - 1]) + static_cast<std::uintptr_t>(lda) * sizeof(S))
      return true;
  return false;
}

/// What a thread copies rows into: 124 KiB, which its stack need not have.
template <class S, std::int64_t kElements>
class Scratch {
 public:
  static S* of_thread() {
    thread_local const Scratch scratch;
    return scratch.rows_.get();
  }

 private:
  static constexpr std::align_val_t kLine{64};
  struct Free {
    void operator()(S* p) const { ::operator delete[](p, kLine); }
  };
  std::unique_ptr<S[], Free> rows_{static_cast<S*>(::operator new[](kElements * sizeof(S), kLine))};
};

template <class S>
class Product {
 public:
  Product(const Panels<S>& b, std::int64_t first, std::int64_t last, bool accumulate,
          InstructionSet set)
      : b_(b), set_(tiles<S>(set)), first_(first), last_(last), accumulate_(accumulate) {
    full_ = std::min(last, b.columns() / Panels<S>::kWidth);
    far_ = b.depth() * (last - first) * Panels<S>::kPanelBytes > kFarWeights;
  }

  /// Meanwhile the rows of `next` are fetched, if they are given.
  void run(const Batch<S>& x, const Batch<S>* next) {
    ahead_ = {};
    if (next != nullptr)
      ahead_ = {filled<S>(next->a, next->count, b_.rows()),
                filled<S>(next->c, next->count, b_.columns())};
    const std::int64_t lda =
        x.count < 2 ? 0
                    : static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(x.a[1]) -
                                                reinterpret_cast<std::uintptr_t>(x.a[0])) /
                          static_cast<std::int64_t>(sizeof(S));
    if (b_.pairs() || needs_copy(x, lda)) return run_copied(x);
    // A sum of no terms is zero (or what C held): one round even for K = 0.
    for (std::int64_t p = 0; p == 0 || p < b_.depth(); p += kDepth<S>)
      stretch(x, x.a[0] + p, lda, p, std::min(kDepth<S>, b_.depth() - p));
  }

 private:
  void run_copied(const Batch<S>& x) {
    // an odd number of cache lines: rows spread over the sets
    constexpr std::int64_t kStep = kDepth<S> + 64 / static_cast<std::int64_t>(sizeof(S));
    S* const rows = Scratch<S, kBatch * kStep>::of_thread();
    for (std::int64_t p = 0; p == 0 || p < b_.depth(); p += kDepth<S>) {
      const std::int64_t k = std::min(kDepth<S>, b_.depth() - p);
      for (std::int64_t i = 0; i < x.count; ++i) copy_row(x.a[i], p, k, rows + i * kStep);
      stretch(x, rows, kStep, p, k);
    }
  }
  void copy_row(const S* a, std::int64_t p, std::int64_t k, S* out) const {
    if (!b_.pairs()) {
      std::copy_n(a + p, k, out);
    } else if constexpr (sizeof(S) == 4) {
      pair_along(a + 2 * p, std::min(2 * k, b_.rows() - 2 * p), out);
    }
  }

  /// Terms [p, p + k) of all sums.
  void stretch(const Batch<S>& x, const S* a, std::int64_t lda, std::int64_t p, std::int64_t k) {
    std::int64_t number = first_;
    if (x.count <= 3) number = few_rows(x, a, lda, p, k);
    if (number >= last_) return;
    // a division takes as long as a small tile
    const std::int64_t groups = x.count <= set_.rows ? 1 : (x.count + set_.rows - 1) / set_.rows;
    for (; number < last_; ++number)
      for (std::int64_t g = 0, row = 0, end; g < groups; ++g, row = end) {
        end = groups == 1 ? x.count : x.count * (g + 1) / groups;
        Tile<S> tile = at(x, row, a, lda, number, p, k);
        if (far_ && number + 1 < last_) {  // tiles in turn fetch one and the other half
          tile.ahead = tile.b + tile.b_step + g % 2 * Panels<S>::kWidth / 2;
          tile.ahead_step = tile.b_row;
        } else if (!far_) {
          ahead_.take(tile);
        }
        run_tile(set_, false, tile, end - row, b_.columns() - number * Panels<S>::kWidth);
      }
  }

  /// Several panels at once as far as there are; the first panel left to do.
  std::int64_t few_rows(const Batch<S>& x, const S* a, std::int64_t lda, std::int64_t p,
                        std::int64_t k) {
    std::int64_t number = first_;
    for (const std::int64_t panels : {4, 2}) {
      const auto kernel =
          set_.wide[static_cast<std::size_t>(x.count - 1)][static_cast<std::size_t>(panels / 4)];
      for (; kernel && number + panels <= full_; number += panels)
        kernel(at(x, 0, a, lda, number, p, k));
    }
    return number;
  }

  Tile<S> at(const Batch<S>& x, std::int64_t row, const S* a, std::int64_t lda, std::int64_t number,
             std::int64_t p, std::int64_t k) const {
    const S* const b = b_.panel(number) + p * Panels<S>::kWidth;
    return {k,
            a + row * lda,
            lda,
            b,
            Panels<S>::kWidth,
            b_.depth() * Panels<S>::kWidth,
            x.c + row,
            number * Panels<S>::kWidth,
            accumulate_ || p > 0 ? Chain::resume : Chain::write,
            b,
            0};
  }

  const Panels<S>& b_;
  const Tiles<S>& set_;
  std::int64_t first_, last_, full_;  // full_: the first panel that is not
  bool accumulate_, far_;
  Ahead<S> ahead_;
};

}  // namespace

template <class S>
void multiply_blocks(std::span<const RowBlock<S>> blocks, const Panels<S>& b,
                     std::int64_t first_panel, std::int64_t last_panel, bool accumulate,
                     InstructionSet set) {
  std::int64_t rows = 0;
  for (const RowBlock<S>& block : blocks) rows += block.m;
  if (b.pairs()) set = InstructionSet::avx512_pairs;
  const std::int64_t batches = (rows + kBatch - 1) / kBatch;
  Product<S> product(b, first_panel, last_panel, accumulate, set);
  Cursor<S> cursor(blocks);
  Batch<S> batch[2];  // the one at hand and the next
  if (batches == 1) {
    cursor.take(rows, batch[0]);
    return product.run(batch[0], nullptr);
  }
  const bool far =
      rows * (b.rows() + b.columns()) * static_cast<std::int64_t>(sizeof(S)) > kFarBytes;
  const auto take = [&](std::int64_t i) {
    cursor.take(rows * (i + 1) / batches - rows * i / batches, batch[i % 2]);
  };
  if (batches > 0) take(0);
  for (std::int64_t i = 0; i < batches; ++i) {
    const bool more = i + 1 < batches;
    if (more) take(i + 1);
    product.run(batch[i % 2], far && more ? &batch[(i + 1) % 2] : nullptr);
  }
}

namespace {

/// Calls body(kernel, tile, panels, columns) for the tiles of a row of one stretch; without a
/// kernel it is run_tile of so many columns. A tile has `most` panels, 2 or 4.
template <class S, class Body>
void each_tile_of_row(const RowBlock<S>& row, const Panels<S>& b, std::int64_t first,
                      std::int64_t last, bool accumulate, const Tiles<S>& set, int most,
                      const Body& body) {
  constexpr std::int64_t kWidth = Panels<S>::kWidth;
  const S* const begin = b.panel(first);
  Tile<S> tile{b.rows(),
               row.a,
               0,
               begin,
               kWidth,
               b.rows() * kWidth,
               &row.c,
               first * kWidth,
               accumulate ? Chain::resume : Chain::write,
               begin,
               0};
  const auto run = [&](auto kernel, std::int64_t panels) {
    body(kernel, tile, panels * kWidth);
    first += panels;
    tile.b += panels * tile.b_step;
    tile.column += panels * kWidth;
  };
  const std::int64_t whole = std::min(last, b.columns() / kWidth);
  const auto [two, four] = set.wide[0];
  while (most == 4 && four != nullptr && first + 4 <= whole) run(four, 4);
  while (two != nullptr && first + 2 <= whole) run(two, 2);
  while (first < whole) run(set.straight[0], 1);
  if (first < last) body(typename Tiles<S>::Kernel(nullptr), tile, b.columns() - first * kWidth);
}

}  // namespace

// Of sums of one stretch, what Product does without its preparations, which take longer than the
// product of a small matrix.
template <class S>
void multiply_row(const RowBlock<S>& row, const Panels<S>& b, std::int64_t first, std::int64_t last,
                  bool accumulate) {
  if (b.pairs() || b.rows() > kDepth<S>)
    return multiply_blocks<S>({&row, 1}, b, first, last, accumulate);
  static const Tiles<S>& set = tiles<S>(best_instruction_set());
  each_tile_of_row(row, b, first, last, accumulate, set, 4,
                   [&](auto kernel, const Tile<S>& tile, std::int64_t columns) {
                     if (kernel != nullptr)
                       kernel(tile);
                     else
                       run_tile(set, false, tile, 1, columns);
                   });
}

template <class S>
bool add_row_calls(const RowBlock<S>& row, const Panels<S>& b, std::int64_t first,
                   std::int64_t last, bool accumulate, std::vector<RowCall<S>>& calls) {
  if (b.pairs() || b.rows() > kDepth<S>) return false;
  const Tiles<S>& set = tiles<S>(best_instruction_set());
  const bool far = b.elements() * static_cast<std::int64_t>(sizeof(S)) > kNearBytes;
  const auto run_whole = [](const BoundCall& call) {
    const auto& own = static_cast<const RowCall<S>&>(call);
    own.kernel(own.tile);
  };
  const auto run_part = [](const BoundCall& call) {
    static const Tiles<S>& tiles_of_all = tiles<S>(best_instruction_set());
    const auto& own = static_cast<const RowCall<S>&>(call);
    run_tile(tiles_of_all, false, own.tile, 1, own.columns);
  };
  each_tile_of_row(
      row, b, first, last, accumulate, set, far ? 2 : 4,
      [&](typename Tiles<S>::Kernel kernel, const Tile<S>& tile, std::int64_t columns) {
        if (kernel != nullptr)
          calls.push_back({{run_whole}, kernel, columns, tile, row.c, far});
        else
          calls.push_back({{run_part}, nullptr, columns, tile, row.c, far});
      });
  return true;
}

template bool add_row_calls(const RowBlock<float>&, const Panels<float>&, std::int64_t,
                            std::int64_t, bool, std::vector<RowCall<float>>&);
template bool add_row_calls(const RowBlock<double>&, const Panels<double>&, std::int64_t,
                            std::int64_t, bool, std::vector<RowCall<double>>&);
template void multiply_row(const RowBlock<float>&, const Panels<float>&, std::int64_t, std::int64_t,
                           bool);
template void multiply_row(const RowBlock<double>&, const Panels<double>&, std::int64_t,
                           std::int64_t, bool);
template void multiply_blocks(std::span<const RowBlock<float>>, const Panels<float>&, std::int64_t,
                              std::int64_t, bool, InstructionSet);
template void multiply_blocks(std::span<const RowBlock<double>>, const Panels<double>&,
                              std::int64_t, std::int64_t, bool, InstructionSet);

}  // namespace taugrad::kernels
