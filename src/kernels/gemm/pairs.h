#pragma once

#include <cstdint>

/// Numbers of bfloat16 two by two in the place of one float, for instructions that multiply and add
/// pairs: the first number in the lower half.
namespace taugrad::kernels {

/// Whether this machine multiplies pairs (AVX512_BF16).
bool pairs_supported();

/// cells[i] = (x[2i], x[2i+1]), a zero behind the last of an odd number. x must hold numbers of
/// bfloat16 already. Only where pairs are supported.
void pair_along(const float* x, std::int64_t n, float* cells);
/// cells[i] = (x[i], y[i]); a null y: zeros.
void pair_up(const float* x, const float* y, std::int64_t n, float* cells);

}  // namespace taugrad::kernels
