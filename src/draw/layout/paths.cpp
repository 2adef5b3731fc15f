#include <algorithm>
#include <cmath>
#include <vector>

#include "base/index.h"
#include "draw/layout/geometry.h"
#include "draw/text/path_text.h"

namespace taugrad::draw {
namespace {

constexpr double kCorner = 9;  // radius

Point mix(Point a, Point b, double t) { return {a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t}; }
double distance(Point a, Point b) { return std::hypot(a.x - b.x, a.y - b.y); }

// Whether the way from b to c is that from a to b.
bool goes_on(Point a, Point b, Point c) {
  const double x = b.x - a.x, y = b.y - a.y, u = c.x - b.x, v = c.y - b.y;
  return std::abs(x * v - y * u) < 0.01 && x * u + y * v > 0;
}

void add_line(std::vector<Point>& to, Point p) {
  const Point from = to.back();
  if (distance(from, p) < 0.01) return;
  to.insert(to.end(), {mix(from, p, 1.0 / 3), mix(from, p, 2.0 / 3), p});
}

// Straight pieces that go on in one direction become one: a line past many layers is one piece.
void join_lines(std::vector<Point>& points) {
  std::size_t end = 0;  // of what is kept
  for (std::size_t i = 0; i + 3 < points.size(); i += 3) {
    const std::size_t last = end < 3 ? 0 : end - 3;
    const bool on = end > 0 && is_line(&points[last]) && is_line(&points[i]) &&
                    goes_on(points[last], points[end], points[i + 3]);
    if (on) end = last;
    const Point from = points[end], to = points[i + 3];
    points[end + 1] = on ? mix(from, to, 1.0 / 3) : points[i + 1];
    points[end + 2] = on ? mix(from, to, 2.0 / 3) : points[i + 2];
    points[end += 3] = to;
  }
  points.resize(std::min(points.size(), end + 1));
}

// From one height to another, upright at both ends.
void add_swing(std::vector<Point>& to, Point p) {
  const Point from = to.back();
  if (std::abs(from.x - p.x) < 0.5) return add_line(to, p);
  const double middle = (from.y + p.y) / 2;
  to.insert(to.end(), {{from.x, middle}, {p.x, middle}, p});
}

// Straight pieces with rounded corners; the first corner is already the end of `to`.
void add_corners(std::vector<Point>& to, const std::vector<Point>& corners) {
  for (std::size_t i = 1; i < corners.size(); ++i) {
    if (i + 1 == corners.size()) return add_line(to, corners[i]);
    const Point a = corners[i - 1], b = corners[i], c = corners[i + 1];
    const double radius = std::min({kCorner, distance(a, b) / 2, distance(b, c) / 2});
    if (radius < 0.5) {
      add_line(to, b);
      continue;
    }
    const Point before = mix(b, a, radius / distance(a, b)),
                after = mix(b, c, radius / distance(b, c));
    add_line(to, before);
    to.insert(to.end(), {mix(before, b, 2.0 / 3), mix(after, b, 2.0 / 3), after});
  }
}

class PathMaker {
 public:
  PathMaker(const Drawing& d, const Geometry& g, int e)
      : d_(d), g_(g), edge_(d.picture.edges[at(e)]), wire_(d.wires[at(e)]) {}

  Path make() {
    Path path;
    if (wire_.way == Wire::Way::inner) {
      path.points = chain(wire_.plan, wire_.plan_edge, edge_.from);
      if (d_.adjoint(edge_.from)) std::reverse(path.points.begin(), path.points.end());
    } else {
      path.points = routed();
    }
    path.label = middle(path.points);
    join_lines(path.points);
    return path;
  }

 private:
  // A chain of a plan from its upper to its lower end, in the cell of `node`. The head of the edge
  // is shifted.
  std::vector<Point> chain(int plan_number, int plan_edge, int node) const {
    const Plan& plan = d_.plans[at(plan_number)];
    const auto& chain = plan.edges[at(plan_edge)].chain;
    const int row = d_.cell(node)->row;
    const double left = g_.plan_left[2 * at(d_.grid.cell_of[at(node)]) + at(plan_number % 2)];
    std::vector<Point> points;
    for (std::size_t i = 0; i < chain.size(); ++i) {
      const PlanNode& p = plan.nodes[at(chain[i])];
      const int layer = p.layer + plan.offset;
      double x = left + p.x;
      if (p.kind == PlanNode::Kind::top_port) {
        points.push_back({x, g_.channel_top[at(d_.channel(row, layer))]});
        continue;
      }
      if (p.kind == PlanNode::Kind::bottom_port) {
        add_swing(points, {x, g_.channel_bottom[at(d_.channel(row, layer - 1))]});
        continue;
      }
      if (p.is_real() && is_head(plan_number, chain[i])) x += wire_.shift;
      const double top = g_.layer_top[at(d_.layer_rank(row, layer))];
      const double bottom = g_.layer_bottom[at(d_.layer_rank(row, layer))];
      const double half = p.is_real() ? real_height(plan_number, chain[i]) / 2 : (bottom - top) / 2;
      if (i > 0) {
        add_swing(points, {x, top});
        if (p.is_real()) add_line(points, {x, (top + bottom) / 2 - half});
      }
      if (i + 1 < chain.size()) {
        if (points.empty()) points.push_back({x, (top + bottom) / 2 + half});
        add_line(points, {x, bottom});
      }
    }
    return points;
  }
  bool is_head(int plan, int plan_node) const {
    return d_.plan_of[at(edge_.to)] == plan && d_.plan_node[at(edge_.to)] == plan_node;
  }
  double real_height(int plan, int plan_node) const {
    return d_.boxes[at(is_head(plan, plan_node) ? edge_.to : edge_.from)].height;
  }

  std::vector<Point> routed() const {
    const auto& legs = wire_.legs;
    std::vector<Point> points, entry;
    if (wire_.exit_edge >= 0) {
      points = chain(wire_.exit_plan, wire_.exit_edge, edge_.from);
      if ((points.front().y < points.back().y) != leaves_downwards())
        std::reverse(points.begin(), points.end());
    } else {
      points.push_back(rim(edge_.from, legs.front(), legs.size() > 1 ? &legs[1] : nullptr, 0));
    }
    if (wire_.entry_edge >= 0) entry = chain(wire_.entry_plan, wire_.entry_edge, edge_.to);
    const Point end = entry.empty()
                          ? rim(edge_.to, legs.back(),
                                legs.size() > 1 ? &legs[legs.size() - 2] : nullptr, wire_.shift)
                          : entry.front();
    std::vector<Point> corners{points.back()};
    for (std::size_t i = 0; i + 1 < legs.size(); ++i) {
      corners.push_back(legs[i].horizontal ? Point{legs[i + 1].at, legs[i].at}
                                           : Point{legs[i].at, legs[i + 1].at});
    }
    corners.push_back(end);
    add_corners(points, corners);
    if (!entry.empty()) points.insert(points.end(), entry.begin() + 1, entry.end());
    return points;
  }
  bool leaves_downwards() const { return wire_.bus == Wire::Bus::bottom; }

  // Where the outermost leg meets the box: its side for a level leg, top or bottom for an upright
  // one.
  Point rim(int node, const Leg& leg, const Leg* next, double shift) const {
    const Box& box = d_.boxes[at(node)];
    if (leg.horizontal) {
      const Box& other = d_.boxes[at(node == edge_.from ? edge_.to : edge_.from)];
      const double towards = next != nullptr ? next->at : other.x;
      return {towards > box.x ? box.right() : box.left(), leg.at};
    }
    const bool below = next == nullptr || next->at > box.y;
    return {box.x + shift, below ? box.bottom() : box.top()};
  }

  static Point middle(const std::vector<Point>& points) {
    double total = 0;
    for (std::size_t i = 3; i < points.size(); i += 3) total += distance(points[i - 3], points[i]);
    double walked = 0;
    for (std::size_t i = 3; i < points.size(); i += 3) {
      const double step = distance(points[i - 3], points[i]);
      if (walked + step >= total / 2 && step > 0) {
        const double t = (total / 2 - walked) / step;
        const Point a = mix(points[i - 3], points[i - 2], t),
                    b = mix(points[i - 2], points[i - 1], t), c = mix(points[i - 1], points[i], t);
        return mix(mix(a, b, t), mix(b, c, t), t);
      }
      walked += step;
    }
    return points.empty() ? Point{} : points.front();
  }

  const Drawing& d_;
  const Geometry& g_;
  const PictureEdge& edge_;
  const Wire& wire_;
};

}  // namespace

Path draw_path(const Drawing& d, const Geometry& g, int edge) {
  return PathMaker(d, g, edge).make();
}

}  // namespace taugrad::draw
