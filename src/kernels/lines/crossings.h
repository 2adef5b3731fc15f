#pragma once

#include <cstddef>
#include <cstdint>

/// Straight lines and nodes of a plane, one compared with many: a bit for each, 64 to a word.
/// Arrays reach to a whole number of words; the bits are the same on any machine.
namespace taugrad::kernels {

struct LineArrays {
  const float *ax, *ay, *bx, *by, *length;  ///< from a to b
};

/// A node is what is nearer than `round` to a piece of `core` to both sides of its middle, in a box
/// of `half` to all sides.
struct NodeArrays {
  const float *x, *y, *half_x, *half_y, *core_x, *core_y, *round;
};

/// For the instructions of this machine.
struct CrossingFinders {
  /// Whether line l crosses each of `count` lines: one that ends on another crosses it nowhere.
  void (*crossings)(const LineArrays& lines, std::size_t l, std::size_t count, std::uint64_t* bits);
  /// Whether line l runs into each of `count` nodes.
  void (*nodes_on)(const LineArrays& lines, const NodeArrays& nodes, std::size_t l,
                   std::size_t count, std::uint64_t* bits);
  /// Whether each of `count` lines runs into node n.
  void (*lines_on)(const LineArrays& lines, const NodeArrays& nodes, std::size_t n,
                   std::size_t count, std::uint64_t* bits);
};

const CrossingFinders& crossing_finders();

}  // namespace taugrad::kernels
