#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "ops/kernel.h"

/// Rows of an operand by item: a node holds those of its extent, ascending.
namespace taugrad {

inline std::span<const std::int32_t> items_of(const BatchContext& batch, ExtentId extent) {
  return batch.items_of[extent];
}

/// Row of an item in an operand, or -1.
template <class S>
std::int64_t row_of(const Operand<S>& x, std::int32_t item, const BatchContext& batch) {
  if (x.extent == kShared) return 0;
  const auto held = items_of(batch, x.extent);
  const auto place = std::lower_bound(held.begin(), held.end(), item);
  return place != held.end() && *place == item ? place - held.begin() : -1;
}

/// What stands for a row or step that is not there: 0, or an absent category.
template <class S>
S missing(const Attrs& attrs) {
  return S(attrs.has("category") ? -1 : 0);
}

}  // namespace taugrad
