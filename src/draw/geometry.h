#pragma once

#include <vector>

#include "draw/drawing.h"

namespace taugrad::draw {

inline constexpr double kTrackGap = 8;  ///< between parallel lines

/// Numbers to coordinates: what `columns` and `rows` find, and `paths` uses.
struct Geometry {
  std::vector<double> gutter;     ///< x of the first track, by gutter
  std::vector<double> plan_left;  ///< x of plan coordinate 0, by 2 * cell + lane
  std::vector<double> cell_left, cell_right;
  std::vector<double>
      rank_y;  ///< y of the first track of channels and buses, middle of layers, by rank
  std::vector<double> layer_top, layer_bottom;      ///< by rank of the layer
  std::vector<double> channel_top, channel_bottom;  ///< by rank of the channel
  double band_y = 0;                                ///< middle of the band of weights
};

/// x of columns, nodes, gutters and their tracks; then of the band; legs that are upright get `at`.
void set_columns(Drawing& d, Geometry& g);
/// y of rows, layers, channels and buses; legs that are level get `at`; boxes are complete after
/// it.
void set_rows(Drawing& d, Geometry& g);
/// The curve of an edge.
Path draw_path(const Drawing& d, const Geometry& g, int edge);
/// Moves labels of lines in gutters so that they do not cover each other.
void place_labels(const Drawing& d, std::vector<Path>& paths);

}  // namespace taugrad::draw
