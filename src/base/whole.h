#pragma once

#include <cmath>
#include <cstdint>
#include <optional>

#include "taugrad/base/tensor.h"

/// The one way from a number that somebody gave to an integer.
namespace taugrad {

/// None for a fraction, NaN, an infinity, or what 64 bits do not hold.
inline std::optional<std::int64_t> whole_number(double x) {
  if (!(x >= -0x1p63 && x < 0x1p63) || x != std::floor(x)) return std::nullopt;
  return static_cast<std::int64_t>(x);
}

/// An element, whatever the type: of i64 with all its bits.
inline std::optional<std::int64_t> whole_number(const Tensor& t, std::int64_t flat) {
  if (t.dtype() == Dtype::i64) return t.values<std::int64_t>()[static_cast<std::size_t>(flat)];
  return whole_number(t.at(flat));
}

}  // namespace taugrad
