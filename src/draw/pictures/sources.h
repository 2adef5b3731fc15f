#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "taugrad/graph/graph.h"

namespace taugrad::draw {

/// A drawn node that a node which is not drawn stands for, and by which weights it has been
/// multiplied on the way.
struct Source {
  int node;
  std::string label = {};  ///< "W", "Wᵀ"; of a weight: its own text
  bool weight = false;
  bool dotted = false;  ///< one of the steps that data may name
};
using Sources = std::vector<Source>;

/// Sources of a node that is not drawn, from those of its inputs (one list an input).
/// With `labels`, what a product multiplies by weights alone takes their names, and the weights go.
/// In the gradient (`adjoint`) a row vector times W is written Wᵀ. A list given away is used again,
/// so that a sum of n terms takes n steps.
Sources fold_sources(const Op& op, std::vector<Sources> inputs, bool labels, bool adjoint);

/// Sums of one sum double its list: a list that is far longer than the longest of its parts keeps
/// each source once. `same` numbers the nodes that look alike.
template <class Same>
void thin(Sources& sources, std::size_t longest_part, const Same& same) {
  constexpr std::size_t kShort = 64, kFar = 32;
  if (sources.size() <= kShort || sources.size() <= longest_part + kFar) return;
  std::set<std::pair<int, std::string>> known;
  std::erase_if(sources,
                [&](const Source& s) { return !known.emplace(same(s.node), s.label).second; });
}

/// Of the steps that an at_position may read, the list of the nearest alone, dotted.
void keep_nearest(std::vector<Sources>& inputs);

/// The length of the longest list.
std::size_t longest(const std::vector<Sources>& inputs);

/// Weights that are added, not multiplied, are no label of an edge: they go into the op's text, "+
/// b".
void weights_to_op(std::string& op, Sources& sources);

/// Names on one edge, as many as can be read; "…" stands for the rest.
void join_label(std::string& label, const std::string& more);

/// One source a node, labels joined: what is drawn as edges.
Sources merged(const Sources& sources);

}  // namespace taugrad::draw
