#pragma once

#include <cmath>
#include <vector>

#include "draw/layout/grid.h"
#include "draw/search/printed_search.h"

namespace taugrad::draw {

/// Nodes that move together; the gradients of them the other way up.
struct SearchGroup {
  std::vector<int> nodes, mirrored;
  std::vector<int> lines;
  double dx = 0, dy = 0;  ///< from where it began
  bool alone = false;     ///< one node of a step, whose fellows in other steps stay
};

inline bool moved_alone(const SearchGroup& g) {
  return g.alone && std::abs(g.dx) + std::abs(g.dy) > 1;
}

struct SearchLine {
  int from = 0, to = 0;
  bool inner = false;  ///< of one step: upright where that may be
  bool rises = false;  ///< and should
};

/// What a printed picture is to the search: what may be moved, and what is joined.
struct SearchGroups {
  Grid grid;
  std::vector<SearchLine> lines;
  std::vector<SearchGroup> groups;
  std::vector<int> column;  ///< by node that stays in one; -1: does not
  bool has_axis = false;
  double axis = 0;  ///< y, between the graph and its gradient
};

SearchGroups search_groups(const Picture& picture, const std::vector<Box>& boxes, Freedom freedom,
                           Scope scope);

}  // namespace taugrad::draw
