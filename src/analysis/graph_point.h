#pragma once

#include <string>
#include <vector>

#include "graph/named_nodes.h"
#include "taugrad/analysis/flow.h"
#include "taugrad/graph/graph.h"

namespace taugrad::analysis {

/// The graph, and where its derivatives are taken.
struct GraphPoint {
  Graph graph;  ///< never appended to: each question has a copy
  Tensors inputs, weights;
  std::vector<NodeId> owner;  ///< graph/positions.h
  std::int64_t items = 1;
  EngineOptions engine = {};

  const Tape& tape() const { return graph.tape(); }
};

/// Draws what is not given.
GraphPoint point_of(const Graph& graph, const Tensors& inputs, const Tensors& weights,
                    const FlowOptions& options);

/// h[1..n] where the name has one index and numbers that are computed, else nothing.
std::vector<NodeId> along(const Tape& tape, const NamedNodes& nodes, const std::string& name);

/// Fills jacobian and by_lag of a variable: |dh(t)/dh(k)| for all its positions, by a batch of unit
/// vectors for each t and item.
/// @param told  after each t, of each item
void add_jacobians(const GraphPoint& p, const std::vector<NodeId>& positions, MatrixNorm norm,
                   const std::function<void()>& told, VariableFlow& v);

}  // namespace taugrad::analysis
