#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace taugrad::kernels {

/// Instruction sets that the kernels are compiled for, best last. Results differ between them in
/// rounding (fused multiply-adds or not), never within one.
/// `avx512_pairs`: for floats that stand for pairs of numbers of bfloat16 (pairs.h).
enum class InstructionSet { generic, avx2, avx512, avx512_pairs };
/// The best one that this machine runs, of those for single numbers.
InstructionSet best_instruction_set();

/// A K x N matrix packed for products with many rows: panels of kPanelBytes wide columns, each
/// [K][width], one after another, the last one padded with zeros.
template <class S>
class Panels {
 public:
  static constexpr std::int64_t kPanelBytes = 128;
  static constexpr std::int64_t kWidth = kPanelBytes / static_cast<std::int64_t>(sizeof(S));

  /// Fits the storage to [k, n]; with `pairs` (of floats, where supported) for numbers of bfloat16,
  /// two of a column in one place: half the memory, products of twice the speed.
  /// @throws std::bad_alloc
  void resize(std::int64_t k, std::int64_t n, bool pairs = false);
  /// The same in memory of the caller's, of `elements` elements from a cache line on, which stays
  /// where it is. What other panels hold there is lost when these are filled.
  void lie_at(S* memory, std::int64_t k, std::int64_t n, bool pairs = false) {
    data_ = memory;
    k_ = k;
    n_ = n;
    pairs_ = pairs;
  }
  /// Packs B[k][n] = b[k * row_step + n * column_step]: (n, 1) for a row-major B, (1, k) for a
  /// transposed one.
  void fill(const S* b, std::int64_t row_step, std::int64_t column_step,
            InstructionSet set = best_instruction_set());

  std::int64_t rows() const { return k_; }
  bool pairs() const { return pairs_; }
  /// Places in a column: rows, or pairs of them.
  std::int64_t depth() const { return pairs_ ? (k_ + 1) / 2 : k_; }
  std::int64_t columns() const { return n_; }
  std::int64_t count() const { return (n_ + kWidth - 1) / kWidth; }
  const S* panel(std::int64_t number) const { return data_ + number * depth() * kWidth; }
  S* memory() const { return data_; }
  std::int64_t elements() const { return count() * depth() * kWidth; }
  /// What `resize` allocates.
  static std::int64_t bytes(std::int64_t k, std::int64_t n, bool pairs = false);

 private:
  void fill_pairs(const S* b, std::int64_t row_step, std::int64_t column_step);

  /// The full panels of a row-major B; the first column that is left.
  std::int64_t fill_full(const S* b, std::int64_t row_step);

  std::int64_t k_ = 0, n_ = 0;
  bool pairs_ = false;
  std::vector<S> storage_;
  S* data_ = nullptr;  // storage_, aligned
};

/// `m` rows of A [m,K], `lda` apart, and where their products go: rows of C, `ldc` apart; c points
/// to column 0.
template <class S>
struct RowBlock {
  const S* a;
  std::int64_t lda;
  S* c;
  std::int64_t ldc;
  std::int64_t m;
};

/// C[i] (+)= A[i] B for all rows of all blocks, in the columns of the panels [first_panel,
/// last_panel) of B. Every element of C is one chain of multiply-adds in ascending k (starting from
/// C where `accumulate`, else from zero), so a row of the result has the same bits whatever rows
/// and blocks stand beside it, whatever they hold, and whatever range of panels is asked for.
/// Columns outside the range are left alone; C may not overlap A or B, nor rows of C one another.
template <class S>
void multiply_blocks(std::span<const RowBlock<S>> blocks, const Panels<S>& b,
                     std::int64_t first_panel, std::int64_t last_panel, bool accumulate,
                     InstructionSet set = best_instruction_set());

/// multiply_blocks for a block of one row: what a step of one item does, so without detours.
template <class S>
void multiply_row(const RowBlock<S>& row, const Panels<S>& b, std::int64_t first_panel,
                  std::int64_t last_panel, bool accumulate);

/// A part of multiply_row on rows that stay where they are.
template <class S>
struct RowCall;
/// Adds the calls that make up multiply_row. False, and nothing is added, where that takes more.
template <class S>
bool add_row_calls(const RowBlock<S>& row, const Panels<S>& b, std::int64_t first_panel,
                   std::int64_t last_panel, bool accumulate, std::vector<RowCall<S>>& calls);

/// multiply_blocks for one block.
template <class S>
void multiply_rows(std::int64_t m, const S* a, std::int64_t lda, const Panels<S>& b,
                   std::int64_t first_panel, std::int64_t last_panel, bool accumulate, S* c,
                   std::int64_t ldc, InstructionSet set = best_instruction_set()) {
  const RowBlock<S> block{a, lda, c, ldc, m};
  multiply_blocks<S>({&block, 1}, b, first_panel, last_panel, accumulate, set);
}

/// All panels: C [m,N].
template <class S>
void multiply_rows(std::int64_t m, const S* a, std::int64_t lda, const Panels<S>& b,
                   bool accumulate, S* c, std::int64_t ldc,
                   InstructionSet set = best_instruction_set()) {
  multiply_rows(m, a, lda, b, std::int64_t{0}, b.count(), accumulate, c, ldc, set);
}

}  // namespace taugrad::kernels
