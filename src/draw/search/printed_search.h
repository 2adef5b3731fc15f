#pragma once

#include <vector>

#include "draw/printed/printed_layout.h"

namespace taugrad::draw {

/// What may stand elsewhere than its fellows in other steps.
enum class Freedom {
  roles,       ///< nothing: a variable stands alike in all steps
  boundaries,  ///< boundary values, wherever there is room, not in columns of their own
  nodes,       ///< every node, where lines then cross less
  anywhere,    ///< and beside a plane in no column
};

/// Which lines count.
enum class Scope { forward, all };

/// Where circles stand, and how many in steps stand elsewhere than before for themselves.
struct Placing {
  std::vector<Box> boxes;
  int moved = 0;
};

/// Moves the circles of a printed picture, with the gradient as their mirror image, to where its
/// straight lines cross each other and run into circles as little as can be found: exchanges and
/// moves at random, of which worse ones are taken less and less often, then the best move of each
/// until none is better. Steps stay in their columns. Deterministic.
/// @param boxes  at scale 1
/// @param seed   of the beginning
Placing settled(const Picture& picture, std::vector<Box> boxes, Freedom freedom, int seed,
                Scope scope = Scope::all);

/// A value at the rim of a sequence: "h[0]".
bool is_boundary(const PictureNode& node);

/// Whether steps have positions in two directions.
bool is_plane(const Picture& picture);

}  // namespace taugrad::draw
