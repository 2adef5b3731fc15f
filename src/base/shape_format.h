#pragma once

#include <fmt/core.h>

#include "taugrad/base/shape.h"

/// A Shape as an argument of `require`: it becomes text only where the check fails.
template <>
struct fmt::formatter<taugrad::Shape> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const taugrad::Shape& shape, Context& context) const {
    return fmt::formatter<std::string_view>::format(taugrad::to_string(shape), context);
  }
};
