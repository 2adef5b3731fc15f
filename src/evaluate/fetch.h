#pragma once

#include <string>
#include <vector>

#include "language/resolve/resolved_model.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/unfold/unfold.h"

namespace taugrad {

/// One entry of a fetch list: [grad:][nll:]NAME[BRACKETS][@EQUATION], or loss.
struct Fetch {
  std::string text;
  bool gradient = false, nll = false, loss = false, has_brackets = false;
  std::string name, brackets, edge;
  int symbol = -1;  ///< -1: loss
};

/// @throws Error (U020) on an unknown name, with the nearest known one
Fetch parse_fetch(const ResolvedModel& model, const std::string& text);
/// Whether its position depends on an item's own length, so that only items of equal length can
/// share a graph.
bool needs_equal_lengths(const ResolvedModel& model, const Fetch& fetch);

/// What a fetch reads in one graph: nodes, and where each goes in the result.
struct Piece {
  Var node;                           ///< empty: zeros
  std::vector<std::int32_t> at = {};  ///< position on the index axes; of one alone: none
};

/// Nodes that a fetch stands for, before differentiation: within the lengths of the graph.
std::vector<Piece> pieces_of(const Unfolded& u, const Fetch& fetch);

/// The largest number in a fetch's brackets, which positions are counted to.
std::int64_t reach_of(const Fetch& fetch);

}  // namespace taugrad
