#pragma once

#include "taugrad/graph/graph.h"

namespace taugrad {

/// Whether the values named grad:.. that a graph holds are the gradients of this loss of it. False
/// where it holds none, where they are of another loss, or of what has been replaced since.
/// @param work  a copy of the graph: the gradients of the loss are appended to compare them
bool holds_gradients_of(const Graph& work, const Var& loss);

}  // namespace taugrad
