#pragma once

#include <map>
#include <string>
#include <vector>

#include "taugrad/draw/picture.h"

namespace taugrad::draw {

/// How one step of a printed picture is arranged: by role, the same in all steps.
struct PrintedCell {
  struct Place {
    double row = 0;   ///< upwards from 0
    double slot = 0;  ///< to the right of the middle
  };
  std::map<std::string, Place> places;
  double rows = 0;
};

/// What the node is in its step.
std::string role_in_cell(const Picture& picture, int node);

/// @param nodes  those of all cells of one pattern
/// @param grid   of a grid: no two roles in one row or slot, so that what runs along and what runs
/// down goes straight
/// @param attempt  0: rows of what is read by what; 1, 2, ..: roles moved so that lines cross less
PrintedCell arrange_cell(const Picture& picture, const std::vector<int>& nodes, bool grid,
                         int attempt);

}  // namespace taugrad::draw
