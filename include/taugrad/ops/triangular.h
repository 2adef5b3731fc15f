#pragma once

#include "taugrad/graph/op.h"

/// Systems of equations of which each one has what the ones before it found: of the steps of a
/// chunk, where what a step adds depends on what the earlier ones added.
namespace taugrad {

extern const Op kSolveUnitLower;

/// X [..,C,m] with (I + A) X = B, or (I + A)^T X = B, of A [..,C,C] what stands below its diagonal:
/// the rest has no part. By substitution, so nothing is divided.
Var solve_unit_lower(Var a, Var b, bool transposed = false);

}  // namespace taugrad
