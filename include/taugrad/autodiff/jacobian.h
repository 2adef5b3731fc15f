#pragma once

#include <span>

#include "taugrad/graph/graph.h"

/// Whole matrices of derivatives, and products with them, as nodes on the tape like any other. Of
/// values per example the derivative is that of each item by its own numbers: items must not be
/// mixed on the way.
namespace taugrad {

/// dy/dx of shape [y's axes..., x's axes...]: element [i, j] is dy_i/dx_j. By one vjp for each
/// element of y or one jvp for each of x, whichever are fewer; by a jvp where y is per example and
/// x is not, so that each item keeps its own matrix, which a gradient would sum over the batch.
/// Per example where y or x is.
/// @throws Error (G020) for more than 4 axes together (flatten by `reshape`), (G023) for an empty
/// Var or one of another graph, (U024) where forward mode is needed and an operation has none
Var jacobian(Var y, Var x);

/// The second derivatives of a number: d^2 loss / dx_i dx_j, of shape [x's axes..., x's axes...].
/// Of an x that is not per example, of the loss summed over the items, as its gradient is.
/// @throws Error (G023) for a loss that is no number, (G020) for an x of more than 2 axes
Var hessian(Var loss, Var x);

/// Hessian times vector: the gradient of <g, v>, g the gradient of the loss by x. One sweep, of any
/// size of x; v has the shape of x.
/// @throws Error (G020) for another shape, (G023) for a loss that is no number
Var hvp(Var loss, Var x, Var v);
/// The same for several variables at once: the blocks between them count too.
Vars hvp(Var loss, std::span<const Var> x, std::span<const Var> v);

/// Jacobian times vector, dy/dx v, of y's shape: how y moves when x moves along v.
/// @throws Error (G020) for a v of another shape than x
Var jvp(Var y, Var x, Var v);

}  // namespace taugrad
