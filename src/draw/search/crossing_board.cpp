#include "draw/search/crossing_board.h"

#include <algorithm>
#include <cmath>

namespace taugrad::draw {
CrossingBoard::CrossingBoard(std::size_t lines, std::size_t nodes) : lines_(lines), nodes_(nodes) {
  for (auto* v : {&ax_, &ay_, &bx_, &by_, &length_}) v->resize(words_of(lines) * kWord);
  for (auto* v : {&x_, &y_, &half_x_, &half_y_, &core_x_, &core_y_, &round_})
    v->resize(words_of(nodes) * kWord);
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

kernels::LineArrays CrossingBoard::lines() const {
  return {ax_.data(), ay_.data(), bx_.data(), by_.data(), length_.data()};
}

kernels::NodeArrays CrossingBoard::nodes() const {
  return {x_.data(),      y_.data(),      half_x_.data(), half_y_.data(),
          core_x_.data(), core_y_.data(), round_.data()};
}

void CrossingBoard::find_crossings(std::size_t l, BitRow& row) const {
  kernels::crossing_finders().crossings(lines(), l, lines_, row.data());
}

void CrossingBoard::find_nodes_on(std::size_t l, BitRow& row) const {
  kernels::crossing_finders().nodes_on(lines(), nodes(), l, nodes_, row.data());
}

void CrossingBoard::find_lines_on(std::size_t n, BitRow& row) const {
  kernels::crossing_finders().lines_on(lines(), nodes(), n, lines_, row.data());
}

Crossings::Crossings(std::size_t lines, std::size_t nodes)
    : lines_(lines),
      nodes_(nodes),
      crossed_(lines, lines),
      nodes_on_(lines, nodes),
      lines_on_(nodes, lines) {}

void Crossings::find_all(const CrossingBoard& board) {
  BitRow crossed(words_of(lines_)), nodes_on(words_of(nodes_));
  for (std::size_t l = 0; l < lines_; ++l) {
    board.find_crossings(l, crossed);
    board.find_nodes_on(l, nodes_on);
    replace_line(l, crossed, nodes_on);
  }
}

void Crossings::replace_line(std::size_t l, const BitRow& crossed, const BitRow& nodes_on) {
  crossed_.replace(l, crossed, crossed_);
  nodes_on_.replace(l, nodes_on, lines_on_);
}

void Crossings::replace_node(std::size_t n, const BitRow& lines_on) {
  lines_on_.replace(n, lines_on, nodes_on_);
}

}  // namespace taugrad::draw
