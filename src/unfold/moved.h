#pragma once

#include <span>

#include "taugrad/unfold/unfold.h"

namespace taugrad {

/// An unfolded model on another graph, which holds what stands for its nodes. Not of a segment.
/// @param nodes  by id: the node of that graph
Unfolded moved(const Unfolded& u, Graph graph, std::span<const NodeId> nodes);

}  // namespace taugrad
