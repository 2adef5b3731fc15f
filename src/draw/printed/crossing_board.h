#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "draw/layout/layout.h"

namespace taugrad::draw {

/// Straight lines between nodes, kept for one to be compared with all others at once: in single
/// precision and without branches, for the loops to be loops of vectors.
class CrossingBoard {
 public:
  CrossingBoard(std::size_t lines, std::size_t nodes);

  /// @param clear  how far a line is to keep from it
  void set_node(std::size_t n, Point middle, double width, double height, double clear);
  void move_node(std::size_t n, Point middle);
  void set_line(std::size_t l, Point from, Point to);
  Point from(std::size_t l) const { return {ax_[l], ay_[l]}; }
  Point to(std::size_t l) const { return {bx_[l], by_[l]}; }
  double length(std::size_t l) const { return length_[l]; }

  bool cross(std::size_t l, std::size_t k) const;
  bool hit(std::size_t l, std::size_t n) const;
  /// How many lines cross that one.
  int crossings(std::size_t l) const;
  /// How many nodes a line runs into, its ends included.
  int nodes_on(std::size_t l) const;
  /// How many lines run into a node, its own included.
  int lines_on(std::size_t n) const;

 private:
  std::vector<float> ax_, ay_, bx_, by_, length_;  // by line
  std::vector<float> x_, y_, half_x_, half_y_;     // by node, with what is to be clear
  // a node is what is nearer than `round_` to a piece of `core` to both sides of its middle
  std::vector<float> core_x_, core_y_, round_;
};

// A line that ends on another crosses it nowhere.
inline bool CrossingBoard::cross(std::size_t l, std::size_t k) const {
  const float x = bx_[l] - ax_[l], y = by_[l] - ay_[l];
  const float c = x * (ay_[k] - ay_[l]) - y * (ax_[k] - ax_[l]);
  const float d = x * (by_[k] - ay_[l]) - y * (bx_[k] - ax_[l]);
  const float u = bx_[k] - ax_[k], v = by_[k] - ay_[k];
  const float a = u * (ay_[l] - ay_[k]) - v * (ax_[l] - ax_[k]);
  const float b = u * (by_[l] - ay_[k]) - v * (bx_[l] - ax_[k]);
  return static_cast<bool>(static_cast<int>(c * d < -1) & static_cast<int>(a * b < -1));
}

inline bool CrossingBoard::hit(std::size_t l, std::size_t n) const {
  const float x = bx_[l] - ax_[l], y = by_[l] - ay_[l];
  const float side = x * (y_[n] - ay_[l]) - y * (x_[n] - ax_[l]);
  const float reach = core_x_[n] * std::abs(y) + core_y_[n] * std::abs(x) + round_[n] * length_[l];
  const float middle_x = (ax_[l] + bx_[l]) / 2, middle_y = (ay_[l] + by_[l]) / 2;
  return static_cast<bool>(
      static_cast<int>(std::abs(side) < reach) &
      static_cast<int>(std::abs(middle_x - x_[n]) < half_x_[n] + std::abs(x) / 2) &
      static_cast<int>(std::abs(middle_y - y_[n]) < half_y_[n] + std::abs(y) / 2));
}

}  // namespace taugrad::draw
