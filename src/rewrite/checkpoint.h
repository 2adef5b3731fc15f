#pragma once

#include <span>
#include <vector>

#include "rewrite/rewritten.h"
#include "taugrad/graph/graph.h"

namespace taugrad {

/// The first input, at no cost, but not before the others are there. Attribute "phase": counts on
/// from one segment that is carried out to the next. Only `checkpoint` makes such nodes; a plan
/// keeps their order.
extern const Op kAfter;

/// Keeps, of the per-example values up to node `last`, only those that one segment of the
/// recurrence hands to a later one. The nodes behind `last` (the gradient) read the others computed
/// again, a segment at a time, from the last to the first: memory for about 2 sqrt(tau) steps
/// instead of tau, for less than twice the work. Every node is made of the same ops in the same
/// order: values and gradients keep their bits. Masks and draws without inputs are kept.
/// `Rewritten::last` is not told.
Rewritten checkpoint(const Tape& tape, std::span<const NodeId> outputs, NodeId last);

}  // namespace taugrad
