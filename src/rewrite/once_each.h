#pragma once

#include <set>
#include <string>
#include <vector>

#include "taugrad/graph/graph.h"

namespace taugrad {

/// A tape on which all of its values stand once.
struct OnceEach {
  Graph graph;
  std::vector<NodeId> nodes;  ///< by node of the first tape: the one that stands for it
};

/// What all heads compute alike stands once, for its gradient, the sum over the heads, to go
/// through it once, and for a gate that is written twice to be known as one. A view that moves
/// nothing, as the copy W(t), is what it views.
/// @param asked  names of variables whose gradients are asked for: of two that are equal each has
///               its own, and so has what is made of one of them
OnceEach once_each(const Tape& tape, const std::set<std::string>& asked);

}  // namespace taugrad
