#pragma once

#include <span>

#include "plan/plan.h"
#include "taugrad/runtime/executor.h"

namespace taugrad::runtime {

/// All passes but those to leave out. @throws Error (U002) for an unknown one
plan::PassSet passes_of(const ExecutorOptions& options);

/// The plan that an executor runs: of the tape, or of the one that the options make of it. Its
/// leaves bear their numbers in `tape`.
/// @throws Error (U002) for an unknown pass, (U006) for bf16 in double, and what make_plan throws
template <class S>
plan::Plan<S> plan_of(const Tape& tape, std::span<const NodeId> outputs,
                      const ExecutorOptions& options);

}  // namespace taugrad::runtime
