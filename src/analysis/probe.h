#pragma once

#include <vector>

#include "evaluate/leaves/bind.h"
#include "taugrad/base/tensor.h"
#include "taugrad/runtime/executor.h"
#include "taugrad/unfold/unfold.h"

namespace taugrad::analysis {

/// Evaluates nodes of a graph, by number, in f64: planned once, asked often.
class Probe {
 public:
  Probe(const Unfolded& u, std::vector<NodeId> outputs, const EngineOptions& engine = {});
  /// @param lengths  of items without one of their own; empty: as the tensors say
  Probe(const Graph& graph, std::vector<NodeId> outputs, std::vector<std::int64_t> lengths = {},
        const EngineOptions& engine = {});
  /// Values in the order of `outputs`: [items, shape...] in the caller's order of items, zeros
  /// where a node does not exist for an item, [shape...] where it is shared.
  std::vector<Tensor> operator()(const Tensors& inputs, const Tensors& weights);
  std::int64_t operations() const;  ///< of the last evaluation
  std::int64_t parameters() const;  ///< elements of the weights that the outputs need

 private:
  Graph graph_;
  std::vector<NodeId> outputs_;
  Executor<double> executor_;
  std::vector<runtime::Source> sources_;
  runtime::LengthRules lengths_;
};

/// All inputs of a graph, of one item, repeated: a batch of `times` equal items.
Tensors item_repeated(const Tape& tape, const Tensors& inputs, std::int64_t item,
                      std::int64_t times);

/// Item `item` of a tensor [index..., batch, shape...] as a batch of one.
Tensor one_item(const Tensor& t, int index_axes, std::int64_t item);
/// A tensor with axes [index..., batch, shape...], each item `times` times in a row.
Tensor repeated(const Tensor& t, int index_axes, std::int64_t times);

}  // namespace taugrad::analysis
