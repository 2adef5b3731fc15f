#pragma once

#include <cstdint>

namespace taugrad::kernels {

/// A row-major matrix as an operand: rows `stride` elements apart; used as its transpose where
/// `transposed`.
template <class S>
struct Matrix {
  const S* data = nullptr;
  std::int64_t stride = 0;
  bool transposed = false;
};

/// C[m,n] (+)= A[m,k] B[k,n] on one thread, by OpenBLAS: deterministic, but a row's bits may depend
/// on m and n. (Where they may not, use multiply_rows of panels.h.) k = 0 gives zeros; without
/// `accumulate` C is only written.
/// @throws Error (R003) where a size is beyond what BLAS counts in
template <class S>
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const Matrix<S>& a, const Matrix<S>& b,
          bool accumulate, S* c, std::int64_t ldc);

}  // namespace taugrad::kernels
