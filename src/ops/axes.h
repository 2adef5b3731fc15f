#pragma once

#include <array>

#include "taugrad/base/shape.h"

namespace taugrad {

/// For every element of `wide`, in order, calls body(i, j) with its place i and the place j of the
/// element of `narrow` that broadcasts to it.
template <class Body>
void each_broadcast(const Shape& narrow, const Shape& wide, const Body& body) {
  std::array<std::int64_t, kMaxRank> size{1, 1, 1, 1}, step{};
  const int shift = kMaxRank - wide.rank(), missing = wide.rank() - narrow.rank();
  std::int64_t stride = 1;
  for (int axis = wide.rank() - 1; axis >= 0; --axis) {
    const auto at = static_cast<std::size_t>(axis + shift);
    const std::int64_t n = axis < missing ? 1 : narrow[axis - missing];
    size[at] = wide[axis];
    step[at] = n == 1 ? 0 : stride;
    stride *= n;
  }
  std::int64_t i = 0;
  for (std::int64_t a = 0; a < size[0]; ++a)
    for (std::int64_t b = 0; b < size[1]; ++b)
      for (std::int64_t c = 0; c < size[2]; ++c)
        for (std::int64_t d = 0; d < size[3]; ++d)
          body(i++, a * step[0] + b * step[1] + c * step[2] + d * step[3]);
}

}  // namespace taugrad
