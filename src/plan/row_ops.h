#pragma once

#include "taugrad/graph/op.h"

namespace taugrad::plan {

/// The forward rule that a plan uses: of the kernels for whole rows where they have the op, else
/// the op's own. S is float or double; null where the op has none.
template <class S>
Forward<S> forward_of(const Op& op);

}  // namespace taugrad::plan
