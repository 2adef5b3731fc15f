#pragma once

#include <algorithm>
#include <cstdint>

namespace taugrad::kernels {

/// Has the beginning of a row brought into the cache; the processor goes on with long rows by
/// itself.
template <class S>
inline void fetch(const S* row, std::int64_t elements) {
  constexpr std::int64_t kLine = 64 / static_cast<std::int64_t>(sizeof(S));
  for (std::int64_t i = 0; i < std::min(elements, 8 * kLine); i += kLine)
    __builtin_prefetch(row + i);
  asm volatile("");  // g++ leaves out calls of functions that do nothing but this
}

}  // namespace taugrad::kernels
