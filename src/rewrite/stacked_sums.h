#pragma once

#include <span>
#include <vector>

#include "rewrite/rewritten.h"
#include "taugrad/graph/graph.h"

namespace taugrad {

/// Whether the tape has gradients of weights that are stacks of matrices: of a convolution's
/// kernel, a matrix a tap; of a matrix for each head.
bool has_stacks_of_sums(const Tape& tape);

/// Of such a gradient each matrix becomes a sum of outer products of its own, as those of other
/// weights are: a sum of stacks a stack of sums, a product of stacks of columns and rows that is
/// summed over the items a stack of outer products.
Rewritten stack_sums(const Tape& tape, std::span<const NodeId> outputs, NodeId last);

}  // namespace taugrad
