#pragma once

#include <array>
#include <vector>

#include "draw/printed/drawn_line.h"
#include "taugrad/draw/picture.h"

namespace taugrad::draw {

/// A curve that may be drawn: between two middles, to be cut at the boundaries.
struct Arc {
  std::array<Point, 4> points{};
  Point from_way{}, to_way{};  ///< points that the ends are cut towards
  double cost = 0;             ///< of not being straight
};

inline constexpr double kCrossing = 40, kBent = 9;  // costs

/// Where lines of one picture begin and end, and which curves they may be.
class Arcs {
 public:
  Arcs(const Picture& p, const std::vector<Box>& boxes) : p_(p), boxes_(boxes) {}

  /// The middle of an end; of an ellipsis, at the height of the other end.
  Point end(int e, bool from) const;
  Arc straight(int e) const;
  /// All that an edge may be.
  std::vector<Arc> of(int e) const;
  DrawnLine drawn(int e, const Arc& arc) const;

 private:
  std::vector<Arc> arcs(int e) const;
  std::vector<Arc> loops(int e) const;
  void add_beside(int e, std::vector<Arc>& all) const;
  double hidden(int e, Point c1, Point c2) const;
  const Box& box(int e, bool from) const;

  const Picture& p_;
  const std::vector<Box>& boxes_;
};

}  // namespace taugrad::draw
