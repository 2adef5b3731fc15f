#pragma once

#include <vector>

#include "exec/bind.h"
#include "taugrad/base/tensor.h"
#include "taugrad/exec/executor.h"
#include "taugrad/recurrence/unfold.h"

namespace taugrad::analysis {

/// Evaluates nodes of a graph, by number, in f64: planned once, asked often.
class Probe {
 public:
  Probe(const Unfolded& u, std::vector<NodeId> outputs);
  /// Values in the order of `outputs`: [items, shape...] in the caller's order of items, zeros
  /// where a node does not exist for an item, [shape...] where it is shared.
  std::vector<Tensor> operator()(const Tensors& inputs, const Tensors& weights);
  std::int64_t operations() const;  ///< of the last evaluation
  std::int64_t parameters() const;  ///< elements of the weights that the outputs need

 private:
  Graph graph_;
  std::vector<NodeId> outputs_;
  Executor<double> executor_;
  std::vector<exec::Source> sources_;
  exec::LengthRules lengths_;
};

/// Tensors with axes [index..., batch, shape...] of one batch, each item `times` times in a row.
/// `index_axes`: of the tensor of that name; -1: it is left alone.
Tensor repeated(const Tensor& t, int index_axes, std::int64_t times);

}  // namespace taugrad::analysis
