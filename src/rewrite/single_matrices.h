#pragma once

#include <span>
#include <vector>

#include "rewrite/rewritten.h"
#include "taugrad/graph/graph.h"

namespace taugrad {

/// Whether the tape has products with weights that are stacks of matrices, or their gradients: of a
/// convolution's kernel, a matrix a tap; of a matrix for each head.
bool has_stacks_of_matrices(const Tape& tape);

/// Each matrix of them is worked on by itself, as those of other weights are. Of a gradient a sum
/// of stacks becomes a stack of sums, a product of stacks of columns and rows that is summed over
/// the items a stack of outer products; the product of a stack of large matrices with a vector for
/// each a stack of products.
Rewritten single_matrices(const Tape& tape, std::span<const NodeId> outputs, NodeId last);

}  // namespace taugrad
