#include "draw/printed/drawn_line.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "draw/printed/printed_layout.h"
#include "draw/text/path_text.h"

namespace taugrad::draw {
namespace {

constexpr std::size_t kMostPoints = 16;  // of a curve
constexpr double kAlike = 0.35;          // sine of the angle of lines that run alike

double cross(Point a, Point b) { return a.x * b.y - a.y * b.x; }
double dot(Point a, Point b) { return a.x * b.x + a.y * b.y; }

// A point on the other line counts to one side, for symmetric curves cross at their joints.
bool is_left(Point p, Point q, Point r) { return cross(q - p, r - p) < 0; }
bool cut(Point a, Point b, Point c, Point d) {
  return is_left(a, b, c) != is_left(a, b, d) && is_left(c, d, a) != is_left(c, d, b);
}

/// Whether a straight piece is wholly at one side of a box.
bool beside(Point p, Point q, const Box& b) {
  return std::max(p.x, q.x) < b.left() || std::min(p.x, q.x) > b.right() ||
         std::max(p.y, q.y) < b.top() || std::min(p.y, q.y) > b.bottom();
}

/// How far along a way of length 1 a circle around the origin is left; below 0: it is not met.
double leaves_circle(Point start, Point way, double radius) {
  const double b = dot(start, way), square = b * b - dot(start, start) + radius * radius;
  return square < 0 ? -1 : std::sqrt(square) - b;
}

/// The same of a box around the origin.
double leaves_box(Point start, Point way, Point half) {
  double from = -1e18, to = 1e18;
  const auto clip = [&](double at, double step, double reach) {
    if (step == 0) return std::abs(at) <= reach;
    const double one = (-reach - at) / step, other = (reach - at) / step;
    from = std::max(from, std::min(one, other)), to = std::min(to, std::max(one, other));
    return from <= to;
  };
  return clip(start.x, way.x, half.x) && clip(start.y, way.y, half.y) ? to : -1;
}

/// Squares of distances: from a point to a straight piece, and between two.
double square_to(Point p, Point a, Point b) {
  const Point way = b - a;
  const double square = dot(way, way);
  const double t = square > 0 ? std::clamp(dot(p - a, way) / square, 0.0, 1.0) : 0;
  const Point off = p - a - t * way;
  return dot(off, off);
}
double square_between(Point a, Point b, Point c, Point d) {
  if (c.x == d.x && c.y == d.y) return square_to(c, a, b);
  if (cut(a, b, c, d)) return 0;
  return std::min(std::min(square_to(a, c, d), square_to(b, c, d)),
                  std::min(square_to(c, a, b), square_to(d, a, b)));
}

}  // namespace

bool is_near(const Box& b, Point p, double gap) {
  const double r = std::min(b.width, b.height) / 2;
  const double dx = std::max(0.0, std::abs(p.x - b.x) - (b.width / 2 - r));
  const double dy = std::max(0.0, std::abs(p.y - b.y) - (b.height / 2 - r));
  return dx * dx + dy * dy < (r + gap) * (r + gap);
}

// It is convex, and made of a box and a circle at each end: the last that is left.
Point boundary(const Box& b, Point inside, Point towards) {
  const double far = length(towards - inside);
  if (far < 1e-9) return inside;
  const Point way = (1 / far) * (towards - inside), start = inside - Point{b.x, b.y};
  const double r = std::min(b.width, b.height) / 2;
  const Point core{b.width / 2 - r, b.height / 2 - r};
  const Point half = core.x > 0 ? Point{core.x, r} : Point{r, core.y};
  const double out =
      std::max({leaves_circle(start - core, way, r), leaves_circle(start + core, way, r),
                leaves_box(start, way, half), 0.0});
  return inside + out * way;
}

DrawnLine drawn_line(Path path) {
  DrawnLine l{std::move(path), {}, {}};
  l.points = sampled(l.path);
  double left = 1e18, right = -1e18, top = 1e18, bottom = -1e18;
  for (const Point q : l.points) {
    left = std::min(left, q.x), right = std::max(right, q.x);
    top = std::min(top, q.y), bottom = std::max(bottom, q.y);
  }
  l.around = {(left + right) / 2, (top + bottom) / 2, right - left, bottom - top};
  return l;
}

bool runs_into(const DrawnLine& line, const Box& b) {
  const double r = std::min(b.width, b.height) / 2;
  const Point core{b.width / 2 - r, b.height / 2 - r}, middle{b.x, b.y};
  const Point from = middle - core, to = middle + core;
  const Box wide{b.x, b.y, b.width + 2 * kClear, b.height + 2 * kClear};
  for (std::size_t i = 0; i + 1 < line.points.size(); ++i)
    if (!beside(line.points[i], line.points[i + 1], wide) &&
        square_between(line.points[i], line.points[i + 1], from, to) < (r + kClear) * (r + kClear))
      return true;
  return false;
}

namespace {

/// How often a straight piece crosses a line.
int crossings(Point p, Point q, const std::vector<Point>& line) {
  std::array<char, kMostPoints> left;  // of the piece, for points of the line
  const std::size_t count = std::min(line.size(), left.size());
  int lefts = 0;
  for (std::size_t k = 0; k < count; ++k) {  // without branches
    left[k] = static_cast<char>(is_left(p, q, line[k]));
    lefts += left[k];
  }
  if (lefts == 0 || lefts == static_cast<int>(count)) return 0;
  int found = 0;
  for (std::size_t k = 0; k + 1 < count; ++k)
    if (left[k] != left[k + 1])
      found +=
          static_cast<int>(is_left(line[k], line[k + 1], p) != is_left(line[k], line[k + 1], q));
  return found;
}

}  // namespace

int crossings(const DrawnLine& a, const DrawnLine& b) {
  if (a.points.size() > b.points.size()) return crossings(b, a);
  int count = 0;
  for (std::size_t i = 0; i + 1 < a.points.size(); ++i)
    if (!beside(a.points[i], a.points[i + 1], b.around))
      count += crossings(a.points[i], a.points[i + 1], b.points);
  return count;
}

bool lie_together(const DrawnLine& a, const DrawnLine& b) {
  const auto middle = [](const DrawnLine& l) {
    const std::size_t half = l.points.size() / 2;
    return l.points.size() == 2 ? 0.5 * (l.points[0] + l.points[1]) : l.points[half];
  };
  const auto way = [](const DrawnLine& l) {
    const std::size_t half = l.points.size() / 2;
    return l.points[std::min(half + 1, l.points.size() - 1)] - l.points[half - 1];
  };
  if (length(middle(a) - middle(b)) >= 10) return false;
  const Point u = way(a), v = way(b);
  return std::abs(cross(u, v)) < kAlike * length(u) * length(v);
}

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
  std::vector<DrawnLine> lines;
  for (const Path& p : paths) lines.push_back(drawn_line(p));
  int count = 0;
  for (std::size_t i = 0; i < lines.size(); ++i)
    for (std::size_t k = i + 1; k < lines.size(); ++k)
      if (!apart(lines[i].around, lines[k].around)) count += crossings(lines[i], lines[k]);
  return count;
}

}  // namespace taugrad::draw
