#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "taugrad/graph/graph.h"
#include "taugrad/graph/op.h"

/// Zeros of a derivative that nothing computed: of a branch not taken, a row not read, a step past
/// an item's end. What stands behind one gets 0 whatever its slope; only a zero that was computed
/// makes 0 times infinity NaN (language.md R20). Where a slope may be infinite or NaN, a sweep
/// carries beside a derivative d a mask, 1 where something flows, and what an op makes of d is
/// where(mask, .., 0). Where no slope can be, or all of d flows, no mask is made.
namespace taugrad {

/// Why a value may be infinite or NaN: because a leaf was given so, or because of an op that has
/// poles or overflows.
enum class Risk : std::uint8_t { none, data, pole };
/// By node, up to `last`.
std::vector<Risk> risks(const Tape& tape, NodeId last);

/// What a reverse sweep knows of the zeros of its cotangents. Nodes are visited from the last one.
class ReverseZeros {
 public:
  /// @param depends  1 for each node that cotangents are wanted of
  ReverseZeros(Tape& tape, const std::vector<char>& depends, NodeId last);
  /// All of this node's cotangent flows. Before the sweep.
  void whole(NodeId id) { whole_[static_cast<std::size_t>(id)] = 1; }
  void prepare();

  /// The mask of a node's cotangent once its users have passed theirs on; empty: all of it flows.
  Var mask(NodeId id);
  /// The node as its vjp is to see it: the operands of a product are finite where nothing flows.
  Primal finite(const Primal& p, Var mask) const;
  /// A share of input i, 0 where nothing flows. @param mask  of the node's cotangent
  Var cleared(const Primal& p, std::size_t i, Var mask, Var share) const;
  /// Hands the mask on to the inputs.
  void pass(const Primal& p, Var mask);

 private:
  bool leaves_out(const Op& op, NodeId in) const;
  bool covered(NodeId id) const;
  bool risky(Var v) const { return risk_[static_cast<std::size_t>(v.id)] != Risk::none; }

  Tape& tape_;
  const std::vector<char>& depends_;
  std::vector<Risk> risk_;
  std::vector<char> whole_;    ///< some share of the cotangent flows everywhere
  std::vector<char> partial_;  ///< whose mask is made: not all flows, and it may matter
  std::unordered_map<NodeId, std::vector<NodeId>> slices_;  ///< that are whole, of a node
  std::unordered_map<NodeId, std::vector<Var>> masks_;      ///< what users have passed on
};

/// The same of the tangents of a forward sweep. Nodes are visited from the first one.
class ForwardZeros {
 public:
  using Rule = Var (*)(const Primal&, std::span<const Var> xdot);
  /// @param needed  1 for each node that tangents are wanted of
  ForwardZeros(Tape& tape, const std::vector<char>& needed);

  /// The tangent of p.out, made by `rule` of those of its inputs; at least one is there.
  Var push(const Primal& p, std::span<const Var> xdot, Rule rule);
  /// All of this node's tangent flows.
  void whole(NodeId id) { mask_[static_cast<std::size_t>(id)] = {}; }

 private:
  bool multiplies(const Op& op, NodeId id) const;
  Var mask(Var v) const { return mask_[static_cast<std::size_t>(v.id)]; }
  Var mask_of(const Primal& p, std::span<const Var> xdot, Rule rule) const;
  static Primal beside(const Primal& p, std::size_t i, Var flows);

  std::vector<Risk> risk_;
  std::vector<char> wanted_;  ///< whose mask matters to somebody
  std::vector<Var> mask_;     ///< empty: all of the tangent flows
};

}  // namespace taugrad
