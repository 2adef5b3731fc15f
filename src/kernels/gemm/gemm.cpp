#include "kernels/gemm/gemm.h"

#include <cblas.h>

#include <algorithm>
#include <limits>

#include "base/fail.h"

namespace taugrad::kernels {
namespace {

blasint checked(std::int64_t size) {
  if (size < 0 || size > std::numeric_limits<blasint>::max())
    fail(Status::resource, "R003",
         "a matrix product has a size of {}, more than the {} that BLAS can count", size,
         std::numeric_limits<blasint>::max());
  return static_cast<blasint>(size);
}

/// BLAS wants a leading dimension of at least the row length, and at least 1.
blasint lead(std::int64_t stride, std::int64_t columns) {
  return checked(std::max<std::int64_t>({stride, columns, 1}));
}

CBLAS_TRANSPOSE order(bool transposed) { return transposed ? CblasTrans : CblasNoTrans; }

/// Threads are the engine's own business; BLAS gets one.
void pin_to_one_thread() {
  static const bool pinned = [] {
    openblas_set_num_threads(1);
    return true;
  }();
  static_cast<void>(pinned);
}

void call(blasint m, blasint n, blasint k, const Matrix<float>& a, blasint lda,
          const Matrix<float>& b, blasint ldb, float beta, float* c, blasint ldc) {
  cblas_sgemm(CblasRowMajor, order(a.transposed), order(b.transposed), m, n, k, 1, a.data, lda,
              b.data, ldb, beta, c, ldc);
}
void call(blasint m, blasint n, blasint k, const Matrix<double>& a, blasint lda,
          const Matrix<double>& b, blasint ldb, double beta, double* c, blasint ldc) {
  cblas_dgemm(CblasRowMajor, order(a.transposed), order(b.transposed), m, n, k, 1, a.data, lda,
              b.data, ldb, beta, c, ldc);
}

}  // namespace

template <class S>
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const Matrix<S>& a, const Matrix<S>& b,
          bool accumulate, S* c, std::int64_t ldc) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    for (std::int64_t i = 0; i < m && !accumulate; ++i) std::fill_n(c + i * ldc, n, S(0));
    return;
  }
  pin_to_one_thread();
  call(checked(m), checked(n), checked(k), a, lead(a.stride, a.transposed ? m : k), b,
       lead(b.stride, b.transposed ? k : n), accumulate ? S(1) : S(0), c, lead(ldc, n));
}

template void gemm(std::int64_t, std::int64_t, std::int64_t, const Matrix<float>&,
                   const Matrix<float>&, bool, float*, std::int64_t);
template void gemm(std::int64_t, std::int64_t, std::int64_t, const Matrix<double>&,
                   const Matrix<double>&, bool, double*, std::int64_t);

}  // namespace taugrad::kernels
