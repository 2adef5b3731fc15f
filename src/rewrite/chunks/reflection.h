#pragma once

#include <optional>

#include "rewrite/chunks/linear_states.h"

namespace taugrad {

/// A state times a matrix that is a diagonal and an outer product: S (c I + s p w^T), or from the
/// left (c I + s w p^T) S. With p under the state that is
///   c S + s (S p) w^T,   or c S + s w (p^T S).
struct Reflection {
  NodeId state;
  FactorProduct kept;       ///< c: numbers, and rows from the right, columns from the left
  FactorProduct scale;      ///< s: numbers
  FactorProduct other;      ///< w
  Factor query;             ///< p
  bool over_columns;        ///< from the right
  std::vector<NodeId> way;  ///< the product and views of it and of the state
};
std::optional<Reflection> reflection_of(const Tape& tape, NodeId id, const StateAxes& axes);

}  // namespace taugrad
