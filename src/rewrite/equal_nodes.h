#pragma once

#include <span>
#include <vector>

#include "rewrite/rewritten.h"
#include "taugrad/graph/graph.h"

namespace taugrad {

/// By node: the first one that computes the same, itself where there is none. A view that moves
/// nothing (a copy W(t)) is what it views; with `merge`, ops of equal kind on equal inputs are one.
std::vector<NodeId> equal_nodes(const Tape& tape, bool merge);

/// A tape on which every value that the outputs need is computed once. What is cut into segments is
/// cut behind this: which sums the nodes of a gradient belong to must not depend on the cuts.
Rewritten merge_equal_nodes(const Tape& tape, std::span<const NodeId> outputs, NodeId last);

}  // namespace taugrad
