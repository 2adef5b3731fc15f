#pragma once

#include <memory>
#include <vector>

#include "evaluate/leaves/batch_data.h"
#include "language/resolve/resolved_model.h"
#include "taugrad/analysis/flow.h"
#include "taugrad/unfold/unfold.h"

namespace taugrad::analysis {

/// A definition and where its derivatives are taken.
struct FlowData {
  std::shared_ptr<const ResolvedModel> model;
  BatchData batch;
  Tensors inputs;  ///< with a random cotangent for each of `cotangents`
  Tensors weights;
  std::vector<std::string> cotangents;  ///< what the loss is made of, where there is none
  bool ragged = false;
  EngineOptions engine = {};

  Unfolded unfolded(std::vector<std::string> of_cotangents) const;
  const Symbol& symbol(const std::string& name) const;
  /// Length of the index of a variable with one, for the whole batch or one item.
  std::int64_t length_of(const Symbol& s, std::int64_t item = -1) const;
  /// Of all its indices.
  Dims lengths_of(const Symbol& s, std::int64_t item = -1) const;
};

using Position32 = std::vector<std::int32_t>;
/// All positions within these lengths, from 1, row by row.
std::vector<Position32> positions_of(const Dims& lengths);

/// Draws what is not given. @throws Error (D010-D016), (D014) where items differ in length and
/// their graphs in more than that
FlowData flow_data(const Definition& d, const Tensors& inputs, const Tensors& weights,
                   const FlowOptions& options);

/// Variables with one index and numbers that hand something on within the batch's lengths.
std::vector<std::string> states_of(const FlowData& data);
/// Whether only the batch's lengths are why there are none: longer items would have some.
bool are_too_short(const FlowData& data);
/// Variables with one index and numbers that hand something on, or those that the options name.
/// @throws Error (U002, G028)
std::vector<std::string> chosen_states(const FlowData& data, const FlowOptions& options);

/// Root of the sum of squares of the elements [first, first + size).
double norm_of(const Tensor& t, std::int64_t first, std::int64_t size);
/// Mean of the norms of g, the gradient of s[t], of the items that have step t.
double mean_norm(const FlowData& data, const Symbol& s, const Tensor& g, std::int64_t t);

/// All inputs of one item, repeated: a batch of `times` equal items.
Tensors item_repeated(const FlowData& data, std::int64_t item, std::int64_t times);

}  // namespace taugrad::analysis
