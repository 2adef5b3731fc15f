#pragma once

#include <memory>

#include "evaluate/leaves/batch_data.h"

namespace taugrad {

/// Whether a length is drawn with the sequence: no tensor tells it, and either `tau ~
/// categorical(..)` is sampled, or something is sampled and `ends` says where to stop. (R14)
bool draws_lengths(const ResolvedModel& model, const BatchData& data, const RunOptions& options);

/// Draws those lengths and sets them in `data`. Draws are keyed by position, and none depends on
/// what comes after it: evaluated again to these lengths, the sequences are the same.
template <class S>
void draw_lengths(const std::shared_ptr<const ResolvedModel>& model, BatchData& data,
                  const Tensors& weights, const RunOptions& options);

}  // namespace taugrad
