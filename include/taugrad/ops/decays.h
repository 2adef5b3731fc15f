#pragma once

#include "taugrad/graph/op.h"

namespace taugrad {

extern const Op kDecays;

/// Of gates a [..,n], a step each, what is left at step i of step j: [..,n,n] with
/// a[j+1] a[j+2] .. a[i-lag] at (i, j), 1 where i - lag = j, 0 where it is less. The lag is 0 or 1.
Var decays(Var a, std::int64_t lag = 0);

}  // namespace taugrad
