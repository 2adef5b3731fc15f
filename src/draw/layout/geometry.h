#pragma once

#include <vector>

#include "draw/layout/drawing.h"

namespace taugrad::draw {

inline constexpr double kTrackGap = 8;    ///< between parallel lines
inline constexpr double kBandPitch = 44;  ///< between rows of the band

/// A track of a gutter with a text on it that covers the lines beside: how far they are to be.
struct TightTrack {
  int gutter = 0, track = 0;
  double room = 0;
};

/// What had no room.
struct Cramped {
  std::vector<TightTrack> tracks = {};
  std::vector<char> captions = {};  ///< by column; empty: of none
  bool any() const { return !tracks.empty() || !captions.empty(); }
};

/// Numbers to coordinates: what `columns` and `rows` find, and `paths` uses.
struct Geometry {
  Cramped cramped = {};                          ///< before: gets more
  std::vector<std::vector<double>> tracks = {};  ///< x of each track from the first, by gutter
  std::vector<double> gutter = {};               ///< x of the first track, by gutter
  std::vector<double> plan_left = {};            ///< x of plan coordinate 0, by 2 * cell + lane
  std::vector<double> cell_left = {}, cell_right = {};
  std::vector<double> rank_y =
      {};  ///< y of the first track of channels and buses, middle of layers, by rank
  std::vector<double> layer_top = {}, layer_bottom = {};      ///< by rank of the layer
  std::vector<double> channel_top = {}, channel_bottom = {};  ///< by rank of the channel
  double band_y = 0;               ///< middle of the band of weights, of its first row
  int band_rows = 1;               ///< more where weights are not joined to anything
  std::vector<int> band_row = {};  ///< by node; empty: all in one
};

/// x of columns, nodes, gutters and their tracks; then of the band; legs that are upright get `at`.
void set_columns(Drawing& d, Geometry& g);
/// x of the weights, which stand above the middle of their uses, each with its gradient at its
/// right; where labels alone tell their uses, in rows as wide as what is below.
void place_band(Drawing& d, Geometry& g);
/// Spreads the heads that arrive at the top (of a gradient: the bottom) of a box, in the order they
/// come from.
void shift_heads(Drawing& d, const Geometry& g);
/// x of a plan's node in the cell of a picture's node; of the port at the end of a chain.
double plan_x(const Drawing& d, const Geometry& g, int node, int plan, int plan_node);
double port_x(const Drawing& d, const Geometry& g, int node, int plan, int plan_edge);
/// y of rows, layers, channels and buses; legs that are level get `at`; boxes are complete after
/// it.
void set_rows(Drawing& d, Geometry& g);
/// The curve of an edge.
Path draw_path(const Drawing& d, const Geometry& g, int edge);
/// Places the captions of clusters on their upper borders and the labels of edges on their lines,
/// clear of all else where there is room. @returns what had none
Cramped place_labels(const Drawing& d, Layout& layout);

}  // namespace taugrad::draw
