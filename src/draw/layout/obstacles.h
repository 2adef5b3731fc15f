#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/index.h"
#include "draw/layout/layout.h"

namespace taugrad::draw {

inline constexpr long kCovering = 200;  // cost of a place on a text or node
inline constexpr long kShared = 1;      // cost of a place on a line that other texts share
inline constexpr long kOnHead = 1;      // cost of a place on the head of an arrow
inline constexpr int kHead = -2;        // net of heads

/// What is drawn, by squares: what a text would lie on.
class Obstacles {
 public:
  void add_box(const Box& box) { boxes_.push_back(box), enter(box, number(boxes_) * 2); }
  /// @param name  of the text of its line
  void add_piece(Point a, Point b, int net, int to, int name) {
    pieces_.push_back({a, b, net, to, name});
    const int id = number(pieces_) * 2 + 1;
    const double length = std::max(std::abs(b.x - a.x), std::abs(b.y - a.y));
    const int steps = static_cast<int>(length / kSquare) + 1;
    for (int s = 0; s < steps; ++s) {
      const Point p = between(a, b, double(s) / steps), q = between(a, b, double(s + 1) / steps);
      enter({(p.x + q.x) / 2, (p.y + q.y) / 2, std::abs(p.x - q.x), std::abs(p.y - q.y)}, id);
    }
  }

  /// What a text of that net would cover: texts and nodes are worse than lines. Where lines of its
  /// net with other texts run along, as well, it could not be told whose it is.
  /// @param name  of the text; -1: that does not matter
  long cost(const Box& text, int net, int to, int name) const {
    long boxes = 0;
    bool shared = false, head = false;
    std::vector<int> nets;
    each(text, [&](int id) {
      if (id % 2 == 0) {
        boxes += overlap(text, boxes_[at(id / 2)]) ? 1 : 0;
        return;
      }
      const Piece& p = pieces_[at(id / 2)];
      if (p.net == kHead) {
        head = head || passes(p, text);
        return;
      }
      if (p.net == net ? name < 0 || p.name == name : p.to == to) return;
      if (!passes(p, text)) return;
      if (p.net == net) {
        shared = true;
        return;
      }
      if (std::ranges::find(nets, p.net) == nets.end()) nets.push_back(p.net);
    });
    return kCovering * boxes + 2 * std::ssize(nets) + (shared ? kShared : 0) + (head ? kOnHead : 0);
  }

 private:
  static constexpr double kSquare = 48;
  struct Piece {
    Point a, b;
    int net, to, name;
  };
  template <class T>
  static int number(const std::vector<T>& v) {
    return static_cast<int>(v.size()) - 1;
  }
  static Point between(Point a, Point b, double t) {
    return {a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t};
  }
  static bool overlap(const Box& a, const Box& b) {
    return std::abs(a.x - b.x) * 2 < a.width + b.width &&
           std::abs(a.y - b.y) * 2 < a.height + b.height;
  }
  static bool passes(const Piece& p, const Box& box) {
    double from = 0, to = 1;
    const auto clip = [&](double start, double step, double low, double high) {
      if (std::abs(step) < 1e-9) return start > low && start < high;
      const double s = (low - start) / step, t = (high - start) / step;
      from = std::max(from, std::min(s, t));
      to = std::min(to, std::max(s, t));
      return from < to;
    };
    return clip(p.a.x, p.b.x - p.a.x, box.left(), box.right()) &&
           clip(p.a.y, p.b.y - p.a.y, box.top(), box.bottom());
  }
  template <class Do>
  static void each_square(const Box& box, const Do& act) {
    const auto square = [](double v) { return static_cast<std::int64_t>(std::floor(v / kSquare)); };
    for (std::int64_t x = square(box.left()); x <= square(box.right()); ++x)
      for (std::int64_t y = square(box.top()); y <= square(box.bottom()); ++y)
        act((x << 32) ^ (y & 0xffffffff));
  }
  void enter(const Box& box, int id) {
    each_square(box, [&](std::int64_t key) {
      std::vector<int>& there = squares_[key];
      if (there.empty() || there.back() != id) there.push_back(id);
    });
  }
  template <class Do>
  void each(const Box& box, const Do& act) const {
    each_square(box, [&](std::int64_t key) {
      if (const auto there = squares_.find(key); there != squares_.end())
        for (const int id : there->second) act(id);
    });
  }

  std::vector<Box> boxes_;
  std::vector<Piece> pieces_;
  std::unordered_map<std::int64_t, std::vector<int>> squares_;
};

}  // namespace taugrad::draw
