#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "draw/layout/layout.h"
#include "draw/printed/printed_layout.h"
#include "support_picture.h"
#include "taugrad/draw/model_picture.h"

/// Pictures as books print them, and what lies where in them.
namespace taugrad::test {

using draw::Box;
using draw::Layout;
using draw::Point;

inline std::size_t at(int i) { return static_cast<std::size_t>(i); }

inline Picture printed(const std::string& name, const UnfoldOptions& o = {.steps = 3}) {
  return picture_of(unfold(shipped_definition(name), o), {.detail = Detail::variables});
}

/// The printed views of a shipped definition that the layout of books takes, by name.
inline std::vector<std::pair<std::string, Picture>> printed_views(const std::string& name) {
  const Definition d = shipped_definition(name);
  std::vector<std::pair<std::string, Picture>> views;
  views.emplace_back("folded", picture_of(folded(d), {.detail = Detail::variables}));
  views.emplace_back("unfolded", printed(name));
  const Unfolded u = unfold(d, {.steps = 3});
  if (u.has_loss()) {
    views.emplace_back("gradient", gradient_picture_of(u, {.detail = Detail::variables}));
  }
  if (u.has_loss() && d.loss.empty()) {
    views.emplace_back("model",
                       picture_of(graphical_model(unfold(d, {.steps = 4})), {.printed = true}));
  }
  return views;
}

inline std::vector<Box> texts_of(const Picture& p, const Layout& l) {
  std::vector<Box> texts;
  for (std::size_t e = 0; e < p.edges.size(); ++e)
    if (const double w = draw::printed_width(p.edges[e]); w > 0)
      texts.push_back({l.edges[e].label.x, l.edges[e].label.y, w, draw::kLabelHeight});
  for (std::size_t n = 0; n < p.nodes.size(); ++n)
    if (const double w = draw::side_width(p.nodes[n]); w > 0)
      texts.push_back({l.sides[n].x, l.sides[n].y, w, draw::kLabelHeight});
  return texts;
}

inline bool overlap(const Box& a, const Box& b) {
  return std::abs(a.x - b.x) * 2 < a.width + b.width - 0.1 &&
         std::abs(a.y - b.y) * 2 < a.height + b.height - 0.1;
}

using Lines = std::vector<std::vector<Point>>;

inline Lines lines_of(const Layout& l) {
  Lines lines;
  for (const draw::Path& path : l.edges) lines.push_back(draw::sampled(path));
  return lines;
}

inline double cross(Point a, Point b, Point c) {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}
inline bool cut(Point a, Point b, Point c, Point d) {
  return cross(a, b, c) * cross(a, b, d) < 0 && cross(c, d, a) * cross(c, d, b) < 0;
}

/// How far a box is from the nearest point of a line, looked at every pixel or so.
inline double distance(const Box& b, const std::vector<Point>& line) {
  double least = 1e18;
  for (std::size_t s = 0; s + 1 < line.size(); ++s) {
    const Point way{line[s + 1].x - line[s].x, line[s + 1].y - line[s].y};
    const int pieces = std::max(1, static_cast<int>(std::hypot(way.x, way.y)));
    for (int k = 0; k <= pieces; ++k) {
      const Point q{line[s].x + way.x * k / pieces, line[s].y + way.y * k / pieces};
      least = std::min(least, std::hypot(std::max(0.0, std::abs(q.x - b.x) - b.width / 2),
                                         std::max(0.0, std::abs(q.y - b.y) - b.height / 2)));
    }
  }
  return least;
}

}  // namespace taugrad::test
