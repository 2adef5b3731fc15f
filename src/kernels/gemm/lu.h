#pragma once

#include <cstdint>

namespace taugrad::kernels {

/// Factors a matrix [n,n] in place, P A = L U with row pivots, by LAPACK on one thread. It stands
/// column by column. @return false where a pivot is exactly 0: the matrix is singular
/// @throws Error (R003) where n is beyond what LAPACK counts in
template <class S>
bool factor(std::int64_t n, S* a, std::int32_t* pivots);

/// Replaces b [n,columns], column by column, by X with A X = b of a factored A, or A^T X = b.
template <class S>
void solve_factored(std::int64_t n, std::int64_t columns, const S* a, const std::int32_t* pivots,
                    bool transposed, S* b);

}  // namespace taugrad::kernels
