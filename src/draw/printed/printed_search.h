#pragma once

#include <vector>

#include "draw/printed/printed_layout.h"

namespace taugrad::draw {

/// What may stand elsewhere than its fellows in other steps.
enum class Freedom {
  roles,  ///< nothing: a variable stands alike in all steps
  nodes,  ///< every node, where lines then cross less
};

/// Which lines count.
enum class Scope { forward, all };

/// Moves the circles of a printed picture, with the gradient as their mirror image, to where its
/// straight lines cross each other and run into circles as little as can be found: exchanges and
/// moves at random, of which worse ones are taken less and less often, then the best move of each
/// until none is better. Steps stay in their columns. Deterministic.
/// @param boxes  at scale 1
/// @param seed   of the beginning
std::vector<Box> settled(const Picture& picture, std::vector<Box> boxes, Freedom freedom, int seed,
                         Scope scope = Scope::all);

/// Whether steps have positions in two directions.
bool is_plane(const Picture& picture);

}  // namespace taugrad::draw
