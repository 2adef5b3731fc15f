#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "language/resolve/resolved_model.h"
#include "plan/family/law.h"
#include "taugrad/runtime/executor.h"
#include "taugrad/train/evaluate.h"
#include "taugrad/unfold/unfold.h"
#include "train/data/items.h"

namespace taugrad {

/// Scores of items: [item], and [item][variable][position - 1] along the first index.
struct ItemTable {
  std::vector<ItemScores> items;
  std::vector<std::vector<std::vector<Score>>> steps;
};

/// The nodes of an unfolded model that say how well it predicts: its own loss, else likelihoods one
/// by one, and whether the likeliest values are right.
class ScoreOutputs {
 public:
  /// @param cut  number of the length that a segment is cut along, or -1
  ScoreOutputs(const Unfolded& u, const Modes& modes, int cut = -1);

  /// Those that `rows` of an unfolding of the model told; they know no nodes.
  ScoreOutputs(const plan::Table& rows, const ResolvedModel& model);

  const std::vector<NodeId>& nodes() const { return nodes_; }
  /// What each output tells, as numbers: they go on from step to step as the graph does.
  plan::Table rows() const;
  /// Adds the values of an executor's first outputs, but for targets that are not given.
  /// @param items  places in data and table by the caller's number
  /// @param from  steps that earlier segments had
  void add_to(ItemTable& table, const Executor<float>& executor, const Items& data,
              std::span<const std::size_t> items, std::int64_t from = 0) const;

 private:
  enum class Kind { loss, nats, right, apart };
  struct Output {
    Kind kind;
    std::size_t variable;
    std::int32_t step;      ///< along the first index; 0: none
    bool moves;             ///< counted from the segment's beginning
    std::int64_t elements;  ///< of the variable at a position
    std::vector<std::int32_t> at =
        {};        ///< position; along the cut counted from the segment's begin
    int cut = -1;  ///< axis along it
  };
  void add(Kind kind, Var v, const Output& like);
  void add_scores(const Unfolded& u, const Symbol& s, std::size_t variable, const Mode& mode,
                  int cut);
  void store(const Output& o, float value, std::int64_t from, ItemScores& item,
             std::vector<std::vector<Score>>& steps) const;

  std::vector<NodeId> nodes_;
  std::vector<Output> outputs_;
  bool is_given(const Output& o, const Items& data, std::size_t item, std::int64_t from) const;

  std::vector<std::string> names_;  ///< of the random variables
};

}  // namespace taugrad
