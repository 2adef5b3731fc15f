#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/index.h"
#include "taugrad/graph/graph.h"

namespace taugrad::folding {

/// A graph as the search for its step sees it: copies of weights are gone, their readers read the
/// weight; nodes that do the same have the same label.
class Net {
 public:
  explicit Net(const Tape& tape);

  NodeId size() const { return tape_.size(); }
  const Tape& tape() const { return tape_; }
  bool gone(NodeId id) const { return label_[at(id)] == 0; }
  bool leaf(NodeId id) const { return inputs(id).empty(); }
  /// Op, attributes, shape and number of inputs; of constants without the value.
  std::uint32_t label(NodeId id) const { return label_[at(id)]; }
  std::span<const NodeId> inputs(NodeId id) const;
  bool is_weight(NodeId id) const;
  bool is_constant(NodeId id) const;
  /// A weight that is read once or twice, as are at least two others of its shape: it may be one of
  /// a family W[t] with a member for each step.
  bool maybe_untied(NodeId id) const { return maybe_untied_[at(id)] != 0; }

 private:
  void find_untied();

  const Tape& tape_;
  std::vector<std::uint32_t> label_;  // 0: a weight's copy
  std::vector<std::uint32_t> first_;
  std::vector<NodeId> input_;
  std::vector<char> maybe_untied_;
};

/// The shift by one step: a partial one-to-one map of nodes, h[t] to h[t+1], that keeps labels and
/// edges except at the ends of the sequence, and has no cycle. Found from pairs tried near the last
/// nodes, each carried on to the pairs of their inputs.
class Shift {
 public:
  explicit Shift(const Net& net);

  /// The orbits that are at least 3 long, each in its order.
  std::vector<std::vector<NodeId>> orbits() const;

 private:
  struct Trial {
    int matched = 0;          ///< new pairs
    int agreed = 0;           ///< pairs known before
    int shared = 0;           ///< inputs that both read
    int broken = 0;           ///< inputs that do not correspond: a boundary, or a wrong pair
    int broken_at_zeros = 0;  ///< of these, with a number on one side
    bool runs_on = false;     ///< pairs follow one another
    bool contradicts = false;
    /// Whether an orbit goes on here; at the first steps half of the inputs may be zeros.
    bool goes_on() const {
      const bool known = agreed + shared > 0 && matched + agreed > broken - broken_at_zeros;
      return !contradicts && matched > 0 && (broken == 0 || known);
    }
    int score() const { return contradicts ? -1 : matched + agreed - broken; }
  };
  struct Seed {
    NodeId from = -1, to = -1;
    int score = 0;
  };
  struct Link {
    NodeId from, to, head, tail;  ///< ends of the joined orbit
  };
  static constexpr std::array<int, 4> kDepths = {4, 2, 1, 0};

  bool covered(NodeId id) const { return after_[at(id)] >= 0 || before_[at(id)] >= 0; }
  bool alike(NodeId a, NodeId b) const;
  bool link(NodeId a, NodeId b);
  Trial carry(NodeId a, NodeId b);
  void undo();
  void order_by_depth();
  void find_ends();
  void index_alike();
  std::vector<NodeId> candidates(NodeId of) const;
  Seed best_seed(NodeId v, bool recurrent);
  void seed(bool recurrent);
  bool may_seed(NodeId v) const;
  void try_seed(NodeId v, bool recurrent);
  void lengthen(NodeId of, bool before);
  void claim_first();
  void carry_broken();

  const Net& net_;
  bool shared_too_ = false;    ///< nothing per example repeats
  bool untied_ = false;        ///< weights that may be untied correspond to one another
  std::vector<NodeId> order_;  ///< operations, the shallowest first
  std::vector<NodeId> ends_;   ///< where outputs of the steps are
  std::vector<NodeId> after_, before_;
  std::vector<NodeId> head_, tail_;  ///< of an orbit, kept at its other end
  std::uint32_t trial_ = 0;
  std::vector<std::uint32_t> linked_in_;  ///< by node: the trial that gave it its successor
  std::vector<Link> log_;                 ///< of the trial under way
  std::array<std::vector<NodeId>, kDepths.size()>
      previous_;  ///< in `order_`, of those alike to a depth
};

}  // namespace taugrad::folding
