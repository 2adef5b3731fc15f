#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "language/resolve/resolved_model.h"
#include "taugrad/base/tensor.h"
#include "taugrad/evaluate/run.h"

namespace taugrad {

/// The tensors of one run, checked against a model: how long every item is, and where every leaf's
/// numbers lie.
struct BatchData {
  std::int64_t items = 0;
  std::vector<std::int64_t> longest;               ///< [length] the axis, as outputs have it
  std::vector<std::vector<std::int64_t>> lengths;  ///< [length][item]
  /// [length][item] where what is drawn goes on past its data; empty: nothing does
  std::vector<std::vector<std::int64_t>> data_lengths;
  std::vector<char> told;               ///< [length] by a tensor: an axis, or lengths
  std::vector<std::int64_t> keys;       ///< [item] of the draws
  Tensors inputs;                       ///< with what follows from the lengths (R14)
  std::vector<std::string> cotangents;  ///< variables that have one

  bool goes_past_data(std::size_t l) const { return !data_lengths[l].empty(); }
};

/// Whether a tensor's name is that of lengths of items: "lengths", "lengths:t".
inline bool is_lengths(std::string_view name) {
  return name == "lengths" || name.starts_with("lengths:");
}

/// @throws Error (D010-D018) where axes, lengths or symbols do not fit
BatchData read_batch(const ResolvedModel& model, Tensors inputs, const RunOptions& options);

/// Sets the lengths that follow from others, of the axes and of every item (R17).
void derive_lengths_of_items(const ResolvedModel& model, BatchData& data);
/// Groups of items that run together: all of them where the model can be ragged, else those of
/// equal lengths.
std::vector<std::vector<std::int32_t>> groups_of(const BatchData& data, bool together);

}  // namespace taugrad
