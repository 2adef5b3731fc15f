#include "draw/printed/arcs.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/index.h"
#include "draw/printed/printed_layout.h"

namespace taugrad::draw {
namespace {

constexpr double kLeast = 13;  // how far an arc is from the straight line, at least
constexpr double kLoop = 34;   // how far a loop reaches

}  // namespace

const Box& Arcs::box(int e, bool from) const {
  return boxes_[at(from ? p_.edges[at(e)].from : p_.edges[at(e)].to)];
}

Point Arcs::end(int e, bool from) const {
  const Box &b = box(e, from), &other = box(e, !from);
  const PictureEdge& edge = p_.edges[at(e)];
  if (p_.nodes[at(from ? edge.from : edge.to)].kind != NodeKind::ellipsis) return {b.x, b.y};
  return {b.x, std::clamp(other.y, b.top() + kCircle / 2, b.bottom() - kCircle / 2)};
}

DrawnLine Arcs::drawn(int e, const Arc& arc) const {
  const Point from = boundary(box(e, true), arc.points[0], arc.from_way),
              to = boundary(box(e, false), arc.points[3], arc.to_way);
  Path path;
  if (arc.cost == 0) {
    const Point third = (1.0 / 3) * (to - from);
    path.points = {from, from + third, to - third, to};
  } else {
    path.points = {from, arc.points[1], arc.points[2], to};
  }
  return drawn_line(std::move(path));
}

Arc Arcs::straight(int e) const {
  const Point a = end(e, true), b = end(e, false);
  return {{a, a, b, b}, b, a, 0};
}

std::vector<Arc> Arcs::of(int e) const {
  return p_.edges[at(e)].from == p_.edges[at(e)].to ? loops(e) : arcs(e);
}

std::vector<Arc> Arcs::arcs(int e) const {
  const Point a = end(e, true), b = end(e, false);
  const Point way = b - a;
  const double far = length(way);
  const Point normal{-way.y / far, way.x / far};
  std::vector<Arc> all;
  constexpr std::array<double, 10> kBulges{0.07, 0.1, 0.14, 0.2, 0.26, 0.34, 0.44, 0.58, 0.75, 1.0};
  // a circuit's way back is no straight line
  if (!p_.edges[at(e)].square) all.push_back(straight(e));
  const auto add = [&](Point c1, Point c2, double cost) {
    all.push_back({{a, c1, c2, b}, c1, c2, kBent + cost + hidden(e, c1, c2)});
  };
  for (const double bulge : kBulges) {
    const double reach = bulge * far;
    if (reach < kLeast) continue;
    for (const double side : {reach, -reach})
      add(a + 0.25 * way + (4.0 / 3 * side) * normal, a + 0.75 * way + (4.0 / 3 * side) * normal,
          reach * 0.25);
  }
  for (const double bulge : {0.14, 0.26, 0.44}) {  // far from the straight line near one end
    const double reach = bulge * far;
    if (reach < kLeast) continue;
    for (const double side : {2 * reach, -2 * reach}) {
      add(a + 0.25 * way + side * normal, a + 0.75 * way, 2 + reach * 0.25);
      add(a + 0.25 * way, a + 0.75 * way + side * normal, 2 + reach * 0.25);
    }
  }
  if (std::abs(way.x) > kCircle && std::abs(way.y) > kCircle)
    for (const double share : {0.5, 0.75, 1.0}) {  // level at both ends, down between two columns
      const Point level{way.x * share, 0};
      add(a + level, b - level, 12 + share);
    }
  add_beside(e, all);
  return all;
}

/// Between two long names over each other: upright, beside the straight line.
void Arcs::add_beside(int e, std::vector<Arc>& all) const {
  const Box &from = box(e, true), &to = box(e, false);
  const double left = std::max(from.left(), to.left()) + kCircle / 2,
               right = std::min(from.right(), to.right()) - kCircle / 2;
  if (std::abs(from.y - to.y) < kCircle || right - left < kCircle) return;
  for (const double share : {0.75, 0.25, 0.95, 0.05}) {
    const double x = left + (right - left) * share, side = share > 0.5 ? kLeast : -kLeast;
    const Point from_way{x, to.y}, to_way{x, from.y};
    const Point a = boundary(from, {x, from.y}, from_way), b = boundary(to, {x, to.y}, to_way);
    const Point third{side, (b.y - a.y) / 3};
    all.push_back({{Point{x, from.y}, Point{a.x + third.x, a.y + third.y},
                    Point{b.x + third.x, b.y - third.y}, Point{x, to.y}},
                   from_way,
                   to_way,
                   kBent + 4});
  }
}

/// What an arc costs that would run inside a long name or along it, with its arrow head.
double Arcs::hidden(int e, Point c1, Point c2) const {
  const auto is_along = [&](const Box& b, Point p) {
    return b.width > 2 * kCircle && is_near(b, p, 8);
  };
  return is_along(box(e, true), c1) || is_along(box(e, false), c2) ? 5 * kCrossing : 0;
}

/// From a node to itself: at its right, its left, above, below.
std::vector<Arc> Arcs::loops(int e) const {
  const Box& b = box(e, true);
  std::vector<Arc> all;
  for (const double reach : {1.0, 1.7})
    for (const Point way : {Point{1, 0}, Point{-1, 0}, Point{0, -1}, Point{0, 1}}) {
      // of a long name, at the round end
      const double round = std::min(b.width, b.height) / 2, far = round + kLoop * reach;
      const Point across{-way.y, way.x},
          middle{b.x + way.x * (b.width / 2 - round), b.y + way.y * (b.height / 2 - round)};
      const Point turn = middle + far * 1.15 * way, out = middle + 10 * way;
      all.push_back({{middle, turn - 24 * across, turn + 24 * across, middle},
                     out - 9 * across,
                     out + 9 * across,
                     reach * 4});
    }
  return all;
}

}  // namespace taugrad::draw
