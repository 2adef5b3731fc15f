#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "taugrad/graph/graph.h"

namespace taugrad {

/// Values of several steps in one, stacked on a new first axis. Where all steps make theirs alike,
/// element by element or along axes, of values that none of them makes for another, what they are
/// made of is stacked instead, and all of them are made at once.
class Lanes {
 public:
  /// Operations on the way to a stack that are made at once, and nodes that are looked at for one:
  /// what is longer is made step by step.
  static constexpr int kMostOnWay = 64;
  static constexpr std::size_t kMostLooks = 1 << 14;

  /// @param asked  names of variables whose values or gradients are asked for: they stay what the
  ///               stack is made of
  Lanes(Tape& tape, const std::set<std::string>& asked) : tape_(tape), asked_(asked) {}

  /// @param nodes  of equal shapes, and of one set of items or shared
  Var stacked(std::span<const NodeId> nodes) { return stacked({nodes.begin(), nodes.end()}, 0); }

 private:
  using Nodes = std::vector<NodeId>;

  Var stacked(const Nodes& nodes, int on_way);
  Var at_once(const Nodes& nodes, int on_way);
  bool alike(const Nodes& nodes) const;
  bool like(NodeId a, NodeId b) const;
  bool is_asked(NodeId id) const;
  bool apart(const Nodes& nodes) const;
  Var operand(const Nodes& nodes, std::size_t input, int on_way);
  Var made(NodeId first, std::span<const Var> in) const;

  Tape& tape_;
  const std::set<std::string>& asked_;
  std::map<Nodes, Var> known_;
};

}  // namespace taugrad
