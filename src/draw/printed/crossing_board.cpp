#include "draw/printed/crossing_board.h"

#include <algorithm>
#include <cmath>

namespace taugrad::draw {

CrossingBoard::CrossingBoard(std::size_t lines, std::size_t nodes) {
  for (auto* v : {&ax_, &ay_, &bx_, &by_, &length_}) v->resize(lines);
  for (auto* v : {&x_, &y_, &half_x_, &half_y_, &core_x_, &core_y_, &round_}) v->resize(nodes);
}

void CrossingBoard::set_node(std::size_t n, Point middle, double width, double height,
                             double clear) {
  move_node(n, middle);
  half_x_[n] = static_cast<float>(width / 2 + clear);
  half_y_[n] = static_cast<float>(height / 2 + clear);
  round_[n] = std::min(half_x_[n], half_y_[n]);
  core_x_[n] = half_x_[n] - round_[n];
  core_y_[n] = half_y_[n] - round_[n];
}

void CrossingBoard::move_node(std::size_t n, Point middle) {
  x_[n] = static_cast<float>(middle.x), y_[n] = static_cast<float>(middle.y);
}

void CrossingBoard::set_line(std::size_t l, Point from, Point to) {
  ax_[l] = static_cast<float>(from.x), ay_[l] = static_cast<float>(from.y);
  bx_[l] = static_cast<float>(to.x), by_[l] = static_cast<float>(to.y);
  const float x = bx_[l] - ax_[l], y = by_[l] - ay_[l];
  length_[l] = std::sqrt(x * x + y * y);
}

int CrossingBoard::crossings(std::size_t l) const {
  int count = 0;
  for (std::size_t k = 0; k < ax_.size(); ++k) count += static_cast<int>(cross(l, k));
  return count;
}

int CrossingBoard::nodes_on(std::size_t l) const {
  int count = 0;
  for (std::size_t n = 0; n < x_.size(); ++n) count += static_cast<int>(hit(l, n));
  return count;
}

int CrossingBoard::lines_on(std::size_t n) const {
  int count = 0;
  for (std::size_t l = 0; l < ax_.size(); ++l) count += static_cast<int>(hit(l, n));
  return count;
}

}  // namespace taugrad::draw
