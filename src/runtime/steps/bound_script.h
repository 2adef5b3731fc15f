#pragma once

#include <memory>
#include <vector>

#include "kernels/bound_call.h"
#include "kernels/gemm/panels_tiles.h"
#include "kernels/tiles/tile_math.h"
#include "kernels/tiles/tile_pairs.h"
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
  /// The same, the parts of products from the last one on: run by turns with `calls`. Of a matrix
  /// that the first-level cache does not hold, a run begins with what the one before it ended with.
  /// Empty where there is none.
  std::vector<const kernels::BoundCall*> back;
  bool goes_back = false;  ///< the next run
  std::vector<kernels::RowCall<S>> rows;
  std::vector<kernels::TileCall<S>> copies;
  std::vector<kernels::PairCall<S>> pairs;  ///< of lines
  std::vector<StepCall<S>> steps;
  std::vector<std::unique_ptr<kernels::Panels<S>>> panels;  ///< matrices side by side without gaps
  LineAligned<S> results;                                   ///< of products side by side

  const std::vector<const kernels::BoundCall*>& next() {
    if (back.empty()) return calls;
    goes_back = !goes_back;
    return goes_back ? calls : back;
  }
};

}  // namespace taugrad::runtime
