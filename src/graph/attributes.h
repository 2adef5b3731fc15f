#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "taugrad/graph/op.h"

namespace taugrad {

/// Name and kind of each attribute that an op's record names; of those without a kind "".
std::vector<std::pair<std::string_view, std::string_view>> attributes_of(const Op& op);

/// What an op's record says of the values of attribute `name`: integer, flag, real, integers or
/// text; "" where it says nothing.
std::string_view attribute_kind(const Op& op, std::string_view name);

/// @throws Error (G020) at an attribute that the op's record does not name, or a value of another
/// kind
void check_attributes(const Op& op, const Attrs& attrs);

}  // namespace taugrad
