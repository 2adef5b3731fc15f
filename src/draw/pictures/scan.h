#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "taugrad/draw/graph_picture.h"

namespace taugrad::draw {

/// What a picture needs to know of every node of a tape before it draws any.
struct TapeScan {
  std::vector<char> shown;    ///< by node: needed, and not in the far middle of a long sequence
  std::vector<int> cluster;   ///< by node; -1: outside all steps
  std::vector<NodeId> owner;  ///< by node: the one whose name and index it belongs to
  std::vector<char> adjoint;  ///< by node: its order in the gradient (adjoint_nodes), or 0
  std::int64_t unneeded = 0;  ///< nodes that no output needs
  std::vector<NodeId> zeros;  ///< gradients that are zero, which nothing joins: not shown
  bool cotangents_left_out = false;
  std::vector<PictureCluster> clusters;
};

/// Whether a node is a weight's copy W[t].
bool is_weight_copy(const Tape& tape, NodeId id);

/// Whether a node is a number or length that belongs to no variable: drawn anew where it is used.
bool is_loose_leaf(const Tape& tape, NodeId id);

/// Nodes of a picture in which operations can still be read.
inline constexpr std::size_t kSmallPicture = 64;

/// How pictures of graphs that a definition unfolds to, and of those built by hand, differ.
struct Manner {
  bool by_hand = true;       ///< steps and the gradient are inferred, what is left out is said
  std::size_t small = 1000;  ///< nodes up to which Detail::automatic shows operations
};
inline constexpr Manner kUnfolded{.by_hand = false, .small = kSmallPicture};

/// Finds steps and needed nodes. With a limit on steps, positions far from both ends of a long
/// domain are not shown: `elide` then only sees what it may keep.
TapeScan scan(const Tape& tape, const GraphPictureOptions& options, const Manner& manner);

Picture picture_of(const Tape& tape, const GraphPictureOptions& options, const Manner& manner);

/// What a picture of a graph of so many nodes says of itself.
std::string about_text(std::int64_t nodes, const Picture& drawn);

}  // namespace taugrad::draw
