#include <algorithm>
#include <cmath>
#include <vector>

#include "base/index.h"
#include "draw/layout/geometry.h"
#include "draw/layout/tracks.h"

namespace taugrad::draw {
namespace {

constexpr double kCaption = 18;      // caption of a cluster
constexpr double kLayerGap = 18;     // least height of a channel
constexpr double kMostSlope = 26;    // what wide curves add to it
constexpr double kLabelHeight = 20;  // what a label adds to it
constexpr double kRowGap = 14;

class Rows {
 public:
  Rows(Drawing& d, Geometry& g) : d_(d), g_(g) {}

  void run() {
    tracks_ = level_tracks();
    measure_layers();
    stack();
    finish_boxes();
    for (Wire& w : d_.wires) set_levels(w);
  }

 private:
  std::vector<int> level_tracks() {
    std::vector<Stretch> stretches;
    std::vector<Leg*> legs;
    for (std::size_t e = 0; e < d_.wires.size(); ++e) {
      Wire& w = d_.wires[e];
      for (std::size_t i = 0; i < w.legs.size(); ++i) {
        if (!w.legs[i].horizontal || w.legs[i].lane < 0) continue;
        const double a = i > 0 ? w.legs[i - 1].at : d_.boxes[at(d_.picture.edges[e].from)].x;
        const double b =
            i + 1 < w.legs.size() ? w.legs[i + 1].at : d_.boxes[at(d_.picture.edges[e].to)].x;
        stretches.push_back({w.legs[i].lane, std::min(a, b), std::max(a, b), w.net});
        legs.push_back(&w.legs[i]);
      }
    }
    std::vector<int> used = assign_tracks(stretches, d_.grid.rows * d_.ranks_per_row());
    for (std::size_t i = 0; i < legs.size(); ++i) legs[i]->track = stretches[i].track;
    return used;
  }

  // Heights of layers by the nodes of a row, and of channels from labels and how far curves go
  // sideways in them.
  void measure_layers() {
    layer_height_.assign(at(d_.grid.rows), std::vector<double>(at(d_.layers + 2), 0));
    for (std::size_t n = 0; n < d_.boxes.size(); ++n) {
      const Cell* cell = d_.cell(static_cast<int>(n));
      if (cell == nullptr) continue;
      double& height = layer_height_[at(cell->row)][at(d_.layer(static_cast<int>(n)))];
      height = std::max(height, d_.boxes[n].height);
    }
    channel_height_.assign(at(d_.layers + 1), 0);
    for (const Plan& plan : d_.plans) {
      for (const PlanEdge& e : plan.edges) {
        const double label = e.label > 0 ? kLabelHeight : 0;
        for (std::size_t i = 0; i + 1 < e.chain.size(); ++i) {
          const PlanNode& a = plan.nodes[at(e.chain[i])];
          const PlanNode& b = plan.nodes[at(e.chain[i + 1])];
          double& height = channel_height_[at(a.layer + plan.offset)];
          height = std::max(
              height,
              kLayerGap + std::max(label, std::min(kMostSlope, 0.12 * std::abs(a.x - b.x))));
        }
      }
    }
  }

  bool used(int row, int layer) const { return layer_height_[at(row)][at(layer)] > 0; }

  // Rows of a grid that hold boundary values only stay low.
  double channel_least(int row, int below, double rim) const {
    if (!used(row, below) && !used(row, below + 1) && d_.grid.rows > 1) return 2;
    const bool inner = below > 0 && below < d_.layers;
    return std::max(inner ? kLayerGap : rim, channel_height_[at(below)]);
  }

  double lines(int rank) const { return kTrackGap * std::max(0, tracks_[at(rank)] - 1); }

  // Sets a lane of lines of a given least height that begins at y; returns where it ends.
  double lay(int rank, double y, double least, double margin) {
    const double height =
        tracks_[at(rank)] == 0 ? least : std::max(least, lines(rank) + 2 * margin);
    g_.channel_top[at(rank)] = y;
    g_.channel_bottom[at(rank)] = y + height;
    g_.rank_y[at(rank)] = y + (height - lines(rank)) / 2;
    return y + height;
  }

  void stack() {
    const auto ranks = at(d_.grid.rows * d_.ranks_per_row());
    for (auto* v :
         {&g_.rank_y, &g_.layer_top, &g_.layer_bottom, &g_.channel_top, &g_.channel_bottom})
      v->assign(ranks, 0);
    const bool clusters = !d_.picture.clusters.empty();
    const bool band =
        std::find(d_.grid.cell_of.begin(), d_.grid.cell_of.end(), kBand) != d_.grid.cell_of.end();
    double y = band ? kBandPitch * g_.band_rows - 4 : 0;
    g_.band_y = kBandPitch / 2 - 4;
    for (int row = 0; row < d_.grid.rows; ++row) {
      y = lay(d_.top_bus(row), y, row > 0 ? kRowGap : 0, 10);
      if (clusters) y += kCaption;
      const double rim = clusters ? 10 : 4;
      y = lay(d_.channel(row, 0), y, channel_least(row, 0, 4), 8);
      for (int layer = 1; layer <= d_.layers; ++layer) {
        const auto rank = at(d_.layer_rank(row, layer));
        g_.layer_top[rank] = y;
        g_.layer_bottom[rank] = y + layer_height_[at(row)][at(layer)];
        g_.rank_y[rank] = y + layer_height_[at(row)][at(layer)] / 2;
        y = g_.layer_bottom[rank];
        const double least = channel_least(row, layer, rim);
        y = lay(d_.channel(row, layer), y, least, layer < d_.layers ? 9 : 10);
      }
      y = lay(d_.bottom_bus(row), y, 0, 10);
    }
  }

  void finish_boxes() {
    for (std::size_t n = 0; n < d_.boxes.size(); ++n) {
      const Cell* cell = d_.cell(static_cast<int>(n));
      if (cell == nullptr) {
        d_.boxes[n].y = g_.band_y + (g_.band_row.empty() ? 0 : kBandPitch * g_.band_row[n]);
        continue;
      }
      d_.boxes[n].y = g_.rank_y[at(d_.layer_rank(cell->row, d_.layer(static_cast<int>(n))))];
      if (d_.tall(static_cast<int>(n))) make_tall(d_.boxes[n], *cell);
    }
  }

  void make_tall(Box& box, const Cell& cell) const {
    const Plan& plan = d_.plans[2 * at(cell.pattern)];
    const Plan& gradient = d_.plans[2 * at(cell.pattern) + 1];
    const int last = std::max({1, plan.layers + plan.offset, gradient.layers + gradient.offset});
    const double top = g_.channel_top[at(d_.channel(cell.row, 0))];
    const double bottom = g_.channel_bottom[at(d_.channel(cell.row, last))] - 6;
    box.y = (top + bottom) / 2;
    box.height = bottom - top;
  }

  void set_levels(Wire& w) const {
    for (Leg& leg : w.legs) {
      if (leg.horizontal)
        leg.at = g_.rank_y[at(leg.rank)] + (leg.lane < 0 ? 0 : kTrackGap * leg.track);
    }
  }

  Drawing& d_;
  Geometry& g_;
  std::vector<int> tracks_;                        // by rank
  std::vector<std::vector<double>> layer_height_;  // by row and layer
  std::vector<double> channel_height_;             // below a layer
};

}  // namespace

void set_rows(Drawing& d, Geometry& g) { Rows(d, g).run(); }

}  // namespace taugrad::draw
