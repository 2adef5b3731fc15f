#pragma once

#include <cstdint>
#include <vector>

namespace support {

/// Numbers between -1 and 1, some of them 0.
template <class S>
std::vector<S> numbers(std::int64_t count, unsigned seed) {
  std::vector<S> all;
  for (std::int64_t i = 0; i < count; ++i) {
    seed = seed * 1664525u + 1013904223u;
    all.push_back(seed % 7 == 0 ? S(0) : static_cast<S>(seed >> 8) / S(1 << 23) - S(1));
  }
  return all;
}

}  // namespace support
