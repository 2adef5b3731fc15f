#pragma once

#include <vector>

#include "taugrad/draw/picture.h"

namespace taugrad::draw {

/// Which nodes of two pictures correspond.
struct Matching {
  std::vector<int> in_b;      ///< by node of A: its partner, or -1
  std::vector<int> in_a;      ///< by node of B
  std::vector<char> changed;  ///< by node of A: its partner is computed otherwise
};

/// By name and index; without a name by the part of a variable that it is at its step, then by what
/// it computes of nodes that correspond.
Matching match_pictures(const Picture& a, const Picture& b);

}  // namespace taugrad::draw
