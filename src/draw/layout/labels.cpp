// Where the texts on edges stand: each on its own line, clear of other texts, nodes, borders and
// lines.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "base/index.h"
#include "draw/layout/geometry.h"
#include "draw/layout/obstacles.h"
#include "draw/printed/printed_layout.h"
#include "draw/text/text.h"

namespace taugrad::draw {
namespace {

constexpr double kLineHeight = 12;
constexpr double kBeside = 4;               // between a caption and a line
constexpr double kStep = 6;                 // between places that are tried
constexpr std::size_t kMostEdges = 10'000;  // of a larger picture labels keep clear of labels alone
constexpr std::array<double, 9> kShares{0.5, 0.38, 0.62, 0.26, 0.74, 0.16, 0.84, 0.06, 0.94};

// The upright leg in a gutter, and its number; null: there is none.
const Leg* upright_leg(const Wire& w, std::size_t& number) {
  for (std::size_t i = 1; i + 1 < w.legs.size(); ++i) {
    if (w.legs[i].horizontal || w.legs[i].lane < 0) continue;
    number = i;
    return &w.legs[i];
  }
  return nullptr;
}

class Labels {
 public:
  /// @param told_apart  whether a text on a line that others share is worse than on one of its own
  /// @param heads  whether one on the head of an arrow is
  Labels(const Drawing& d, Layout& layout, bool told_apart, bool heads)
      : d_(d),
        layout_(layout),
        paths_(layout.edges),
        searched_(paths_.size() <= kMostEdges),
        told_apart_(told_apart) {
    if (searched_) add_drawing();
    for (const Path& path : paths_)
      if (heads && searched_) add_head(path.points.back(), path.points[path.points.size() - 2]);
    place_captions();
  }

  bool covering() const { return covering_; }  ///< whether a text lies on another or on a node
  /// @param short_first  those inside steps before those that go around
  Cramped place(bool short_first) {
    const auto place_if = [&](const auto& holds) {
      for (std::size_t e = 0; e < paths_.size(); ++e)
        if (!d_.picture.edges[e].label.empty() && holds(d_.wires[e].way)) place(e);
    };
    if (!short_first) {
      place_if([](Wire::Way) { return true; });
    } else {
      place_if([](Wire::Way way) { return way == Wire::Way::inner; });
      place_if([](Wire::Way way) { return way != Wire::Way::inner; });
    }
    return std::move(cramped_);
  }

 private:
  void add_drawing() {
    for (const Box& b : d_.boxes) drawn_.add_box(b);
    for (const Box& b : layout_.clusters) {
      constexpr double kBorder = 2;
      drawn_.add_box({b.left(), b.y, kBorder, b.height});
      drawn_.add_box({b.right(), b.y, kBorder, b.height});
    }
    for (std::size_t e = 0; e < paths_.size(); ++e) {
      const std::vector<Point> points = sampled(paths_[e]);
      for (std::size_t i = 0; i + 1 < points.size(); ++i)
        drawn_.add_piece(points[i], points[i + 1], d_.wires[e].net, d_.picture.edges[e].to,
                         name(e));
    }
  }

  /// To be seen whoever's text it is.
  void add_head(Point tip, Point from) {
    const double far = std::hypot(tip.x - from.x, tip.y - from.y);
    if (far < 1e-9) return;
    const double share = kHeadLength / far;
    drawn_.add_piece({tip.x + (from.x - tip.x) * share, tip.y + (from.y - tip.y) * share}, tip,
                     kHead, -1, -1);
  }

  /// A number for the text of an edge.
  int name(std::size_t e) {
    return names_.try_emplace(d_.picture.edges[e].label, static_cast<int>(names_.size()))
        .first->second;
  }

  /// In the middle of the upper border; where a line passes there, beside it.
  void place_captions() {
    layout_.captions.clear();
    for (std::size_t c = 0; c < layout_.clusters.size(); ++c) {
      const Box& b = layout_.clusters[c];
      const double width = text_width(d_.picture.clusters[c].label, kSmallSize + 1);
      const double room = std::max(0.0, (b.width - width) / 2 - 4);
      const auto box = [&](double away) {
        return Box{b.x + away, b.top() + 10, width + 2 * kBeside, kLineHeight};
      };
      Box best = box(0);
      long least = searched_ ? drawn_.cost(best, -1, -1, -1) : 0;
      for (double away = kStep; least > 0 && away <= room; away += kStep)
        for (const double place : {-away, away})
          if (const long cost = drawn_.cost(box(place), -1, -1, -1); cost < least) {
            least = cost;
            best = box(place);
          }
      if (least > 0) crowd(static_cast<int>(c));
      layout_.captions.push_back({best.x, best.y});
      drawn_.add_box(best);
    }
  }

  /// The captions of all steps like that one need room.
  void crowd(int cluster) {
    const std::vector<Cell>& cells = d_.grid.cells;
    const auto cell = std::ranges::find(cells, cluster, &Cell::cluster);
    cramped_.captions.resize(at(d_.grid.columns), 0);
    for (const Cell& c : cells)
      if (c.pattern == cell->pattern) cramped_.captions[at(c.column)] = 1;
  }

  void place(std::size_t e) {
    std::size_t i = 0;
    const Leg* leg = upright_leg(d_.wires[e], i);
    const std::string& label = d_.picture.edges[e].label;
    if (leg != nullptr) {  // one line, one label
      const auto [same, fresh] = of_net_.try_emplace({leg->lane, d_.wires[e].net, label});
      if (!fresh) {
        paths_[e].label = same->second;
        return;
      }
      paths_[e].label = same->second = best(e, leg, i);
    } else if (searched_) {
      paths_[e].label = best(e, leg, i);
    }
  }

  /// On the leg in the gutter, else in the middle; where something is in the way, elsewhere.
  Point best(std::size_t e, const Leg* leg, std::size_t i) {
    std::vector<Point> places;
    if (leg != nullptr) {
      const double from = d_.wires[e].legs[i - 1].at, to = d_.wires[e].legs[i + 1].at;
      for (const double share : kShares) places.push_back({leg->at, from + (to - from) * share});
    } else {
      places.push_back(paths_[e].label);
    }
    if (searched_) add_places_along(paths_[e], places);
    const double width = text_width(d_.picture.edges[e].label, kSmallSize) + 3;
    const auto box = [&](Point p) { return Box{p.x, p.y, width, kLineHeight}; };
    long least = -1;
    Point best = places.front();
    for (const Point p : places) {
      const long cost =
          drawn_.cost(box(p), d_.wires[e].net, d_.picture.edges[e].to, told_apart_ ? name(e) : -1);
      if (least >= 0 && cost >= least) continue;
      least = cost;
      best = p;
      if (cost == 0) break;
    }
    drawn_.add_box(box(best));
    covering_ = covering_ || least >= kCovering;
    if (least > kShared && leg != nullptr && searched_)
      cramped_.tracks.push_back({leg->lane, leg->track, width / 2 + 2});
    return best;
  }

  static void add_places_along(const Path& path, std::vector<Point>& places) {
    const std::vector<Point> points = sampled(path);
    std::vector<double> walked{0};
    for (std::size_t i = 1; i < points.size(); ++i)
      walked.push_back(walked.back() +
                       std::hypot(points[i].x - points[i - 1].x, points[i].y - points[i - 1].y));
    // from the middle outwards
    const int count = std::clamp(static_cast<int>(walked.back() / kStep), 9, 150);
    for (int k = 0; k <= count; ++k) {
      const double away = (k + 1) / 2 * (0.94 / count);
      const double want = (k % 2 == 0 ? 0.5 - away : 0.5 + away) * walked.back();
      const auto behind = std::ranges::lower_bound(walked, want) - walked.begin();
      const auto i =
          std::clamp<std::size_t>(static_cast<std::size_t>(behind), 1, points.size() - 1);
      const double step = walked[i] - walked[i - 1];
      const double t = step > 0 ? (want - walked[i - 1]) / step : 0;
      places.push_back({points[i - 1].x + (points[i].x - points[i - 1].x) * t,
                        points[i - 1].y + (points[i].y - points[i - 1].y) * t});
    }
  }

  const Drawing& d_;
  Layout& layout_;
  std::vector<Path>& paths_;
  const bool searched_, told_apart_;
  bool covering_ = false;
  Obstacles drawn_;
  std::unordered_map<std::string, int> names_;
  std::map<std::tuple<int, int, std::string>, Point> of_net_;
  Cramped cramped_;
};

}  // namespace

Cramped place_labels(const Drawing& d, Layout& layout) {
  std::vector<Point> middles;
  for (const Path& p : layout.edges) middles.push_back(p.label);
  // with texts on short lines placed first, or on heads, there may be room for all; else not all
  // are told apart
  for (const bool heads : {true, false})
    for (const bool short_first : {false, true}) {
      Labels labels(d, layout, true, heads);
      Cramped cramped = labels.place(short_first);
      if (!labels.covering()) return cramped;
      for (std::size_t e = 0; e < middles.size(); ++e) layout.edges[e].label = middles[e];
    }
  return Labels(d, layout, false, false).place(false);
}

}  // namespace taugrad::draw
