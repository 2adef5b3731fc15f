#include "plan/lower/tile_ops.h"

#include <utility>

#include "rewrite/rounding.h"
#include "taugrad/ops/records.h"

namespace taugrad::plan {

std::optional<kernels::TileOp> tile_op_of(const Op& op, const Attrs& attrs) {
  using kernels::TileOp;
  static constexpr std::pair<const Op*, TileOp> kMeanings[] = {
      {&kCopy, TileOp::copy},
      {&kStopGradient, TileOp::copy},
      {&kNeg, TileOp::neg},
      {&kAdd, TileOp::add},
      {&kSub, TileOp::sub},
      {&kMul, TileOp::mul},
      {&kDiv, TileOp::div},
      {&kMinimum, TileOp::minimum},
      {&kMaximum, TileOp::maximum},
      {&kClamp, TileOp::clamp},
      {&kTanh, TileOp::tanh},
      {&kSigmoid, TileOp::sigmoid},
      {&kRelu, TileOp::relu},
      {&kExp, TileOp::exp},
      {&kLog, TileOp::log},
      {&kSqrt, TileOp::sqrt},
      {&kAbs, TileOp::abs},
      {&kSign, TileOp::sign},
      {&kPow, TileOp::pow},
      {&kLess, TileOp::less},
      {&kLessEqual, TileOp::less_equal},
      {&kGreater, TileOp::greater},
      {&kGreaterEqual, TileOp::greater_equal},
      {&kEqual, TileOp::equal},
      {&kNotEqual, TileOp::not_equal},
      {&kWhere, TileOp::where},
      {&kRound, TileOp::round},
      {&kFloor, TileOp::floor},
      {&kSin, TileOp::sin},
      {&kCos, TileOp::cos},
      {&kErf, TileOp::erf},
      {&kNormalCdf, TileOp::normal_cdf},
      {&kLog1p, TileOp::log1p},
      {&kExpm1, TileOp::expm1},
      {&kSoftplus, TileOp::softplus},
      {&kMod, TileOp::mod},
  };
  for (const auto& [record, meaning] : kMeanings) {
    if (record != &op) continue;
    // the attribute says that the operands are categories, of which an absent one equals none
    if (meaning == TileOp::equal && attrs.has("category")) return TileOp::same_category;
    if (meaning == TileOp::not_equal && attrs.has("category")) return TileOp::other_category;
    return meaning;
  }
  return std::nullopt;
}

}  // namespace taugrad::plan
