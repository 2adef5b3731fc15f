#pragma once

#include <span>
#include <vector>

#include "rewrite/rewritten.h"
#include "taugrad/graph/graph.h"

namespace taugrad {

/// y = x to 8 significant bits, ties to even: the numbers of bfloat16. Only `round_operands` makes
/// such nodes.
extern const Op kRound;

/// Every product of matrices and vectors, those of the gradient included, reads operands in
/// bfloat16; sums, and all that is not a product, keep their precision. Weights are rounded once,
/// behind their copies and transposes.
Rewritten round_operands(const Tape& tape, std::span<const NodeId> outputs, NodeId last = -1);

}  // namespace taugrad
