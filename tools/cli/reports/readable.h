#pragma once

#include <string>
#include <string_view>

#include "taugrad/language/definition.h"

namespace taugrad::cli {

/// An equation as it is read aloud: "h[t] = tanh(W @ h[t-1])" as "h⁽ᵗ⁾ = tanh(W h⁽ᵗ⁻¹⁾)"; an index
/// that cannot be raised stays in brackets.
std::string readable(std::string_view equation);

/// What `show` prints on a terminal: the equations in readable form, then tables of variables with
/// their shapes and parameters, and of the operations of one step.
std::string readable(const Definition& d);

}  // namespace taugrad::cli
