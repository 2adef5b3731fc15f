#pragma once

#include <cstddef>
#include <vector>

#include "draw/layout/layout.h"
#include "draw/search/bit_table.h"
#include "kernels/lines/crossings.h"

namespace taugrad::draw {

/// Straight lines between nodes, kept for one to be compared with all others at once.
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

  /// The lines that cross that one.
  void find_crossings(std::size_t l, BitRow& row) const;
  /// The nodes that a line runs into, its ends included.
  void find_nodes_on(std::size_t l, BitRow& row) const;
  /// The lines that run into a node, its own included.
  void find_lines_on(std::size_t n, BitRow& row) const;

 private:
  kernels::LineArrays lines() const;
  kernels::NodeArrays nodes() const;

  std::size_t lines_, nodes_;
  // up to a whole number of words, with lines of no length and nodes of no size
  std::vector<float> ax_, ay_, bx_, by_, length_;  // by line
  std::vector<float> x_, y_, half_x_, half_y_;     // by node, with what is to be clear
  std::vector<float> core_x_, core_y_, round_;
};

/// What a board shows, known for all lines and nodes.
class Crossings {
 public:
  Crossings(std::size_t lines, std::size_t nodes);

  void find_all(const CrossingBoard& board);
  void replace_line(std::size_t l, const BitRow& crossed, const BitRow& nodes_on);
  void replace_node(std::size_t n, const BitRow& lines_on);

  const BitRow& of_line(std::size_t l) const { return crossed_[l]; }
  const BitRow& nodes_on(std::size_t l) const { return nodes_on_[l]; }
  const BitRow& lines_on(std::size_t n) const { return lines_on_[n]; }

 private:
  std::size_t lines_, nodes_;
  BitTable crossed_, nodes_on_, lines_on_;
};

}  // namespace taugrad::draw
