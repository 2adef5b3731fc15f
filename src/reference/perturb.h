#pragma once

#include <span>
#include <string>

#include "taugrad/reference/check.h"

namespace taugrad {

/// The node that `name` perturbs (CheckControl::perturb): of an op, or of a variable with or
/// without its position; of several the one whose vjp gives the largest cotangent.
/// @param value  names are those of nodes up to it
/// @param loss   whose gradient is spoiled: `value`, or at order 2 a derivative of it
/// @throws Error (U002) with what there is instead
Perturbed find_perturbed(Var value, Var loss, std::span<const Var> variables,
                         const CheckPoint& point, const std::string& name);

}  // namespace taugrad
