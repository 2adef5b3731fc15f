#pragma once

#include <cstdint>
#include <vector>

namespace taugrad::kernels {

/// A K x N matrix packed for products with many rows: panels of kPanelBytes wide columns, each
/// [K][width], one after another, the last one padded with zeros.
template <class S>
class Panels {
 public:
  static constexpr std::int64_t kPanelBytes = 128;
  static constexpr std::int64_t kWidth = kPanelBytes / static_cast<std::int64_t>(sizeof(S));

  /// Fits the storage to [k, n]. @throws std::bad_alloc
  void resize(std::int64_t k, std::int64_t n);
  /// Packs B[k][n] = b[k * row_step + n * column_step]: (n, 1) for a row-major B, (1, k) for a
  /// transposed one.
  void fill(const S* b, std::int64_t row_step, std::int64_t column_step);

  std::int64_t rows() const { return k_; }
  std::int64_t columns() const { return n_; }
  const S* panel(std::int64_t number) const { return data_ + number * k_ * kWidth; }
  /// What `resize` allocates.
  static std::int64_t bytes(std::int64_t k, std::int64_t n);

 private:
  std::int64_t k_ = 0, n_ = 0;
  std::vector<S> storage_;
  S* data_ = nullptr;  // storage_, aligned
};

/// Instruction sets that `multiply_rows` is compiled for, best last. Results differ between them in
/// rounding (fused multiply-adds or not), never within one.
enum class InstructionSet { generic, avx2, avx512 };
/// The best one that this machine runs.
InstructionSet best_instruction_set();

/// C[i] (+)= A[i] B for `m` rows: A [m,K] with rows `lda` apart, C [m,N] with rows `ldc` apart.
/// Every element of C is one chain of multiply-adds in ascending k (starting from C where
/// `accumulate`), so a row of the result has the same bits whatever m is and whatever the other
/// rows hold.
template <class S>
void multiply_rows(std::int64_t m, const S* a, std::int64_t lda, const Panels<S>& b,
                   bool accumulate, S* c, std::int64_t ldc,
                   InstructionSet set = best_instruction_set());

}  // namespace taugrad::kernels
