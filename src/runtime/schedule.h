#pragma once

#include <cstdint>
#include <vector>

#include "plan/plan.h"
#include "runtime/batch.h"

namespace taugrad::runtime {

/// How a step is shared out among workers.
enum class Share : std::uint8_t {
  alone,    ///< the first worker does it
  items,    ///< each does the rows of its items
  rows,     ///< each does a part of the rows; all wait before it
  columns,  ///< each does columns of the result
  packs,    ///< each fills some of the packed matrices
};

/// How a run is shared out, for one batch. Which worker computes a number never changes it.
struct Schedule {
  int workers = 1;
  std::vector<std::int64_t> bounds;  ///< of workers' items; empty: items are not shared out
  std::vector<Share> share;          ///< by step
  std::vector<std::uint8_t> waits;   ///< by step: all must have done what comes before
};

/// Decides by the work there is and by the items it is for: items where there are enough of them,
/// as a worker then keeps its rows through a whole sequence; columns of large weights else; one
/// worker where sharing would cost more than it saves.
template <class S>
Schedule share_out(const plan::Plan<S>& plan, const Placement& placed, std::int64_t items,
                   int threads);

}  // namespace taugrad::runtime
