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
  std::vector<plan::ValueId> values;  ///< operands of a plan that is not written down,
  std::vector<plan::Job> jobs;        ///< and products
  AddressCache<S> ready;
  BoundScript<S> bound;  ///< of what is ready

  /// This worker's part of `n` things, as even as can be.
  std::int64_t first_of(std::int64_t n) const { return n * number / count; }
  std::int64_t last_of(std::int64_t n) const { return n * (number + 1) / count; }
};

}  // namespace taugrad::runtime
