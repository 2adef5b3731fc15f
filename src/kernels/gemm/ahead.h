#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "kernels/gemm/panels_tiles.h"

namespace taugrad::kernels {

/// What caches do not hold.
inline constexpr std::int64_t kFarBytes = 1 << 23;

/// Memory that rows of `elements` elements, at least two, fill without gaps; none where they do
/// not.
template <class S, class T>
std::span<const S> filled(T* const* row, std::int64_t count, std::int64_t elements) {
  if (count < 2) return {};
  const S* const first = std::min(row[0], row[count - 1]);
  const S* const last = std::max(row[0], row[count - 1]);
  if (last - first != (count - 1) * elements) return {};
  return {first, static_cast<std::size_t>(count * elements)};
}

/// Memory that tiles fetch while they compute: as many lines each as they have rows of B, since
/// lines asked for all at once would have to be waited for.
template <class S>
struct Ahead {
  std::span<const S> first, second;

  void take(Tile<S>& tile) {
    constexpr std::int64_t kLine = 64 / static_cast<std::int64_t>(sizeof(S));
    std::span<const S>& from = first.empty() ? second : first;
    if (from.empty()) return;
    tile.ahead = from.data();
    tile.ahead_step = kLine;
    from = from.subspan(std::min(from.size(), static_cast<std::size_t>(tile.k * kLine)));
  }
};

}  // namespace taugrad::kernels
