#pragma once

#include "exec/segment_plan.h"
#include "taugrad/base/tensor.h"

namespace taugrad::exec {

/// A state as tensors: `steps` and its slots by name, [batch, shape...]; symbols as I64.
template <class S>
Tensors state_tensors(const Model& model, int length, const SegmentState<S>& state);
/// Reads one into a state of the right slots and items.
/// @throws Error (D010) for a slot that is missing, (D011, D014) for what does not fit
template <class S>
void read_state(const Model& model, int length, const Tensors& from, SegmentState<S>& state);

}  // namespace taugrad::exec
