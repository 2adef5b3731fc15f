// Texts of printed pictures: beside the lines and nodes, where nothing else is.
#include <algorithm>
#include <array>
#include <cmath>

#include "draw/layout/math_text.h"
#include "draw/layout/text.h"
#include "draw/printed/drawn_line.h"
#include "draw/printed/printed_layout.h"

namespace taugrad::draw {
namespace {

constexpr double kGap = 2;     // between texts, and from them to circles
constexpr double kSquare = 7;  // side of a delay's square

bool overlap(const Box& a, const Box& b, double gap) {
  return std::abs(a.x - b.x) * 2 < a.width + b.width + 2 * gap &&
         std::abs(a.y - b.y) * 2 < a.height + b.height + 2 * gap;
}

/// Whether a piece of a line runs through a box.
bool runs_through(const Box& b, Point p, Point q) {
  double from = 0, to = 1;
  const auto clip = [&](double start, double way, double low, double high) {
    if (std::abs(way) < 1e-12) return start > low && start < high;
    double one = (low - start) / way, other = (high - start) / way;
    if (one > other) std::swap(one, other);
    from = std::max(from, one);
    to = std::min(to, other);
    return true;
  };
  return clip(p.x, q.x - p.x, b.left(), b.right()) && clip(p.y, q.y - p.y, b.top(), b.bottom()) &&
         from < to;
}

class Texts {
 public:
  Texts(const Picture& p, Layout& layout) : p_(p), layout_(layout) {
    for (const Path& path : layout.edges) {
      DrawnLine line = drawn_line(path);
      lines_.push_back(std::move(line.points));
      around_.push_back(line.around);
    }
    for (std::size_t n = 0; n < p.nodes.size(); ++n)
      if (p.nodes[n].kind != NodeKind::ellipsis) taken_.push_back(layout.nodes[n]);
    for (std::size_t e = 0; e < p.edges.size(); ++e) {
      if (!p.edges[e].square) continue;
      const Point m = lines_[e][lines_[e].size() / 2];
      taken_.push_back({m.x, m.y, kSquare, kSquare});
    }
  }

  bool run() {
    layout_.sides.assign(p_.nodes.size(), {});
    for (std::size_t n = 0; n < p_.nodes.size(); ++n)
      if (const double width = side_width(p_.nodes[n]); width > 0 && !beside_node(n, width))
        return false;
    for (std::size_t e = 0; e < p_.edges.size(); ++e)
      if (const double width = printed_width(p_.edges[e]); width > 0 && !beside_line(e, width))
        return false;
    return true;
  }

 private:
  bool is_free(const Box& b) const {
    return std::ranges::none_of(taken_, [&](const Box& t) { return overlap(b, t, kGap); });
  }
  bool is_clear(const Box& b) const {
    for (std::size_t l = 0; l < lines_.size(); ++l) {
      const auto& line = lines_[l];
      if (!overlap(b, around_[l], 1)) continue;
      for (std::size_t i = 0; i + 1 < line.size(); ++i)
        if (runs_through(b, line[i], line[i + 1])) return false;
    }
    return true;
  }

  /// The first of the places that is free and that no line runs through.
  bool take(const std::vector<Point>& places, double width, Point& to) {
    for (const Point p : places) {
      const Box b{p.x, p.y, width, kLabelHeight};
      if (!is_free(b) || !is_clear(b)) continue;
      to = p;
      taken_.push_back(b);
      return true;
    }
    return false;
  }

  bool beside_node(std::size_t n, double width) {
    const Box& b = layout_.nodes[n];
    const double right = b.right() + 4 + width / 2, left = b.left() - 4 - width / 2;
    return take({{right, b.y},
                 {left, b.y},
                 {right - 4, b.top()},
                 {left + 4, b.top()},
                 {right - 4, b.bottom()},
                 {left + 4, b.bottom()}},
                width, layout_.sides[n]);
  }

  bool beside_line(std::size_t e, double width) {
    constexpr int kPlaces = 27;  // from the middle outwards
    std::vector<Point> places;
    for (int k = 0; k < kPlaces; ++k) {
      const double away = (k + 1) / 2 * (0.42 / (kPlaces / 2)),
                   share = 0.5 + (k % 2 ? -away : away);
      const auto [p, way] = on_line(lines_[e], share);
      const Point normal{-way.y, way.x};
      const double first = normal.x > 0.3 || (std::abs(normal.x) <= 0.3 && normal.y < 0) ? 1 : -1;
      for (const double side : {first, -first})
        places.push_back(beside(p, {side * normal.x, side * normal.y}, width));
    }
    return take(places, width, layout_.edges[e].label);
  }

  /// The middle of a text that touches a line at a point, at the side of its normal. Where the line
  /// is slanted a corner does, which of a long text is to be near the point.
  static Point beside(Point p, Point normal, double width) {
    constexpr double kFar = 24;
    const double off = std::abs(normal.x) * width / 2 + std::abs(normal.y) * kLabelHeight / 2 + 2;
    const Point middle{p.x + off * normal.x, p.y + off * normal.y};
    const double away = std::hypot(std::max(0.0, std::abs(middle.x - p.x) - width / 2),
                                   std::max(0.0, std::abs(middle.y - p.y) - kLabelHeight / 2));
    if (away <= kFar) return middle;
    const double x = std::copysign(width / 2, normal.x),
                 y = std::copysign(kLabelHeight / 2, normal.y);
    const double along = normal.y * x - normal.x * y;  // from the point to the corner
    const double back = along - std::clamp(along, -kFar, kFar);
    return {middle.x + back * normal.y, middle.y - back * normal.x};
  }

  /// The point at a share of the length, and the direction there.
  static std::pair<Point, Point> on_line(const std::vector<Point>& line, double share) {
    double whole = 0;
    for (std::size_t i = 0; i + 1 < line.size(); ++i)
      whole += std::hypot(line[i + 1].x - line[i].x, line[i + 1].y - line[i].y);
    double left = whole * share;
    for (std::size_t i = 0; i + 1 < line.size(); ++i) {
      const Point way{line[i + 1].x - line[i].x, line[i + 1].y - line[i].y};
      const double far = std::hypot(way.x, way.y);
      if (left <= far && far > 0)
        return {{line[i].x + way.x * left / far, line[i].y + way.y * left / far},
                {way.x / far, way.y / far}};
      left -= far;
    }
    return {line.back(), {1, 0}};
  }

  const Picture& p_;
  Layout& layout_;
  std::vector<std::vector<Point>> lines_;  // by edge
  std::vector<Box> around_;                // what they lie in
  std::vector<Box> taken_;
};

}  // namespace

double printed_width(const PictureEdge& edge) {
  return edge.label.empty() ? 0 : text_width(edge.label, kPrintedLabel) + 2;
}

double side_width(const PictureNode& node) {
  if (node.name.empty() || node.kind == NodeKind::ellipsis) return 0;
  const std::string text = second_line(node, true);
  return text.empty() ? 0 : text_width(text, kSmallSize) + 2;
}

bool place_printed_texts(const Picture& picture, Layout& layout) {
  return Texts(picture, layout).run();
}

}  // namespace taugrad::draw
