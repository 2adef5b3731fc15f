#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "exec/batch_data.h"
#include "taugrad/exec/executor.h"
#include "taugrad/recurrence/unfold.h"
#include "taugrad/reference/interpreter.h"

namespace taugrad {

/// Unfolds a model for some items of a batch and evaluates nodes of that graph on their data, in
/// floats of type S.
template <class S>
class Evaluation {
 public:
  Evaluation(std::shared_ptr<const Model> model, const BatchData& data, const Tensors& weights,
             const RunOptions& options)
      : model_(std::move(model)), data_(data), weights_(weights), options_(options) {}

  Unfolded unfolded(const std::vector<std::int32_t>& items) const;
  /// The outputs' values for the items; rows as the executor says.
  /// @param forward_end  the last node of the forward part: what gradients read may be computed
  /// again
  /// @throws Error (D010, D011) for a tensor that is needed and missing or misshapen
  Executor<S> operator()(const Tape& tape, std::span<const NodeId> outputs,
                         const std::vector<std::int32_t>& items, NodeId forward_end = -1) const;

  /// The same of one item by the reference interpreter, which holds the value of every node.
  Interpreter<S> interpreted(const Tape& tape, std::span<const NodeId> outputs,
                             std::int32_t item) const;

 private:
  BatchContext context_of(const std::vector<std::int32_t>& items) const;
  /// @param rows  of the leaf: numbers among `items`
  void fill(const Tape& tape, NodeId leaf, const std::vector<std::int32_t>& items,
            std::span<const std::int32_t> rows, std::span<S> to) const;
  void check_weight(const Symbol& s, const Tensor& tensor) const;
  bool is_shared_cotangent(const std::string& leaf) const;

  std::shared_ptr<const Model> model_;
  const BatchData& data_;
  const Tensors& weights_;
  const RunOptions& options_;
};

/// Elements [from, from + to.size()) of a tensor as S.
template <class S>
void convert(const Tensor& tensor, std::int64_t from, std::span<S> to);
/// @throws Error (D010) where there is no such tensor
const Tensor& needed(const Tensors& tensors, const char* kind, const std::string& name);

}  // namespace taugrad
