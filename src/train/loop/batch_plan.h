#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "evaluate/leaves/bind.h"
#include "evaluate/leaves/level_rows.h"
#include "language/resolve/resolved_model.h"
#include "taugrad/runtime/executor.h"
#include "taugrad/train/dataset.h"
#include "taugrad/unfold/unfold.h"
#include "train/data/items.h"

namespace taugrad {

/// How items of a dataset go together: few different lengths, so that plans are shared.
class Batching {
 public:
  /// @throws Error (D005, D011, D013, D014, D016) for an item that is none of this model
  Batching(std::shared_ptr<const ResolvedModel> model, const Items& data);

  bool ragged() const { return ragged_; }
  const std::vector<std::int64_t>& longest() const { return longest_; }  ///< by length number
  /// The lengths of a plan that these items fit, rounded up where items may be shorter.
  std::vector<std::int64_t> lengths_for(const Items& data,
                                        const std::vector<std::size_t>& items) const;
  /// Items that can run together: all, or those of equal lengths.
  std::vector<std::vector<std::size_t>> groups(const Items& data,
                                               const std::vector<std::size_t>& items) const;

 private:
  std::shared_ptr<const ResolvedModel> model_;
  bool ragged_;
  std::vector<std::int64_t> longest_;
};

/// What decides the draws of one run, and the probabilities of mixed variables.
struct BatchRun {
  std::uint64_t seed = 0;
  bool train = false;
  std::map<std::string, double> mixes = {};  ///< by variable
};

/// Unfolds a model for data: every random variable's are given.
UnfoldOptions unfold_options(const ResolvedModel& model, const std::vector<std::int64_t>& lengths,
                             bool ragged, const Modes& modes);

/// A leaf of an unfolded model: an input, or a weight.
struct DataLeaf {
  NodeId id;
  std::string name;
  Shape shape;
  std::vector<std::int32_t> at;  ///< position
  bool category;
};
DataLeaf data_leaf(const Tape& tape, NodeId id);
/// What the data give it: a row [shape...] an item. @throws Error (D005)
void fill_leaf(const DataLeaf& leaf, const Items& data, std::span<const std::size_t> items,
               std::span<float> to);
/// What decides the draws of items, and their lengths.
BatchContext batch_context(const std::vector<std::string>& lengths, const Items& data,
                           const std::vector<std::size_t>& items, const BatchRun& how);

/// Items in the order that a graph by levels takes: the longest first.
std::vector<std::size_t> longest_first(const ResolvedModel& model, const Items& data,
                                       std::vector<std::size_t> items);
/// Where the nodes of their trees stand. @param items  the longest first
runtime::LevelRows level_rows(const ResolvedModel& model, const LevelCircle& circle,
                              const Items& data, const std::vector<std::size_t>& items);
/// Levels of a plan that these trees fit, rounded up so that plans are shared; at most `steps`.
std::int64_t levels_for(const runtime::LevelRows& rows, std::int64_t steps);

/// Nodes of an unfolded model, planned once and run on the items of a dataset that fit.
class BatchPlan {
 public:
  BatchPlan(const Unfolded& u, std::span<const NodeId> outputs, const ExecutorOptions& options);
  /// @param lengths  names, numbered
  BatchPlan(std::vector<std::string> lengths, Executor<float> executor,
            std::vector<runtime::Source> sources);

  /// Reads every weight from these tensors (f32), which must stay where they are while this plan
  /// lives. @throws Error (S013) where one is missing or has other axes
  void bind(const Tensors& weights);
  /// Evaluates the outputs for some items, keyed by their places in the data.
  /// @param levels  of a plan by levels: of these items
  void run(const Items& data, const std::vector<std::size_t>& items, const BatchRun& how,
           const runtime::LevelRows& levels = {});
  const Executor<float>& executor() const { return executor_; }

 private:
  void place(std::vector<runtime::Source> sources);

  std::vector<std::string> lengths_;  ///< names, numbered
  Executor<float> executor_;
  std::vector<runtime::Source> inputs_, weights_, mixes_;
};

/// The flat number of a position (from 1) among leading axes.
std::int64_t flat_position(const Tensor& t, const std::vector<std::int32_t>& at);

}  // namespace taugrad
