#pragma once

#include <cstdint>
#include <vector>

#include "taugrad/analysis/flow.h"

namespace taugrad::analysis {

/// Norm of a matrix of `rows` rows; the spectral one by power iteration on JᵀJ, to 1e-10.
double norm_of(const std::vector<double>& matrix, std::int64_t rows, MatrixNorm norm);

}  // namespace taugrad::analysis
