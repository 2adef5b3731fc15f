#pragma once

#include "taugrad/graph/op.h"

namespace taugrad {

extern const Op kDecays;

/// Of gates a [..,n], a step each, what is left at step i of step j: [..,n,n] with
/// a[j+1] a[j+2] .. a[i] at (i, j), 1 at (i, i), 0 above.
Var decays(Var a);

}  // namespace taugrad
