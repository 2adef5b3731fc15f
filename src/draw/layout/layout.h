#pragma once

#include <cstddef>
#include <vector>

#include "taugrad/draw/picture.h"

namespace taugrad::draw {

struct Point {
  double x = 0, y = 0;
};

/// A rectangle by its centre; y grows downwards.
struct Box {
  double x = 0, y = 0, width = 0, height = 0;
  double left() const { return x - width / 2; }
  double right() const { return x + width / 2; }
  double top() const { return y - height / 2; }
  double bottom() const { return y + height / 2; }
};

/// A chain of cubic Bezier curves: 3n+1 points, from tail to head.
struct Path {
  std::vector<Point> points;
  Point label;        ///< centre of the label, where there is one
  Point square = {};  ///< printed: that of a delay's square, where there is one
};

/// Coordinates of a picture, of nodes, edges and clusters in its own order. All inside [0,width] x
/// [0,height].
struct Layout {
  double width = 0, height = 0;
  std::vector<Box> nodes;
  std::vector<Path> edges;
  std::vector<Box> clusters;
  std::vector<Point> captions;    ///< middles of the labels of clusters
  std::vector<Point> notes;       ///< left end of each line, below everything
  bool printed = false;           ///< as printed_layout.h has it; a dense picture is not
  std::vector<Point> sides = {};  ///< printed: middles of the texts beside nodes
};

/// Places a picture. Steps are columns from left to right (grids: rows too), weights a band above
/// them; inside a step, layers by longest path from top to bottom, the gradient beside the forward
/// nodes and upwards. Steps that correspond (by PictureNode::role) share one placement, so the work
/// is one step's layout plus a constant for each node and edge.
/// @throws Error (R001) where picture, layout and text would be over the budget
Layout lay_out(const Picture& picture);

/// Asked as a picture grows and before it is laid out; not `laid_out`: for the picture alone.
/// @throws Error (R001)
void require_room(std::size_t nodes, std::size_t edges, bool laid_out);

}  // namespace taugrad::draw
