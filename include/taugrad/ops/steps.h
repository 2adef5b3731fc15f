#pragma once

#include <cstdint>
#include <span>

#include "taugrad/graph/op.h"

/// Steps of items of different lengths as rows of one value, and back.
namespace taugrad {

extern const Op kGiveSteps, kStepOf;

/// [size,..] for the items of `extent`: row at[i] is parts[i], for items that it does not exist for
/// zeros, as all other rows. The places ascend.
Var give_steps(std::span<const Var> parts, std::span<const std::int64_t> at, std::int64_t size,
               ExtentId extent);
/// Row `at` of the first axis, for fewer items.
Var step_of(Var a, std::int64_t at, ExtentId extent);

/// Shares of one value that are steps of it, each of its own, become one node.
void join_steps(Vars& shares);

}  // namespace taugrad
