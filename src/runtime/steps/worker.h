#pragma once

#include <cstdint>
#include <vector>

#include "kernels/gemm/outer.h"
#include "kernels/gemm/panels.h"
#include "runtime/steps/address_cache.h"
#include "runtime/steps/bound_script.h"
#include "runtime/steps/tile_tables.h"
#include "taugrad/graph/op.h"

namespace taugrad::runtime {

/// Steps of a long plan that come so many times, what they work on found for the first time.
template <class S>
struct ToldPart {
  std::size_t first, length, times = 1;                    ///< steps; of a time; times
  std::vector<typename AddressCache<S>::Step> steps = {};  ///< of a time; empty: each is found anew
  AddressCache<S> found = {};
  std::vector<std::int64_t> distances = {};  ///< of its addresses, from time to time
};

/// One of the threads of a run, with what it works in.
template <class S>
struct Worker {
  std::int32_t number = 0, count = 1;
  std::vector<Operand<S>> operands;
  std::vector<kernels::RowBlock<S>> blocks;
  kernels::OuterScratch<S> outer;
  TileTables<S> tables;
  LineAligned<S> beside;  ///< rows of a product whose columns belong to several values
  std::vector<RowSource<S>> sources;
  std::vector<S*> kept;
  std::vector<plan::ValueId> values;  ///< operands of a plan that is not written down
  AddressCache<S> ready;
  std::vector<ToldPart<S>> told;  ///< all steps of a plan that goes on evenly
  BoundScript<S> bound;           ///< of what is ready

  /// This worker's part of `n` things, as even as can be.
  std::int64_t first_of(std::int64_t n) const { return n * number / count; }
  std::int64_t last_of(std::int64_t n) const { return n * (number + 1) / count; }
};

}  // namespace taugrad::runtime
