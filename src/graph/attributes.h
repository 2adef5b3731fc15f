#pragma once

#include <string_view>

#include "taugrad/graph/op.h"

namespace taugrad {

/// What an op's record says of the values of attribute `name`: integer, flag, real, integers or
/// text; "" where it says nothing.
std::string_view attribute_kind(const Op& op, std::string_view name);

/// @throws Error (G020) at an attribute that the op's record does not name, or a value of another
/// kind
void check_attributes(const Op& op, const Attrs& attrs);

}  // namespace taugrad
