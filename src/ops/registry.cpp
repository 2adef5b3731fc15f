#include <algorithm>
#include <array>
#include <deque>
#include <string>

#include "ops/own.h"
#include "taugrad/ops/chosen_rows.h"
#include "taugrad/ops/data_positions.h"
#include "taugrad/ops/decays.h"
#include "taugrad/ops/gated.h"
#include "taugrad/ops/records.h"
#include "taugrad/ops/steps.h"
#include "taugrad/ops/triangular.h"

namespace taugrad {
namespace {

// one line a family, one name an op
// clang-format off
constexpr std::array kOps{
    &kInput, &kWeight, &kConstant, &kEye, &kLength,
    &kCopy, &kStopGradient,
    &kAdd, &kSub, &kMul, &kDiv, &kNeg, &kPow, &kMod, &kMinimum, &kMaximum, &kClamp,
    &kTanh, &kSigmoid, &kRelu, &kExp, &kLog, &kSqrt, &kAbs, &kSign, &kFloor,
    &kSin, &kCos, &kErf, &kNormalCdf, &kLog1p, &kExpm1, &kSoftplus,
    &kLess, &kLessEqual, &kGreater, &kGreaterEqual, &kEqual, &kNotEqual, &kWhere,
    &kMatmul, &kStackedMatmul, &kOuter, &kOuterSum, &kConv, &kSolve, &kLogdet,
    &kSolveUnitLower,
    &kDecays, &kScan, &kGatedScores, &kGatedSums, &kGatedSlopes,
    &kTranspose, &kReshape, &kBroadcastTo, &kConcat, &kSlice, &kAt, &kPad, &kStack,
    &kSum, &kMean, &kMax, &kSumTo, &kAddN, &kMeanN, &kFirstMax, &kNorm, &kLogSumExp, &kCumsum,
    &kSoftmax, &kLogSoftmax, &kCentre, &kNormalize,
    &kArgmax, &kOneHot, &kEmbed, &kScatterRows,
    &kNllCategorical, &kNllCategoricalP, &kNllBernoulli, &kNllBernoulliP, &kNllNormal,
    &kDrawCategorical, &kDrawBernoulli, &kDrawNormal, &kDropoutMask,
    &kSumItems, &kToItems, &kRestrictTo, &kExtendTo, &kAtLength, &kIfLength,
    &kAtPosition, &kIfPosition, &kQuotient, &kTakeRows, &kGiveRows, &kGiveSteps, &kStepOf,
};
// clang-format on

// Those of the library, and behind them those of the program. It never moves, so that spans stay
// good.
struct Registry {
  std::vector<const Op*> ops{kOps.begin(), kOps.end()};
  std::deque<Op> own;
  std::deque<std::string> texts;
  Registry() { ops.reserve(kOps.size() + kMostOwnOps); }
};
Registry& all() {
  static Registry registry;
  return registry;
}

}  // namespace

std::span<const Op* const> registry() { return all().ops; }

const Op* find_op(std::string_view name) {
  for (const Op* op : all().ops)
    if (op->name == name) return op;
  return nullptr;
}

const Op& add_to_registry(const Op& op) {
  Registry& r = all();
  Op& own = r.own.emplace_back(op);
  own.name = r.texts.emplace_back(op.name);
  own.about = r.texts.emplace_back(op.about);
  own.attributes = op.attributes.empty() ? kAnyName : r.texts.emplace_back(op.attributes);
  r.ops.push_back(&own);
  return own;
}

std::size_t own_ops() { return all().own.size(); }

const Op* find_own_op(std::string_view name) {
  for (const Op& op : all().own)
    if (op.name == name) return &op;
  return nullptr;
}

bool is_own(const Op& op) {
  return std::ranges::any_of(all().own, [&](const Op& own) { return &own == &op; });
}

}  // namespace taugrad
