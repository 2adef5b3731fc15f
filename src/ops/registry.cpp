#include <array>

#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

// one line a family, one name an op
// clang-format off
constexpr std::array kOps{
    &kInput, &kWeight, &kConstant, &kLength,
    &kCopy, &kStopGradient,
    &kAdd, &kSub, &kMul, &kDiv, &kNeg, &kPow, &kMinimum, &kMaximum, &kClamp,
    &kTanh, &kSigmoid, &kRelu, &kExp, &kLog, &kSqrt, &kAbs, &kSign,
    &kLess, &kLessEqual, &kGreater, &kGreaterEqual, &kEqual, &kNotEqual, &kWhere,
    &kMatmul, &kOuter, &kOuterSum, &kConv,
    &kTranspose, &kReshape, &kBroadcastTo, &kConcat, &kSlice, &kPad, &kStack,
    &kSum, &kMean, &kMax, &kSumTo, &kAddN, &kFirstMax,
    &kSoftmax, &kLogSoftmax, &kCentre, &kNormalize,
    &kArgmax, &kOneHot, &kEmbed, &kScatterRows,
    &kNllCategorical, &kNllCategoricalP, &kNllBernoulli, &kNllBernoulliP, &kNllNormal,
    &kDrawCategorical, &kDrawBernoulli, &kDrawNormal, &kDropoutMask,
    &kSumItems, &kToItems, &kRestrictTo, &kExtendTo, &kAtLength, &kIfLength,
};
// clang-format on

}  // namespace

std::span<const Op* const> registry() { return kOps; }

const Op* find_op(std::string_view name) {
  for (const Op* op : kOps)
    if (op->name == name) return op;
  return nullptr;
}

}  // namespace taugrad
