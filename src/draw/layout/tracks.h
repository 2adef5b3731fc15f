#pragma once

#include <vector>

namespace taugrad::draw {

/// A stretch of one lane that a net wants for itself.
struct Stretch {
  int lane = 0;
  double from = 0, to = 0;
  int net = 0;
  int track = 0;  ///< result
};

/// Gives stretches of one lane that overlap different tracks, unless they are of one net, which
/// shares one track.
/// @return tracks used, by lane
std::vector<int> assign_tracks(std::vector<Stretch>& stretches, int lanes);

/// Positions nearest to `wishes` (in their order, least squares) with at least separations[i]
/// between i-1 and i.
std::vector<double> spread(const std::vector<double>& wishes, const std::vector<double>& weights,
                           const std::vector<double>& separations);

}  // namespace taugrad::draw
