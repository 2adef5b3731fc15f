#pragma once

#include "language/resolve/resolved_model.h"
#include "taugrad/train/dataset.h"

namespace taugrad {

/// Whether an item is one of this model: whoever made it, the rules are those of JSON lines.
/// @param item  its place in the data, for messages
/// @throws Error (D005) for a missing variable, (D011) for other axes than its lengths and the
/// definition tell, (D013) for symbols and bernoulli values out of their range, (D014) for lengths,
/// (D016) for a tensor that is no input and no random variable
void require_example(const ResolvedModel& model, const Example& e, std::size_t item);

}  // namespace taugrad
