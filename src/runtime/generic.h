#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "language/resolve/resolved_model.h"
#include "taugrad/base/tensor.h"
#include "taugrad/unfold/unfold.h"

/// What analyses of a definition at drawn values share.
namespace taugrad {

/// What the loss of a definition without one is made of: every variable with numbers.  (R13)
std::vector<std::string> numeric_variables(const ResolvedModel& model);
bool has_loss(const ResolvedModel& model);
/// Zeros would hide an error: weights that start at zero are moved off it.
Tensors generic_weights(const ResolvedModel& model, Tensors weights, std::uint64_t seed);
void move_off_zero(const std::string& name, std::uint64_t seed, Tensor& weight);
/// Adds the observed stop variables that are not given: 1 at the end, 0 before.  (R14)
void add_stops(const ResolvedModel& model, const Unfolded& u, std::int64_t items, Tensors& inputs);

}  // namespace taugrad
