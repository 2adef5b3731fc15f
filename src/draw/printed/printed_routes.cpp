// The lines of printed pictures: straight where nothing is in the way, else the arc that meets
// least.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/index.h"
#include "draw/layout/path_text.h"
#include "draw/printed/printed_layout.h"

namespace taugrad::draw {
namespace {

constexpr double kClear = 5;  // between a line and a circle that is not its end
constexpr double kHit = 1e6;  // more than any number of crossings
constexpr double kCrossing = 40, kBent = 9;
constexpr double kLeast = 13;    // how far an arc is from the straight line, at least
constexpr double kLoop = 34;     // how far a loop reaches
constexpr double kAlike = 0.35;  // sine of the angle of lines that run alike

Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
Point operator*(double s, Point a) { return {s * a.x, s * a.y}; }
double length(Point a) { return std::hypot(a.x, a.y); }

/// Whether a point is nearer than that to a box with round ends.
bool is_near(const Box& b, Point p, double gap) {
  const double r = std::min(b.width, b.height) / 2;
  const double dx = std::max(0.0, std::abs(p.x - b.x) - (b.width / 2 - r));
  const double dy = std::max(0.0, std::abs(p.y - b.y) - (b.height / 2 - r));
  return dx * dx + dy * dy < (r + gap) * (r + gap);
}

/// Where the boundary is met on the way from the middle.
Point boundary(const Box& b, Point middle, Point towards) {
  const Point way = towards - middle;
  const double far = length(way);
  if (far < 1e-9) return middle;
  if (b.width == b.height && middle.x == b.x && middle.y == b.y)  // a circle
    return middle + (b.width / 2 / far) * way;
  double inside = 0, outside = (b.width + b.height) / far;
  for (int i = 0; i < 40; ++i) {
    const double half = (inside + outside) / 2;
    (is_near(b, middle + half * way, 0) ? inside : outside) = half;
  }
  return middle + inside * way;
}

double cross(Point a, Point b) { return a.x * b.y - a.y * b.x; }
// A point on the other line counts to one side, for symmetric curves cross at their joints.
bool cut(Point a, Point b, Point c, Point d) {
  const auto left = [](Point p, Point q, Point r) { return cross(q - p, r - p) < 0; };
  return left(a, b, c) != left(a, b, d) && left(c, d, a) != left(c, d, b);
}

struct Line {
  Path path;
  std::vector<Point> points;
  Box around;  ///< what it lies in
};

Line line_of(Path path) {
  Line l{std::move(path), {}, {}};
  l.points = sampled(l.path);
  double left = 1e18, right = -1e18, top = 1e18, bottom = -1e18;
  for (const Point q : l.points) {
    left = std::min(left, q.x), right = std::max(right, q.x);
    top = std::min(top, q.y), bottom = std::max(bottom, q.y);
  }
  l.around = {(left + right) / 2, (top + bottom) / 2, right - left, bottom - top};
  return l;
}

bool apart(const Box& a, const Box& b) {
  return std::abs(a.x - b.x) * 2 > a.width + b.width ||
         std::abs(a.y - b.y) * 2 > a.height + b.height;
}

/// Whether a straight piece is wholly at one side of a box.
bool beside(Point p, Point q, const Box& b) {
  return std::max(p.x, q.x) < b.left() || std::min(p.x, q.x) > b.right() ||
         std::max(p.y, q.y) < b.top() || std::min(p.y, q.y) > b.bottom();
}

int crossings(const Line& a, const Line& b) {
  int count = 0;
  for (std::size_t i = 0; i + 1 < a.points.size(); ++i) {
    if (beside(a.points[i], a.points[i + 1], b.around)) continue;
    for (std::size_t k = 0; k + 1 < b.points.size(); ++k)
      if (cut(a.points[i], a.points[i + 1], b.points[k], b.points[k + 1])) ++count;
  }
  return count;
}

class Router {
 public:
  Router(const Picture& p, const std::vector<Box>& boxes) : p_(p), boxes_(boxes) {}

  std::optional<std::vector<Path>> run() {
    std::vector<int> order(p_.edges.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, {},
                             [&](int e) { return length(end(e, false) - end(e, true)); });
    lines_.resize(p_.edges.size());
    for (const int e : order) {
      if (choose(e) >= kHit) return std::nullopt;
      done_.push_back(e);
    }
    reconsider(order);
    std::vector<Path> paths;
    for (Line& l : lines_) paths.push_back(std::move(l.path));
    return paths;
  }

 private:
  /// The candidate that meets least of the lines so far. @returns what it costs
  double choose(int e) {
    const bool loop = p_.edges[at(e)].from == p_.edges[at(e)].to;
    if (!loop && !p_.edges[at(e)].square) {  // no arc costs less than a straight line in no way
      Line straight = straight_line(e);
      const double cost = cost_of(e, straight, kBent);
      if (cost < kBent || (along_grid(e) && hits(e, straight) == 0)) {
        lines_[at(e)] = std::move(straight);
        return cost;
      }
    }
    std::vector<Line> candidates = loop ? loops(e) : arcs(e);
    double least = 1e18;
    std::size_t best = 0;
    for (std::size_t c = 0; c < candidates.size(); ++c) {
      const double cost =
          static_cast<double>(c) * 0.01 + bent_[c] + cost_of(e, candidates[c], least);
      if (cost >= least) continue;
      least = cost;
      best = c;
    }
    lines_[at(e)] = std::move(candidates[best]);
    return least;
  }

  /// Those that were drawn early knew nothing of those that came later: lines that cross are
  /// chosen again, until none gets better.
  void reconsider(const std::vector<int>& order) {
    constexpr int kRounds = 3;
    bool better = true;
    for (int round = 0; better && round < kRounds; ++round) {
      better = false;
      for (const int e : order) {
        const double before = cost_of(e, lines_[at(e)], 1e18);
        if (before < kCrossing) continue;
        Line old = lines_[at(e)];
        choose(e);
        if (cost_of(e, lines_[at(e)], before) < before - 1e-9)
          better = true;
        else
          lines_[at(e)] = std::move(old);
      }
    }
  }

  /// The middle of an end; of an ellipsis, at the height of the other end.
  Point end(int e, bool from) const {
    const PictureEdge& edge = p_.edges[at(e)];
    const int n = from ? edge.from : edge.to, other = from ? edge.to : edge.from;
    const Box& b = boxes_[at(n)];
    Point p{b.x, b.y};
    if (p_.nodes[at(n)].kind == NodeKind::ellipsis)
      p.y = std::clamp(boxes_[at(other)].y, b.top() + kCircle / 2, b.bottom() - kCircle / 2);
    return p;
  }

  /// From one place of a grid to the next: straight, whatever it crosses, so that the grid is seen.
  bool along_grid(int e) const {
    const PictureNode &a = p_.nodes[at(p_.edges[at(e)].from)],
                      &b = p_.nodes[at(p_.edges[at(e)].to)];
    return a.cluster >= 0 && b.cluster >= 0 && a.cluster != b.cluster && a.role == b.role &&
           p_.clusters[at(a.cluster)].position.size() > 1;
  }

  Line straight_line(int e) const {
    const PictureEdge& edge = p_.edges[at(e)];
    const Point a = end(e, true), b = end(e, false);
    const Point from = boundary(boxes_[at(edge.from)], a, b);
    const Point to = boundary(boxes_[at(edge.to)], b, a);
    const Point third = (1.0 / 3) * (to - from);
    Path path;
    path.points = {from, from + third, to - third, to};
    return line_of(std::move(path));
  }

  std::vector<Line> arcs(int e) {
    const PictureEdge& edge = p_.edges[at(e)];
    const Point a = end(e, true), b = end(e, false);
    const Point way = b - a;
    const double far = length(way);
    const Point normal{-way.y / far, way.x / far};
    std::vector<Line> all;
    bent_.clear();
    constexpr std::array<double, 21> kBulges{0,     0.07, -0.07, 0.1,   -0.1,  0.14,  -0.14,
                                             0.2,   -0.2, 0.26,  -0.26, 0.34,  -0.34, 0.44,
                                             -0.44, 0.58, -0.58, 0.75,  -0.75, 1.0,   -1.0};
    for (const double bulge : kBulges) {
      if (bulge == 0 && edge.square) continue;  // a circuit's way back is no straight line
      const double reach = bulge * far;
      if (bulge != 0 && std::abs(reach) < kLeast) continue;
      const Point c1 = a + 0.25 * way + (4.0 / 3 * reach) * normal;
      const Point c2 = a + 0.75 * way + (4.0 / 3 * reach) * normal;
      if (bulge == 0) {
        all.push_back(straight_line(e));
      } else {
        Path path;
        path.points = {boundary(boxes_[at(edge.from)], a, c1), c1, c2,
                       boundary(boxes_[at(edge.to)], b, c2)};
        all.push_back(line_of(std::move(path)));
      }
      bent_.push_back(bulge == 0 ? 0 : kBent + std::abs(reach) * 0.25 + hidden(edge, c1, c2));
    }
    if (std::abs(way.x) > kCircle && std::abs(way.y) > kCircle)
      for (const double share : {0.5, 0.75, 1.0}) {  // level at both ends, down between two columns
        const Point level{way.x * share, 0}, c1 = a + level, c2 = b - level;
        Path path;
        path.points = {boundary(boxes_[at(edge.from)], a, c1), c1, c2,
                       boundary(boxes_[at(edge.to)], b, c2)};
        all.push_back(line_of(std::move(path)));
        bent_.push_back(kBent + 12 + share + hidden(edge, c1, c2));
      }
    add_beside(e, all);
    return all;
  }

  /// Between two long names over each other: upright, beside the straight line.
  void add_beside(int e, std::vector<Line>& all) {
    const Box &from = boxes_[at(p_.edges[at(e)].from)], &to = boxes_[at(p_.edges[at(e)].to)];
    const double left = std::max(from.left(), to.left()) + kCircle / 2,
                 right = std::min(from.right(), to.right()) - kCircle / 2;
    if (std::abs(from.y - to.y) < kCircle || right - left < kCircle) return;
    for (const double share : {0.75, 0.25, 0.95, 0.05}) {
      const double x = left + (right - left) * share, side = share > 0.5 ? kLeast : -kLeast;
      const Point a = boundary(from, {x, from.y}, {x, to.y}),
                  b = boundary(to, {x, to.y}, {x, from.y});
      const Point third{side, (b.y - a.y) / 3};
      Path path;
      path.points = {a, {a.x + third.x, a.y + third.y}, {b.x + third.x, b.y - third.y}, b};
      all.push_back(line_of(std::move(path)));
      bent_.push_back(kBent + 4);
    }
  }

  /// What an arc costs that would run inside a long name or along it, with its arrow head.
  double hidden(const PictureEdge& edge, Point c1, Point c2) const {
    const auto is_along = [&](int n, Point p) {
      return boxes_[at(n)].width > 2 * kCircle && is_near(boxes_[at(n)], p, 8);
    };
    return is_along(edge.from, c1) || is_along(edge.to, c2) ? 5 * kCrossing : 0;
  }

  /// From a node to itself: at its right, its left, above, below.
  std::vector<Line> loops(int e) {
    const Box& b = boxes_[at(p_.edges[at(e)].from)];
    std::vector<Line> all;
    bent_.clear();
    for (const double reach : {1.0, 1.7})
      for (const Point way : {Point{1, 0}, Point{-1, 0}, Point{0, -1}, Point{0, 1}}) {
        // of a long name, at the round end
        const double round = std::min(b.width, b.height) / 2, far = round + kLoop * reach;
        const Point across{-way.y, way.x},
            middle{b.x + way.x * (b.width / 2 - round), b.y + way.y * (b.height / 2 - round)};
        const Point c1 = middle + far * 1.15 * way - 24 * across;
        const Point c2 = middle + far * 1.15 * way + 24 * across;
        Path path;
        path.points = {boundary(b, middle, middle + 10 * way - 9 * across), c1, c2,
                       boundary(b, middle, middle + 10 * way + 9 * across)};
        all.push_back(line_of(std::move(path)));
        bent_.push_back(reach * 4);
      }
    return all;
  }

  /// Nodes that a line runs into.
  int hits(int e, const Line& line) const {
    const PictureEdge& edge = p_.edges[at(e)];
    int count = 0;
    for (std::size_t n = 0; n < boxes_.size(); ++n) {
      const int number = static_cast<int>(n);
      if (number == edge.from || number == edge.to) continue;
      Box wide = boxes_[n];
      wide.width += 2 * kClear, wide.height += 2 * kClear;
      if (!apart(wide, line.around) && meets(boxes_[n], line)) ++count;
    }
    return count;
  }

  double cost_of(int e, const Line& line, double most) const {
    double cost = kHit * hits(e, line);
    for (std::size_t i = 0; i < done_.size() && cost < most; ++i) {
      if (done_[i] == e) continue;
      const Line& other = lines_[at(done_[i])];
      Box wide = other.around;
      wide.width += 2, wide.height += 2;
      if (apart(wide, line.around)) continue;
      cost += kCrossing * crossings(line, other);
      if (lie_together(line, other)) cost += kHit / 2;
    }
    return cost;
  }

  static bool meets(const Box& b, const Line& line) {
    const Box wide{b.x, b.y, b.width + 2 * kClear, b.height + 2 * kClear};
    for (std::size_t i = 0; i + 1 < line.points.size(); ++i) {
      const Point a = line.points[i], c = line.points[i + 1], way = c - a;
      if (beside(a, c, wide)) continue;
      const int pieces = std::max(1, static_cast<int>(length(way) / 6));
      for (int k = 0; k <= pieces; ++k)
        if (is_near(b, a + (static_cast<double>(k) / pieces) * way, kClear)) return true;
    }
    return false;
  }

  /// Two lines that could not be told apart: their middles are at one place, and they run alike.
  static bool lie_together(const Line& a, const Line& b) {
    const auto middle = [](const Line& l) {
      const std::size_t half = l.points.size() / 2;
      return l.points.size() == 2 ? 0.5 * (l.points[0] + l.points[1]) : l.points[half];
    };
    const auto way = [](const Line& l) {
      const std::size_t half = l.points.size() / 2;
      return l.points[std::min(half + 1, l.points.size() - 1)] - l.points[half - 1];
    };
    if (length(middle(a) - middle(b)) >= 10) return false;
    const Point u = way(a), v = way(b);
    return std::abs(cross(u, v)) < kAlike * length(u) * length(v);
  }

  const Picture& p_;
  const std::vector<Box>& boxes_;
  std::vector<Line> lines_;
  std::vector<int> done_;
  std::vector<double> bent_;  // of the candidates last made
};

}  // namespace

std::vector<Point> sampled(const Path& path) {
  const auto& p = path.points;
  std::vector<Point> points{p[0]};
  for (std::size_t i = 0; i + 3 < p.size(); i += 3) {
    const int pieces = is_line(&p[i]) ? 1 : 14;
    for (int k = 1; k <= pieces; ++k) {
      const double t = static_cast<double>(k) / pieces, s = 1 - t;
      points.push_back({s * s * s * p[i].x + 3 * s * s * t * p[i + 1].x +
                            3 * s * t * t * p[i + 2].x + t * t * t * p[i + 3].x,
                        s * s * s * p[i].y + 3 * s * s * t * p[i + 1].y +
                            3 * s * t * t * p[i + 2].y + t * t * t * p[i + 3].y});
    }
  }
  return points;
}

int printed_crossings(const std::vector<Path>& paths) {
  std::vector<Line> lines;
  for (const Path& p : paths) lines.push_back(line_of(p));
  int count = 0;
  for (std::size_t i = 0; i < lines.size(); ++i)
    for (std::size_t k = i + 1; k < lines.size(); ++k)
      if (!apart(lines[i].around, lines[k].around)) count += crossings(lines[i], lines[k]);
  return count;
}

std::optional<std::vector<Path>> printed_routes(const Picture& picture,
                                                const std::vector<Box>& boxes) {
  return Router(picture, boxes).run();
}

}  // namespace taugrad::draw
