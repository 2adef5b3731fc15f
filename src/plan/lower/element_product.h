#pragma once

#include <optional>

#include "plan/plan_builder.h"

namespace taugrad::plan {

/// A product of matrices of which one is a row or a column, or both are: element by element on the
/// larger operand or on the result, then summed. S q is the sum along the rows of S[i,j] q[j], and
/// k v^T has the elements k[i] v[j].
struct ElementProduct {
  NodeId a, b;  ///< operands, behind transposes
  kernels::Pattern of_a, of_b,
      into;  ///< which elements of them and of the result a place meets
};

/// Of a product; nothing where both operands are matrices, or an axis is empty.
std::optional<ElementProduct> element_product(const PlanBuilder& draft, NodeId id);

}  // namespace taugrad::plan
