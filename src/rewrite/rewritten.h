#pragma once

#include <vector>

#include "taugrad/graph/graph.h"

namespace taugrad {

/// A tape made of another one.
struct Rewritten {
  Graph graph;
  std::vector<NodeId> outputs;   ///< of the first tape's, in their order
  std::vector<NodeId> original;  ///< by node: the leaf of the first tape that it copies; or -1
  NodeId last = -1;              ///< the last node made for one up to the first tape's `last`
};

}  // namespace taugrad
