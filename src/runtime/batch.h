#pragma once

#include <cstdint>
#include <vector>

#include "plan/plan.h"
#include "taugrad/graph/op.h"

namespace taugrad::runtime {

using plan::Layout;

/// A batch as the executor keeps it: items sorted by their primary length, longest first, equal
/// ones in the caller's order, so that the rows of a step are the first rows of the step before.
struct Placement {
  std::vector<std::int32_t> order;  ///< caller's number of each item
  /// caller's numbers of the items of an extent; empty where they are the first ones of `order`
  std::vector<std::vector<std::int32_t>> callers;
  std::vector<std::int64_t> rows;  ///< by ExtentId; 1 for what is shared
  BatchContext context;            ///< lengths, keys and rows in the sorted order
};

/// Rows of the extents marked in `used`. @throws Error (B001) where `given` does not fit the plan
void place_batch(const Layout& layout, const std::vector<std::uint8_t>& used,
                 const BatchContext& given, std::int64_t items, Placement& out);

/// What draws depend on: the seed and, sorted, the items' keys (their numbers where none are
/// given).
void place_draws(const BatchContext& given, Placement& out);

}  // namespace taugrad::runtime
