#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "draw/layout/layout.h"

/// Curves of printed pictures as they are drawn, compared with circles and with each other.
namespace taugrad::draw {

inline constexpr double kClear = 5;  ///< between a line and a circle that is not its end

inline Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
inline Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
inline Point operator*(double s, Point a) { return {s * a.x, s * a.y}; }
inline double length(Point a) { return std::sqrt(a.x * a.x + a.y * a.y); }

/// Whether a point is nearer than that to a box with round ends.
bool is_near(const Box& b, Point p, double gap);
/// Where the boundary of a box with round ends is met on the way from a point inside.
Point boundary(const Box& b, Point inside, Point towards);

struct DrawnLine {
  Path path;
  std::vector<Point> points;
  Box around;  ///< what it lies in
};

DrawnLine drawn_line(Path path);
/// Whether the line runs into a box that it is not apart from.
bool runs_into(const DrawnLine& line, const Box& b);
int crossings(const DrawnLine& a, const DrawnLine& b);
/// Two lines that could not be told apart: their middles are at one place, and they run alike.
bool lie_together(const DrawnLine& a, const DrawnLine& b);

/// Whether no point of one box is in the other, wider by a gap to all sides.
inline bool apart(const Box& a, const Box& b, double gap = 0) {
  return std::abs(a.x - b.x) * 2 > a.width + b.width + 2 * gap ||
         std::abs(a.y - b.y) * 2 > a.height + b.height + 2 * gap;
}

/// The sides of many boxes, for one to be compared with all.
class BoxSides {
 public:
  void resize(std::size_t count) {
    for (auto* v : {&left_, &right_, &top_, &bottom_}) v->resize(count);
    meets_.resize(count);
  }
  void set(std::size_t i, const Box& b, double gap) {
    const double wide = gap + kRounded;
    left_[i] = static_cast<float>(b.left() - wide);
    right_[i] = static_cast<float>(b.right() + wide);
    top_[i] = static_cast<float>(b.top() - wide);
    bottom_[i] = static_cast<float>(b.bottom() + wide);
  }
  /// Numbers of those, of the first `count`, that may not be apart from a box.
  void near(const Box& b, std::size_t count, std::vector<int>& numbers) {
    const auto left = static_cast<float>(b.left()), right = static_cast<float>(b.right()),
               top = static_cast<float>(b.top()), bottom = static_cast<float>(b.bottom());
    for (std::size_t i = 0; i < count; ++i)  // a loop of vectors
      meets_[i] = static_cast<int>(left_[i] <= right) & static_cast<int>(right_[i] >= left) &
                  static_cast<int>(top_[i] <= bottom) & static_cast<int>(bottom_[i] >= top);
    numbers.resize(count);
    std::size_t found = 0;
    for (std::size_t i = 0; i < count; ++i) {  // without branches
      numbers[found] = static_cast<int>(i);
      found += static_cast<std::size_t>(meets_[i]);
    }
    numbers.resize(found);
  }

 private:
  static constexpr double kRounded = 0.01;  // more than float loses
  std::vector<float> left_, right_, top_, bottom_;
  std::vector<int> meets_;
};

}  // namespace taugrad::draw
