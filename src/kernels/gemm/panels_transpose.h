#pragma once

#include <cstdint>

#include "kernels/gemm/panels.h"

namespace taugrad::kernels {

/// out[p * kWidth + j] = in[j * stride + p] for all p < k and the kWidth columns j of a panel.
template <class S>
void transpose_panel(const S* in, std::int64_t stride, std::int64_t k, S* out, InstructionSet set);

}  // namespace taugrad::kernels
