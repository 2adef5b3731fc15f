#pragma once

#include "taugrad/graph/op.h"

namespace taugrad::plan {

/// The forward rule that a plan uses: of the kernels for whole rows where they have the op, else
/// the op's own. S is float or double; null where the op has none.
template <class S>
Forward<S> forward_of(const Op& op, const Attrs& attrs);

/// Whether each row of the result is made of its operands' rows alone: ops that ask which item a
/// row stands for, or sum over rows, cannot be given any rows.
inline bool row_by_row(const Op& op) {
  const Traits& t = op.traits;
  return !t.leaf && !t.random && !t.variadic_items && !t.sums_items;
}

}  // namespace taugrad::plan
