#pragma once

#include <optional>
#include <span>

#include "plan/plan.h"
#include "rewrite/rewritten.h"
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

/// The tape with the products as they are planned, where those are others: gradients of stacks of
/// matrices one by one, operands rounded. Nothing where it is the one given.
std::optional<Rewritten> with_own_products(const Tape& tape, std::span<const NodeId> outputs,
                                           plan::PassSet passes, Precision precision, NodeId last);

}  // namespace taugrad::runtime
