#pragma once

#include <optional>

#include "kernels/tiles/tile_math.h"
#include "taugrad/graph/op.h"

namespace taugrad::plan {

/// What computes a node of that op and attributes element by element, operands in the op's order;
/// nothing where the op is not elementwise, or draws, or has any number of operands.
std::optional<kernels::TileOp> tile_op_of(const Op& op, const Attrs& attrs);

}  // namespace taugrad::plan
