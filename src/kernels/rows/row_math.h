#pragma once

#include <cstdint>
#include <span>

/// Functions of whole rows. A row is n numbers side by side; rows lie ldx (ldo, ...) elements
/// apart, 0 for one row that all share. S is float or double. Each function has the meaning of the
/// op named with it. A row's bits depend on that row, on n and on the machine's instruction set:
/// not on the number of rows, nor on the row's place. `out` may be exactly the operand of the same
/// shape, with the same distance of rows, and may not overlap it otherwise.
namespace taugrad::kernels {

// ---- rows [rows, n] to rows [rows, n], of the same length; n = 0 does nothing ------------------

/// softmax: exp(x - max x) / sum
template <class S>
void softmax_rows(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
                  std::int64_t ldo);
/// log_softmax: (x - max x) - ln sum exp(x - max x)
template <class S>
void log_softmax_rows(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
                      std::int64_t ldo);
/// centre: x - mean x
template <class S>
void centre_rows(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
                 std::int64_t ldo);
/// normalize: (x - mean x) / sqrt(var x + 1e-5)
template <class S>
void normalize_rows(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
                    std::int64_t ldo);

// ---- rows [rows, n] to numbers [rows], ldo elements apart --------------------------------------

/// sum; 0 where n = 0
template <class S>
void sum_rows(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
              std::int64_t ldo);
/// mean; 0 where n = 0
template <class S>
void mean_rows(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
               std::int64_t ldo);
/// max: the first largest, NaN where there is one; 0 where n = 0
template <class S>
void max_rows(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, S* out,
              std::int64_t ldo);
/// nll_categorical: ln sum exp(x - max x) + (max x - x[y]), with y = target[row * ldt] a category;
/// x[y] counts as 0 where y is not one of 0..n-1. n >= 1.
template <class S>
void nll_rows(std::int64_t rows, const S* logits, std::int64_t ldx, std::int64_t n, const S* target,
              std::int64_t ldt, S* out, std::int64_t ldo);
/// nll_categorical_p: -ln p[y], 0 where y is not one of 0..n-1
template <class S>
void nll_p_rows(std::int64_t rows, const S* p, std::int64_t ldx, std::int64_t n, const S* target,
                std::int64_t ldt, S* out, std::int64_t ldo);

// ---- several rows to one -----------------------------------------------------------------------

template <class S>
struct RowOperand {
  const S* data = nullptr;
  std::int64_t stride = 0;  ///< elements from one row to the next
};
/// add_n: out[row] = x0[row] + x1[row] + .., from left to right; at least one operand. `out` may be
/// exactly any of them.
template <class S>
void add_rows(std::int64_t rows, std::int64_t n, std::span<const RowOperand<S>> operands, S* out,
              std::int64_t ldo);
/// sum_items: out[j] = sum over rows of x[row][j], one chain in ascending rows that starts from
/// out[j] where `accumulate`, else from 0.
template <class S>
void sum_columns(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, bool accumulate,
                 S* out);
/// scatter_rows: out[k] += x[row] in ascending rows, with k = category[row * ldc]; `out` is
/// [size, n] without gaps. Rows whose k is not one of 0..size-1 are left out.
template <class S>
void scatter_rows(std::int64_t rows, const S* category, std::int64_t ldc, const S* x,
                  std::int64_t ldx, std::int64_t n, std::int64_t size, S* out);

}  // namespace taugrad::kernels
