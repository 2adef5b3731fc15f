#pragma once

#include <map>
#include <string>
#include <vector>

#include "evaluate/segments/segment_plan.h"
#include "taugrad/base/tensor.h"

namespace taugrad::runtime {

/// A state as tensors: `steps` and its slots by name, [batch, shape...]; symbols as I64.
template <class S>
Tensors state_tensors(const ResolvedModel& model, int length, const SegmentState<S>& state);
/// The steps that each of the items has made, of a state whose slots have these names and axes,
/// where `further` steps follow.
/// @throws Error (D010) for a tensor that is missing, (D016) for one that nothing reads, (D011,
/// D014) for what does not fit
std::vector<std::int64_t> checked_steps(const Tensors& state,
                                        const std::map<std::string, Dims>& slots,
                                        std::int64_t items, std::int64_t further);
/// Reads one into a state of the right slots and items. @throws Error as checked_steps
template <class S>
void read_state(const ResolvedModel& model, int length, const Tensors& from, std::int64_t further,
                SegmentState<S>& state);

}  // namespace taugrad::runtime
