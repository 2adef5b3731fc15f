#pragma once

#include <optional>
#include <vector>

#include "language/resolve/resolved_model.h"
#include "taugrad/train/sample.h"

namespace taugrad {

/// From how many steps on sequences are drawn a segment after another.
constexpr std::int64_t kLongSample = 512;

/// Sequences of any length in the memory of a segment: the prompt is read, then each segment goes
/// on where the one before ended. Nothing where the model looks ahead. The same draws as of whole
/// sequences.                                                                                (R19)
std::optional<std::vector<Tensors>> sample_in_segments(
    const Definition& d, const std::shared_ptr<const ResolvedModel>& model, const Tensors& weights,
    const SampleOptions& options);

}  // namespace taugrad
