#pragma once

#include <cstdint>
#include <span>

#include "taugrad/graph/op.h"

/// Steps that data name (language.md R17).
namespace taugrad {

extern const Op kAtPosition, kIfPosition, kQuotient;

/// Of each item the step steps[position - first], where its position is a number of its own; zeros,
/// or an absent category, where there is none.
Var at_position(Var position, std::span<const Var> steps, std::int64_t first, ExtentId extent);
/// The rows of a for the items whose position is `wanted`, zeros for the others: vjp of
/// at_position.
Var if_position(Var a, Var position, std::int64_t wanted, ExtentId extent);
/// The whole number a / by, rounded down; by >= 1. No gradient.
Var quotient(Var a, std::int64_t by);

}  // namespace taugrad
