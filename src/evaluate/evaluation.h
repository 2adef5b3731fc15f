#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "evaluate/leaves/batch_data.h"
#include "evaluate/leaves/bind.h"
#include "evaluate/leaves/level_rows.h"
#include "taugrad/reference/interpreter.h"
#include "taugrad/runtime/executor.h"
#include "taugrad/unfold/unfold.h"

namespace taugrad {

/// Unfolds a model for some items of a batch and evaluates nodes of that graph on their data, in
/// floats of type S.
template <class S>
class Evaluation {
 public:
  Evaluation(std::shared_ptr<const ResolvedModel> model, const BatchData& data,
             const Tensors& weights, const RunOptions& options)
      : model_(std::move(model)), data_(data), weights_(weights), options_(options) {}

  /// How the model is unfolded for the items.
  UnfoldOptions unfolding(const std::vector<std::int32_t>& items) const;
  Unfolded unfolded(const std::vector<std::int32_t>& items) const {
    return unfold(model_, unfolding(items));
  }
  /// Where the nodes of the items' trees stand. @param items  the longest first
  runtime::LevelRows level_rows(const LevelCircle& circle,
                                const std::vector<std::int32_t>& items) const;
  /// Runs what was planned for the items.
  /// @throws Error (D010, D011) for a tensor that is needed and missing or misshapen
  void run(Executor<S>& executor, const std::vector<runtime::Source>& sources,
           const std::vector<std::int32_t>& items, const runtime::LevelRows& levels = {}) const;
  /// The outputs' values for the items; rows as the executor says.
  Executor<S> operator()(const Tape& tape, std::span<const NodeId> outputs,
                         const std::vector<std::int32_t>& items) const;

  /// The same of one item by the reference interpreter, which holds the value of every node.
  Interpreter<S> interpreted(const Tape& tape, std::span<const NodeId> outputs,
                             std::int32_t item) const;

 private:
  BatchContext context_of(const std::vector<std::int32_t>& items) const;
  const Tensor& tensor_of(const runtime::Source& source) const;
  /// @param rows  of leaf number `leaf`: numbers among `items`
  void fill(const runtime::Source& source, std::size_t leaf, const Tensor& tensor,
            const std::vector<std::int32_t>& items, std::span<const std::int32_t> rows,
            std::span<S> to) const;
  void check_weight(const Symbol& s, const Tensor& tensor) const;
  bool is_shared_cotangent(const std::string& leaf) const;

  std::shared_ptr<const ResolvedModel> model_;
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
