#pragma once

#include <complex>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "taugrad/graph/graph.h"
#include "taugrad/graph/op.h"

namespace taugrad {

/// The reference interpreter: evaluates nodes one after another, each by its op's forward rule, in
/// any scalar type. The oracle of every other executor. S: float, double, std::complex<double>,
/// Rational (without rounding; for graphs of rational operations).
template <class S>
class Interpreter {
 public:
  /// Plans the evaluation of `outputs` and of what they need; keeps the tape alive. @throws Error
  /// on a missing forward rule, (U022) for an output that the tape does not have
  Interpreter(const Tape& tape, std::span<const NodeId> outputs);

  /// Leaves (input, weight) that the outputs need, in tape order.
  std::span<const NodeId> leaves() const { return leaves_; }
  /// Fixes the batch; lengths as in BatchContext (place_items is called here).
  /// @throws Error (U022) where lengths or keys are not those of so many items
  void set_batch(BatchContext context, std::int64_t items);
  /// The storage of a leaf: [items, shape...] (rows of its extent), or [shape...] if it is shared.
  std::span<S> leaf(NodeId id);
  /// Called with every value, given or computed, before anything reads it; it may change it.
  using Hook = std::function<void(NodeId, std::span<S>)>;
  /// After it, what was given is as it was given.
  void run(const Hook& hook = {});
  /// The value of any needed node after run(): [items of its extent, shape...].
  std::span<const S> value(NodeId id) const;
  /// All of them, one needed node after the other.
  const std::vector<S>& values() const { return values_; }
  const Tape& tape() const { return tape_; }
  bool needs(NodeId id) const {
    return static_cast<std::size_t>(id) < slot_.size() && slot_[static_cast<std::size_t>(id)] >= 0;
  }

  /// From now on run() adds `delta` to the elements first.. of a needed node's value, leaf or not,
  /// before its users read it: how the derivative to any variable is measured. Nudges add up.
  void nudge(NodeId id, std::int64_t first, std::span<const S> delta);
  void clear_nudges() { nudges_.clear(); }
  /// The item of a row of a node, as a row of the batch; -1 where it is not per example.
  std::int64_t item_of(NodeId id, std::int64_t row) const;

 private:
  struct Nudge {
    std::int32_t slot;
    std::int64_t first;  // element of its value
    std::vector<S> delta;
  };
  void lay_out();
  void evaluate(std::size_t slot, std::vector<Operand<S>>& operands);
  void apply(const Nudge& nudge);
  std::int64_t rows_of(ExtentId extent) const;
  std::size_t slot_of(NodeId id) const;

  TapeRef keep_;
  const Tape& tape_;
  std::vector<NodeId> order_, leaves_;
  std::vector<std::int32_t> slot_;   // node -> place in order_, -1: not needed
  std::vector<std::int64_t> first_;  // slot -> place in values_; one more at the end
  std::vector<S> values_;
  std::vector<Nudge> nudges_;
  BatchContext batch_;
  std::int64_t items_ = 1;
};

}  // namespace taugrad
