#pragma once

#include <vector>

#include "taugrad/draw/picture.h"

namespace taugrad::draw {

/// One place of the grid: a cluster, or the nodes outside all steps that belong before, between or
/// after them.
struct Cell {
  int pattern = 0;  ///< cells of one pattern (a domain, or one slot) share a placement
  int column = 0;
  int row = 0;
  int cluster = -1;  ///< -1: a slot, nodes outside all steps
};

/// Where the nodes of a picture go, coarsely.
struct Grid {
  std::vector<Cell> cells;
  std::vector<int> cell_of;  ///< by node; kBand: in the band of weights
  int columns = 0;
  int rows = 1;
  int patterns = 0;
  std::vector<int> block_of_column;  ///< columns of one block are neighbours in time
};
inline constexpr int kBand = -1;

Grid make_grid(const Picture& picture);

}  // namespace taugrad::draw
