#pragma once

#include <span>
#include <vector>

#include "rewrite/rewritten.h"
#include "taugrad/graph/graph.h"

namespace taugrad {

/// Whether the tape has a sum, shared by all items, of stacks of equally many parts alone: the
/// gradient of a convolution's kernel, a stack of outer products at each step.
bool has_sums_of_stacks(const Tape& tape);

/// A sum of stacks becomes a stack of sums, each of which is a sum of outer products as those of
/// other weights are.
Rewritten stack_sums(const Tape& tape, std::span<const NodeId> outputs, NodeId last);

}  // namespace taugrad
