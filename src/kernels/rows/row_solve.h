#pragma once

#include <cstdint>

namespace taugrad::kernels {

/// X [size,columns] with (I + A) X = B, or (I + A)^T X = B, of A [size,size] what stands below its
/// diagonal. S is float or double. An element is one chain of multiply-adds in the order in which
/// the rows are found, so its bits depend on A and its column alone, and on whether the machine
/// multiplies and adds at once.
template <class S>
void solve_unit_lower(std::int64_t size, std::int64_t columns, const S* a, bool transposed,
                      const S* b, S* x);
template <>
void solve_unit_lower(std::int64_t size, std::int64_t columns, const float* a, bool transposed,
                      const float* b, float* x);
template <>
void solve_unit_lower(std::int64_t size, std::int64_t columns, const double* a, bool transposed,
                      const double* b, double* x);

}  // namespace taugrad::kernels
