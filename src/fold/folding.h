#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "taugrad/fold/fold.h"
#include "taugrad/graph/graph.h"

namespace taugrad::folding {

/// A folded graph that still has its boundaries: `initial[e]` says that edge e carries an initial
/// value, read by the first (or last) steps only.
struct Sketch {
  FoldedGraph graph;
  std::vector<char> initial;  ///< by edge

  int add(FoldedNode node);
  void connect(FoldedEdge edge, bool is_initial = false);
};

/// Turns a running maximum over the steps, of which the last value is read, into one node that
/// gathers them all.
void gather_maxima(Sketch& sketch);
/// Without what serves initial values only, nor leaves that nothing reads.
FoldedGraph without_boundaries(Sketch sketch);

/// Where the terms of a sum or mean over steps begin among its inputs; -1: it is none.
int first_term(const Op& op);

/// The attributes that tell one operation from another: not for which items of the batch it is
/// done.
Attrs essential(const Attrs& attrs);
/// Kind, op, attributes, shape and name of a node of a tape.
FoldedNode node_of(const Tape& tape, NodeId id);

inline constexpr std::string_view kAll = "all";
inline constexpr std::string_view kIndexOp = "index";    ///< the position as a number
inline constexpr std::string_view kLengthOp = "length";  ///< how many steps there are

}  // namespace taugrad::folding
