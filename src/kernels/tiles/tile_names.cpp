#include <iterator>

#include "kernels/tiles/tile_math.h"

namespace taugrad::kernels {

std::string_view tile_op_name(TileOp op) {
  static constexpr std::string_view kNames[] = {
      "copy",    "neg",           "add",   "sub",       "mul",           "div",
      "minimum", "maximum",       "clamp", "tanh",      "sigmoid",       "relu",
      "exp",     "log",           "sqrt",  "abs",       "sign",          "round",
      "floor",   "sin",           "cos",   "erf",       "normal_cdf",    "log1p",
      "expm1",   "softplus",      "pow",   "mod",       "less",          "less_equal",
      "greater", "greater_equal", "equal", "not_equal", "same_category", "other_category",
      "where"};
  static_assert(std::size(kNames) == kTileOps);
  return kNames[static_cast<std::size_t>(op)];
}

}  // namespace taugrad::kernels
