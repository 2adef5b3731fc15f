#pragma once

#include <complex>
#include <span>
#include <vector>

#include "taugrad/graph/graph.h"
#include "taugrad/graph/op.h"

namespace taugrad {

/// The reference interpreter: evaluates nodes one after another, each by its op's forward rule, in any scalar type.
/// The oracle of every other executor. S: float, double, std::complex<double>.
template <class S>
class Interpreter {
 public:
  /// Plans the evaluation of `outputs` and of what they need. @throws Error on a missing forward rule
  Interpreter(const Tape& tape, std::span<const NodeId> outputs);

  /// Leaves (input, weight) that the outputs need, in tape order.
  std::span<const NodeId> leaves() const { return leaves_; }
  /// Fixes the batch; lengths as in BatchContext (place_items is called here).
  void set_batch(BatchContext context, std::int64_t items);
  /// The storage of a leaf: [items, shape...] (rows of its extent), or [shape...] if it is shared.
  std::span<S> leaf(NodeId id);
  void run();
  /// The value of any needed node after run(): [items of its extent, shape...].
  std::span<const S> value(NodeId id) const;

 private:
  const Tape& tape_;
  std::vector<NodeId> order_, leaves_;
  std::vector<std::int32_t> slot_;  // node -> index into values_, -1: not needed
  std::vector<std::vector<S>> values_;
  BatchContext batch_;
  std::int64_t items_ = 1;
};

}  // namespace taugrad
