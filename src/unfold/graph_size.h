#pragma once

#include <cstdint>
#include <vector>

#include "language/resolve/resolved_model.h"
#include "taugrad/unfold/unfold.h"
#include "unfold/hoist.h"

namespace taugrad {

/// Lengths by number. @throws Error (G022) where one is not given
std::vector<std::int64_t> lengths_of(const ResolvedModel& model, const UnfoldOptions& options);

/// What unfolding makes, as templates times positions say: within about a third of what it is. As
/// doubles: exact as far as graphs go, and they never overflow.
struct GraphSize {
  double nodes = 0;
  double elements = 0;   ///< of one example, over all nodes that are per example
  double largest = 0;    ///< of one example, of the largest node with those that it reads
  double constants = 0;  ///< elements of constants, which are there once
  double shared = 0;     ///< over all nodes that are not per example: weights, their copies too

  /// Bytes of the graph; and of a graph with its gradient, and of the plan of a graph.
  double graph_bytes() const;
  double plan_bytes() const;
  GraphSize with_gradient() const;
};
GraphSize graph_size(const ResolvedModel& model, const UnfoldOptions& options);
GraphSize graph_size(const ResolvedModel& model, const HoistedBlocks& hoisted,
                     const std::vector<std::int64_t>& lengths, const UnfoldOptions& options);

}  // namespace taugrad
