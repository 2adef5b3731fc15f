#pragma once

#include <memory>
#include <vector>

#include "kernels/bound_call.h"
#include "kernels/gemm/panels_tiles.h"
#include "kernels/tiles/tile_math.h"
#include "runtime/line_aligned.h"
#include "runtime/steps/address_cache.h"

namespace taugrad::runtime {

template <class S>
class Runtime;
template <class S>
struct Worker;

/// A step whose work has no calls of its own.
template <class S>
struct StepCall : kernels::BoundCall {
  Runtime<S>* machine;
  Worker<S>* worker;
  const typename AddressCache<S>::Step* step;
};

/// A short script as calls one after another, each with its operands: finding out what there is to
/// do takes as long as steps on a few numbers.
template <class S>
struct BoundScript {
  std::vector<const kernels::BoundCall*> calls;  ///< empty: not bound
  std::vector<kernels::RowCall<S>> rows;
  std::vector<kernels::TileCall<S>> copies;
  std::vector<StepCall<S>> steps;
  std::vector<std::unique_ptr<kernels::Panels<S>>> panels;  ///< matrices side by side without gaps
  LineAligned<S> results;                                   ///< of products side by side
};

}  // namespace taugrad::runtime
