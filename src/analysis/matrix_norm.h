#pragma once

#include <cstdint>
#include <vector>

#include "taugrad/analysis/flow.h"

namespace taugrad::analysis {

/// Norm of a square matrix of `size` rows; the spectral one by power iteration on JᵀJ, to 1e-10.
double norm_of(const std::vector<double>& matrix, std::int64_t size, MatrixNorm norm);

}  // namespace taugrad::analysis
