#pragma once

#include <string>
#include <vector>

namespace taugrad {

/// What a node of a picture stands for; decides its colour and outline.
enum class NodeKind {
  input,
  weight,
  copy,      ///< W[3]: what step 3 sees of W                                   (eq 24-25)
  variable,  ///< a named value
  random,    ///< a random variable: doubled outline
  loss,
  constant,   ///< numbers, and values outside 1..tau
  operation,  ///< a step on the way to a named value
  ellipsis,   ///< stands for steps left out
};

/// What an edge stands for; decides its colour and dashes.
enum class EdgeKind {
  data,
  share,    ///< from a weight to its copies
  adjoint,  ///< between nodes of the gradient, or of a gradient of it
  recall,   ///< a value of the forward pass read by the gradient, or of both by a gradient of it
};

struct PictureNode {
  std::string id;     ///< of letters, digits, '_': unique in the picture
  std::string name;   ///< "h[3]"; empty for a step on the way
  std::string op;     ///< "tanh", "+": left out by `labels = false`
  std::string shape;  ///< "[3,4]"; may be empty
  std::string title;  ///< what a pointer resting on the node reads
  NodeKind kind = NodeKind::operation;
  bool adjoint = false;   ///< belongs to the gradient: drawn beside the forward nodes
  int cluster = -1;       ///< index into `clusters`; -1: outside all steps
  int beside = -1;        ///< the forward node that this one is the gradient of, or -1
  std::string role;       ///< the same in every step for nodes that correspond: they are aligned
  int source = -1;        ///< the node of the tape that it stands for, or -1
  std::string fill = {};  ///< "#rrggbb" instead of the colour of its kind, and of its texts
  std::string ink = {};
  bool striking = false;  ///< drawn with a thick red outline
  /// 1 of a gradient, 2 of a gradient of a gradient (drawn in colours of its own), ..; 0: forward.
  int order = 0;
};

struct PictureEdge {
  int from = 0;  ///< indices into `nodes`
  int to = 0;
  EdgeKind kind = EdgeKind::data;
  bool delayed = false;   ///< crosses steps: dashed
  std::string label;      ///< "z⁻¹", "W"
  bool striking = false;  ///< drawn thick and red
  bool dotted = false;    ///< from a step that data name
  bool square = false;    ///< with a filled square on it: what is read is that of another step
};

/// One step (or one position of a grid).
struct PictureCluster {
  std::string label;          ///< "t = 3"
  std::string domain;         ///< "t", "i,j": clusters of one domain lie side by side
  std::vector<int> position;  ///< {3}, {1, 2}: the last is the column, those before it the row
  bool elided = false;        ///< stands for positions left out
};

/// What the colours of a picture mean: a bar from `low` to `high`.
struct Legend {
  std::string title = {};  ///< empty: there is none
  std::string low = {}, high = {};
  std::vector<std::string> colours = {};  ///< "#rrggbb", from low to high
};

/// A drawing before its layout, wherever it comes from: an unfolded graph, a folded definition, a
/// gradient.
struct Picture {
  std::string title;
  std::string about;
  std::vector<PictureNode> nodes;
  std::vector<PictureEdge> edges;
  std::vector<PictureCluster> clusters;
  Legend legend = {};
  std::vector<std::string> notes = {};  ///< on the margin, a line each: what is left out
  /// As books print it (Detail::variables): circles, straight lines, upwards; names in mathematics.
  bool printed = false;
};

/// Leaves out middle positions of every domain with more than `limit` of them: 1 2 3 ... T-1 T
/// stay, one cluster stands for the rest. Edges into the gap end at its ellipsis.
Picture elide(const Picture& picture, int limit = 8);

}  // namespace taugrad
