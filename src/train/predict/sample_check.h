#pragma once

#include "language/resolve/resolved_model.h"
#include "taugrad/train/sample.h"

namespace taugrad {

/// @param given  items give the inputs, and any number of indices
/// @throws Error (U010) for a definition that cannot be sampled so, (U002) for options outside
/// their range, (D013) for a prompt of other symbols
void check_sampling(const Definition& d, const ResolvedModel& model, const SampleOptions& o,
                    bool given);
/// @throws Error (S101) where a weight is NaN
void check_weights_to_draw(const Tensors& weights);
/// @throws Error (U010)
[[noreturn]] void cannot_sample(const Definition& d, const std::string& why);

}  // namespace taugrad
