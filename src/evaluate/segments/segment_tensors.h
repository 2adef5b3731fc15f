#pragma once

#include "evaluate/segments/segment_plan.h"
#include "taugrad/base/tensor.h"

namespace taugrad::runtime {

/// A state as tensors: `steps` and its slots by name, [batch, shape...]; symbols as I64.
template <class S>
Tensors state_tensors(const ResolvedModel& model, int length, const SegmentState<S>& state);
/// Reads one into a state of the right slots and items.
/// @throws Error (D010) for a slot that is missing, (D011, D014) for what does not fit
template <class S>
void read_state(const ResolvedModel& model, int length, const Tensors& from,
                SegmentState<S>& state);

}  // namespace taugrad::runtime
