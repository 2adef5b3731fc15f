#include "draw/printed/poverty.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "draw/printed/printed_layout.h"
#include "draw/text/path_text.h"

namespace taugrad::draw {
namespace {

// in crossings
constexpr double kFalling = 0.67;                 // a line that does not rise
constexpr double kFar = 0.03, kNear = 5;          // one that is longer, by the slot
constexpr double kBent = 0.15, kBentAlong = 1.1;  // one that is not straight
constexpr double kSurely = 0.85;                  // share of crossings that are there at any scale

double length_of(const Path& path) {
  const std::vector<Point> points = sampled(path);
  double length = 0;
  for (std::size_t i = 0; i + 1 < points.size(); ++i)
    length += std::hypot(points[i + 1].x - points[i].x, points[i + 1].y - points[i].y);
  return length;
}

/// Whether one step follows the other.
bool are_neighbours(const Picture& picture, int a, int b) {
  if (a < 0 || b < 0) return false;
  const std::vector<int>&p = picture.clusters[static_cast<std::size_t>(a)].position,
        &q = picture.clusters[static_cast<std::size_t>(b)].position;
  if (p.size() != q.size()) return false;
  int far = 0;
  for (std::size_t i = 0; i < p.size(); ++i) far += std::abs(p[i] - q[i]);
  return far == 1;
}

/// What each line costs for being no straight one: most, of what goes from a variable to itself in
/// the next step.
std::vector<double> bends(const Picture& picture, const Layout& layout) {
  std::vector<double> cost;
  for (std::size_t e = 0; e < layout.edges.size(); ++e) {
    const PictureNode& from = picture.nodes[static_cast<std::size_t>(picture.edges[e].from)];
    const PictureNode& to = picture.nodes[static_cast<std::size_t>(picture.edges[e].to)];
    const bool along = from.role == to.role && are_neighbours(picture, from.cluster, to.cluster);
    cost.push_back(!is_bent(layout.edges[e]) ? 0 : along ? kBentAlong : kBent);
  }
  return cost;
}

/// Of each line whether it belongs to a step and does not rise, as those of books do; of those of
/// the gradient, the mirror image, none.
std::vector<char> falling(const Picture& picture, const Layout& layout) {
  std::vector<char> falls;
  for (const PictureEdge& e : picture.edges) {
    const auto from = static_cast<std::size_t>(e.from), to = static_cast<std::size_t>(e.to);
    const int step = picture.nodes[from].cluster;
    falls.push_back(step >= 0 && !picture.nodes[to].adjoint && step == picture.nodes[to].cluster &&
                    !e.square && layout.nodes[from].y < layout.nodes[to].y + kCircle / 2);
  }
  return falls;
}

double farness(const Path& line) {
  return kFar * std::max(0.0, length_of(line) / kSlotPitch - kNear);
}

}  // namespace

bool is_bent(const Path& path) { return !is_line(&path.points[0]); }

void Poverty::take_as_usual(const Layout& layout) {
  usual_falls_ = falling(picture_, layout);
  usual_bends_ = bends(picture_, layout);
}

double Poverty::of(const Layout& layout) const {
  const std::vector<char> falls = falling(picture_, layout);
  const std::vector<double> bent = bends(picture_, layout);
  double poor = printed_crossings(layout.edges);
  for (std::size_t e = 0; e < falls.size(); ++e) {
    if (falls[e] > usual_falls_[e]) poor += kFalling;
    poor += std::max(0.0, bent[e] - usual_bends_[e]);
    poor += farness(layout.edges[e]);
  }
  return poor;
}

double Poverty::at_least(const Layout& layout, int crossings) const {
  const std::vector<char> falls = falling(picture_, layout);
  double poor = kSurely * crossings - 1;
  for (std::size_t e = 0; e < falls.size(); ++e) {
    if (falls[e] > usual_falls_[e]) poor += kFalling;
    poor += farness(layout.edges[e]);
  }
  return poor;
}

}  // namespace taugrad::draw
