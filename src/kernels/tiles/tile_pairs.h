#pragma once

#include <cstdint>

#include "kernels/bound_call.h"
#include "kernels/tiles/tile_math.h"

namespace taugrad::kernels {

/// Two lines: between[i] = first(a[i], b[i]), out[i] = second(between[i], other[i]). The second
/// does not wait until it can load what the first stored, which takes as long as a sum. Operands
/// that the first op does not have are null. Any of the places may be exactly another one, and
/// overlap none otherwise; `other` is not `between`.
template <class S>
struct alignas(64) PairCall : BoundCall {
  const S *a, *b, *other;
  S *between, *out;
  std::int64_t n;
};

/// The function of a PairCall for tiles of n elements, with the bits of both by themselves; null of
/// ops that are none of those of cells: sums and products of sums, products, tanh and sigmoid.
template <class S>
void (*pair_call(TileOp first, TileOp second, std::int64_t n))(const BoundCall&);

}  // namespace taugrad::kernels
