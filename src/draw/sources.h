#pragma once

#include <string>
#include <vector>

#include "taugrad/graph/graph.h"

namespace taugrad::draw {

/// A drawn node that a node which is not drawn stands for, and by which weights it has been
/// multiplied on the way.
struct Source {
  int node;
  std::string label = {};  ///< "W", "Wᵀ"; of a weight: its own text
  bool weight = false;
};
using Sources = std::vector<Source>;

/// Sources of a node that is not drawn, from those of its inputs (one list an input).
/// With `labels`, what a product multiplies by weights alone takes their names, and the weights go.
/// In the gradient (`adjoint`) a row vector times W is written Wᵀ.
Sources fold_sources(const Op& op, const std::vector<Sources>& inputs, bool labels, bool adjoint);

/// Weights that are added, not multiplied, are no label of an edge: they go into the op's text, "+
/// b".
void weights_to_op(std::string& op, Sources& sources);

/// One source a node, labels joined: what is drawn as edges.
Sources merged(const Sources& sources);

}  // namespace taugrad::draw
