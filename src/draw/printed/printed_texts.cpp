// Texts of printed pictures: beside the lines and nodes, where nothing else is.
#include <algorithm>
#include <array>
#include <cmath>

#include "draw/printed/drawn_line.h"
#include "draw/printed/printed_layout.h"
#include "draw/text/math_text.h"
#include "draw/text/text.h"

namespace taugrad::draw {
namespace {

constexpr double kGap = 2;               // between texts, and from them to circles
constexpr double kNear = 3.2, kFar = 5;  // of a text from lines that are not its own

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

/// What a text is to be clear of beside circles and texts: of lines; of arrow heads too; and near
/// or far of all lines but its own, for nobody to take it for theirs.
enum class Care { lines, heads, near, far };

class Texts {
 public:
  Texts(const Picture& p, Layout& layout) : p_(p), layout_(layout) {
    for (const Path& path : layout.edges) {
      DrawnLine line = drawn_line(path);
      lines_.push_back(std::move(line.points));
      around_.push_back(line.around);
      heads_.push_back(head_of(path));
    }
    for (std::size_t n = 0; n < p.nodes.size(); ++n)
      if (p.nodes[n].kind != NodeKind::ellipsis) taken_.push_back(layout.nodes[n]);
    for (std::size_t e = 0; e < p.edges.size(); ++e)
      if (p.edges[e].square) place_square(e);
    without_texts_ = taken_.size();
  }

  bool run(Care most) {
    care_ = most;
    taken_.resize(without_texts_);
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
  using Head = std::array<Point, 3>;  // a corner, the tip, the other corner
  static Head head_of(const Path& path) {
    const Point tip = path.points.back(), before = path.points[path.points.size() - 2];
    const double far = std::max(length(tip - before), 1e-9);
    const Point way = (1 / far) * (tip - before);
    const Point aside{-kHeadWidth / 2 * way.y, kHeadWidth / 2 * way.x};
    const Point back = tip - kHeadLength * way;
    return {back + aside, tip, back - aside};
  }

  /// Near the middle of its line, where no other line runs.
  void place_square(std::size_t e) {
    constexpr int kPlaces = 21;
    constexpr double kAway = 0.3, kClearance = 2;
    const Point middle = lines_[e][lines_[e].size() / 2];
    Point to = middle;
    bool clear = false;
    for (int k = 0; k < kPlaces && !clear; ++k) {
      const double away = (k + 1) / 2 * (kAway / (kPlaces / 2));
      if (k > 0) to = on_line(lines_[e], k % 2 ? 0.5 - away : 0.5 + away).first;
      const Box b{to.x, to.y, kSquare + 2 * kClearance, kSquare + 2 * kClearance};
      clear = is_free(b) && is_clear_of_lines(b, static_cast<int>(e)) && is_clear_of_heads(b);
    }
    if (!clear) to = middle;
    layout_.edges[e].square = to;
    taken_.push_back({to.x, to.y, kSquare, kSquare});
  }

  bool is_free(const Box& b) const {
    return std::ranges::none_of(taken_, [&](const Box& t) { return overlap(b, t, kGap); });
  }
  /// @param but  an edge whose line does not count, or -1
  bool is_clear_of_lines(const Box& b, int but) const {
    for (std::size_t l = 0; l < lines_.size(); ++l) {
      const auto& line = lines_[l];
      if (static_cast<int>(l) == but || !overlap(b, around_[l], 1)) continue;
      for (std::size_t i = 0; i + 1 < line.size(); ++i)
        if (runs_through(b, line[i], line[i + 1])) return false;
    }
    return true;
  }
  bool is_clear_of_heads(const Box& b) const {
    return std::ranges::none_of(heads_, [&](const Head& h) {
      return std::abs(h[1].x - b.x) < b.width / 2 + kHeadLength + kHeadWidth &&
             std::abs(h[1].y - b.y) < b.height / 2 + kHeadLength + kHeadWidth &&
             (runs_through(b, h[0], h[1]) || runs_through(b, h[1], h[2]) ||
              runs_through(b, h[2], h[0]));
    });
  }
  /// @param own  the edge of a text, or -1
  bool is_clear(const Box& b, Care care, int own) const {
    if (!is_clear_of_lines(b, -1)) return false;
    if (care == Care::lines) return true;
    if (!is_clear_of_heads({b.x, b.y, b.width + 2, b.height + 2})) return false;
    const double apart = 2 * (care == Care::far ? kFar : kNear);
    return care == Care::heads ||
           is_clear_of_lines({b.x, b.y, b.width + apart, b.height + apart}, own);
  }

  /// The first of the places that is free and that no line runs through, with as much care as can
  /// be had.
  bool take(const std::vector<Point>& places, double width, int own, Point& to) {
    std::vector<Box> free;
    for (const Point p : places)
      if (const Box b{p.x, p.y, width, kLabelHeight}; is_free(b)) free.push_back(b);
    for (const Care care : {Care::far, Care::near, Care::heads, Care::lines}) {
      if (care > care_) continue;
      const auto found =
          std::ranges::find_if(free, [&](const Box& b) { return is_clear(b, care, own); });
      if (found == free.end()) continue;
      to = {found->x, found->y};
      taken_.push_back(*found);
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
                width, -1, layout_.sides[n]);
  }

  bool beside_line(std::size_t e, double width) {
    constexpr int kPlaces = 27;  // from the middle outwards
    std::vector<Point> places;
    for (const double gap : {kGap, kGap + kHeadWidth / 2}) {
      if (gap > kGap && care_ == Care::lines) break;
      for (int k = 0; k < kPlaces; ++k) {
        const double away = (k + 1) / 2 * (0.42 / (kPlaces / 2)),
                     share = 0.5 + (k % 2 ? -away : away);
        const auto [p, way] = on_line(lines_[e], share);
        const Point normal{-way.y, way.x};
        const double first = normal.x > 0.3 || (std::abs(normal.x) <= 0.3 && normal.y < 0) ? 1 : -1;
        for (const double side : {first, -first})
          places.push_back(beside(p, {side * normal.x, side * normal.y}, width, gap));
      }
    }
    return take(places, width, static_cast<int>(e), layout_.edges[e].label);
  }

  /// The middle of a text that touches a line at a point, at the side of its normal. Where the line
  /// is slanted a corner does, which of a long text is to be near the point.
  static Point beside(Point p, Point normal, double width, double gap) {
    constexpr double kMost = 24;
    const double off = std::abs(normal.x) * width / 2 + std::abs(normal.y) * kLabelHeight / 2 + gap;
    const Point middle{p.x + off * normal.x, p.y + off * normal.y};
    const double away = std::hypot(std::max(0.0, std::abs(middle.x - p.x) - width / 2),
                                   std::max(0.0, std::abs(middle.y - p.y) - kLabelHeight / 2));
    if (away <= kMost) return middle;
    const double x = std::copysign(width / 2, normal.x),
                 y = std::copysign(kLabelHeight / 2, normal.y);
    const double along = normal.y * x - normal.x * y;  // from the point to the corner
    const double back = along - std::clamp(along, -kMost, kMost);
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
  std::vector<Head> heads_;
  std::vector<Box> taken_;
  std::size_t without_texts_ = 0;  // of those, circles and squares
  Care care_ = Care::lines;
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
  Texts texts(picture, layout);
  if (!texts.run(Care::lines)) return false;
  // what is placed with care may take the last place of another
  return texts.run(Care::far) || texts.run(Care::heads) || texts.run(Care::lines);
}

}  // namespace taugrad::draw
