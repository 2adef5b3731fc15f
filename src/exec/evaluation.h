#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "exec/batch_data.h"
#include "taugrad/exec/executor.h"
#include "taugrad/recurrence/unfold.h"

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

 private:
  BatchContext context_of(const std::vector<std::int32_t>& items) const;
  void fill(const Tape& tape, NodeId leaf, const std::vector<std::int32_t>& items,
            Executor<S>& executor) const;
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
