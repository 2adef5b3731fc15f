#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "base/index.h"
#include "draw/layout/geometry.h"
#include "draw/layout/tracks.h"
#include "draw/text/text.h"

namespace taugrad::draw {
namespace {

constexpr double kPad = 12;     // inside a cluster
constexpr double kMargin = 8;   // gutter without lines
constexpr double kGutter = 30;  // gutter with one line
constexpr double kInside = 34;  // between forward nodes and gradient

struct Range {
  double low = std::numeric_limits<double>::max(), high = std::numeric_limits<double>::lowest();
  void cover(double from, double to) {
    low = std::min(low, from);
    high = std::max(high, to);
  }
  double width() const { return high < low ? 0 : high - low; }
};

class Columns {
 public:
  Columns(Drawing& d, Geometry& g) : d_(d), g_(g), ranges_(2 * d.grid.cells.size()) {}

  void run() {
    const std::vector<int> tracks = gutter_tracks();
    find_ranges();
    place_columns(tracks);
    place_nodes();
    place_band(d_, g_);
    shift_heads(d_, g_);
    set_uprights();
  }

 private:
  std::vector<int> gutter_tracks() {
    gutter_label_.assign(2 * at(d_.grid.columns) + 1, 0);
    std::vector<Stretch> stretches;
    std::vector<Leg*> legs;
    for (std::size_t e = 0; e < d_.wires.size(); ++e) {
      Wire& w = d_.wires[e];
      const double width = text_width(d_.picture.edges[e].label, kSmallSize);
      if (w.legs.size() == 1 && w.exit_gutter >= 0) {  // straight through, from side to side
        double& label = gutter_label_[at(w.exit_gutter)];
        label = std::max(label, width);
      }
      for (std::size_t i = 0; i < w.legs.size(); ++i) {
        Leg& leg = w.legs[i];
        if (leg.horizontal || leg.lane < 0) continue;
        double& label = gutter_label_[at(leg.lane)];
        label = std::max(label, width);
        const int a = w.legs[i - 1].rank, b = w.legs[i + 1].rank;
        stretches.push_back({leg.lane, double(std::min(a, b)), double(std::max(a, b)), w.net});
        legs.push_back(&leg);
      }
    }
    std::vector<int> used = assign_tracks(stretches, 2 * d_.grid.columns + 1);
    for (std::size_t i = 0; i < legs.size(); ++i) legs[i]->track = stretches[i].track;
    return used;
  }

  // The part of its plan that a cell uses: cells at the boundary hold few of the nodes.
  void find_ranges() {
    for (std::size_t n = 0; n < d_.picture.nodes.size(); ++n) {
      const int cell = d_.grid.cell_of[n];
      if (cell == kBand) continue;
      const PlanNode& p = d_.plans[at(d_.plan_of[n])].nodes[at(d_.plan_node[n])];
      range(cell, d_.plan_of[n]).cover(p.x - d_.boxes[n].width / 2, p.x + d_.boxes[n].width / 2);
    }
    for (std::size_t e = 0; e < d_.wires.size(); ++e) {
      const Wire& w = d_.wires[e];
      const PictureEdge& edge = d_.picture.edges[e];
      if (w.way == Wire::Way::inner) cover_chain(edge.from, w.plan, w.plan_edge);
      if (w.exit_edge >= 0) cover_chain(edge.from, w.exit_plan, w.exit_edge);
      if (w.entry_edge >= 0) cover_chain(edge.to, w.entry_plan, w.entry_edge);
    }
  }
  Range& range(int cell, int plan) { return ranges_[2 * at(cell) + at(plan % 2)]; }
  void cover_chain(int node, int plan, int plan_edge) {
    for (const int n : d_.plans[at(plan)].edges[at(plan_edge)].chain) {
      const PlanNode& p = d_.plans[at(plan)].nodes[at(n)];
      if (!p.is_real()) range(d_.grid.cell_of[at(node)], plan).cover(p.x - 2, p.x + 2);
    }
  }

  void place_columns(const std::vector<int>& tracks) {
    const auto columns = at(d_.grid.columns);
    std::vector<double> forward(columns, 0), gradient(columns, 0), pad(columns, 0),
        caption(columns, 0);
    for (std::size_t c = 0; c < d_.grid.cells.size(); ++c) {
      const Cell& cell = d_.grid.cells[c];
      const auto k = at(cell.column);
      forward[k] = std::max(forward[k], ranges_[2 * c].width());
      gradient[k] = std::max(gradient[k], ranges_[2 * c + 1].width());
      if (cell.cluster < 0) continue;
      pad[k] = kPad;
      caption[k] = std::max(
          caption[k], text_width(d_.picture.clusters[at(cell.cluster)].label, kSmallSize + 1));
    }
    g_.gutter.resize(2 * columns + 1);
    set_tracks(tracks);
    std::vector<double> forward_left(columns), gradient_left(columns), left(columns),
        right(columns);
    double x = gutter(0, tracks, 0, kMargin);
    for (std::size_t k = 0; k < columns; ++k) {
      left[k] = x;
      const bool both = forward[k] > 0 && gradient[k] > 0;
      const double inside = both ? kInside + span(2 * k + 1) : 0;
      const double content = forward[k] + inside + gradient[k];
      // a caption that lines would cross stands beside what they lead to
      const bool beside = !g_.cramped.captions.empty() && g_.cramped.captions[k];
      const double width = beside ? content + caption[k] : std::max(content, caption[k]);
      forward_left[k] = x + pad[k] + (width - content) / (beside ? 1 : 2);
      g_.gutter[2 * k + 1] = forward_left[k] + forward[k] + (inside - span(2 * k + 1)) / 2;
      gradient_left[k] = forward_left[k] + forward[k] + inside;
      right[k] = x + width + 2 * pad[k];
      x = gutter(static_cast<int>(2 * k + 2), tracks, right[k], kMargin + 4);
    }
    place_cells(forward_left, gradient_left, forward, gradient, left, right);
  }

  // Sets the first track of a gutter that begins at x; returns where it ends.
  double gutter(int number, const std::vector<int>& tracks, double x, double empty) {
    const int count = tracks[at(number)];
    const double label = gutter_label_[at(number)];
    if (count == 0 && label > 0) empty = std::max(empty, label + 16);  // on a line straight through
    const double width = count == 0 ? empty : std::max(kGutter, label + 6) + span(at(number));
    g_.gutter[at(number)] = x + (width - span(at(number))) / 2;
    return x + width;
  }

  // Tracks lie close, but for those beside a text that needs room.
  void set_tracks(const std::vector<int>& tracks) {
    g_.tracks.resize(tracks.size());
    std::vector<std::vector<double>> room(tracks.size());
    for (std::size_t i = 0; i < tracks.size(); ++i) room[i].assign(at(tracks[i]), 0);
    for (const TightTrack& t : g_.cramped.tracks) {
      double& wanted = room[at(t.gutter)][at(t.track)];
      wanted = std::max(wanted, t.room);
    }
    for (std::size_t i = 0; i < tracks.size(); ++i) {
      g_.tracks[i].assign(at(tracks[i]), 0);
      for (std::size_t k = 1; k < room[i].size(); ++k)
        g_.tracks[i][k] = g_.tracks[i][k - 1] + std::max({kTrackGap, room[i][k - 1], room[i][k]});
    }
  }
  double span(std::size_t gutter) const {
    return g_.tracks[gutter].empty() ? 0 : g_.tracks[gutter].back();
  }

  void place_cells(const std::vector<double>& forward_left,
                   const std::vector<double>& gradient_left, const std::vector<double>& forward,
                   const std::vector<double>& gradient, const std::vector<double>& left,
                   const std::vector<double>& right) {
    g_.plan_left.resize(ranges_.size(), 0);
    for (std::size_t c = 0; c < d_.grid.cells.size(); ++c) {
      const auto k = at(d_.grid.cells[c].column);
      const Range& f = ranges_[2 * c];
      const Range& b = ranges_[2 * c + 1];
      if (f.width() > 0)
        g_.plan_left[2 * c] = forward_left[k] + (forward[k] - f.width()) / 2 - f.low;
      if (b.width() > 0)
        g_.plan_left[2 * c + 1] = gradient_left[k] + (gradient[k] - b.width()) / 2 - b.low;
      g_.cell_left.push_back(left[k]);
      g_.cell_right.push_back(right[k]);
    }
  }

  void place_nodes() {
    for (std::size_t n = 0; n < d_.boxes.size(); ++n) {
      if (d_.plan_of[n] >= 0)
        d_.boxes[n].x = plan_x(d_, g_, static_cast<int>(n), d_.plan_of[n], d_.plan_node[n]);
    }
  }

  void set_uprights() {
    for (std::size_t e = 0; e < d_.wires.size(); ++e) {
      Wire& w = d_.wires[e];
      const PictureEdge& edge = d_.picture.edges[e];
      for (std::size_t i = 0; i < w.legs.size(); ++i) {
        Leg& leg = w.legs[i];
        if (leg.horizontal) continue;
        if (leg.lane >= 0) {
          leg.at = g_.gutter[at(leg.lane)] + g_.tracks[at(leg.lane)][at(leg.track)];
        } else if (i == 0) {
          leg.at = w.exit_edge >= 0 ? port_x(d_, g_, edge.from, w.exit_plan, w.exit_edge)
                                    : d_.boxes[at(edge.from)].x;
        } else {
          leg.at = w.entry_edge >= 0 ? port_x(d_, g_, edge.to, w.entry_plan, w.entry_edge)
                                     : d_.boxes[at(edge.to)].x + w.shift;
        }
      }
    }
  }

  Drawing& d_;
  Geometry& g_;
  std::vector<Range> ranges_;         // by 2 * cell + lane
  std::vector<double> gutter_label_;  // widest
};

}  // namespace

double plan_x(const Drawing& d, const Geometry& g, int node, int plan, int plan_node) {
  const auto lane = 2 * at(d.grid.cell_of[at(node)]) + at(plan % 2);
  return g.plan_left[lane] + d.plans[at(plan)].nodes[at(plan_node)].x;
}

double port_x(const Drawing& d, const Geometry& g, int node, int plan, int plan_edge) {
  const auto& chain = d.plans[at(plan)].edges[at(plan_edge)].chain;
  const bool first = !d.plans[at(plan)].nodes[at(chain.front())].is_real();
  return plan_x(d, g, node, plan, first ? chain.front() : chain.back());
}

void set_columns(Drawing& d, Geometry& g) { Columns(d, g).run(); }

}  // namespace taugrad::draw
