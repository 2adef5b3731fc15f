#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph/named_nodes.h"
#include "taugrad/base/tensor.h"
#include "taugrad/evaluate/run.h"

namespace taugrad {

/// Nodes of a graph that one fetch names, and what they make together.
struct GraphFetch {
  std::string text;
  std::vector<NodeId> nodes = {};          ///< one, or one a position; none: the loss
  std::vector<std::int64_t> lengths = {};  ///< of the positions; empty: one node
  std::vector<std::int64_t> first = {};    ///< the lowest of them, along each index
  bool gradient = false;                   ///< what is wanted is the gradient of the loss by them
  std::string edge = {};                   ///< grad:W[3]@h: the share of the readers in equation h
};

/// grad:W is the gradient of the loss by W, whatever node the graph holds under that name; with
/// `as_named` that node. @throws Error (U020) for what the graph does not have
GraphFetch parse_fetch(const Tape& tape, const NamedNodes& nodes, const std::string& text,
                       bool as_named = false);

/// All that is worth fetching: named values that are computed, and "loss"; without any what no node
/// reads.
std::vector<std::string> everything(const Tape& tape, const NamedNodes& nodes);

/// What replaces the loss: sum(cotangent:v * v) for each tensor cotangent:v of which the graph has
/// no leaf; its leaves are appended.
Vars cotangent_terms(const Graph& graph, const Tensors& inputs);

}  // namespace taugrad
