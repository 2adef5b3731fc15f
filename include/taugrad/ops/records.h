#pragma once

#include "taugrad/graph/op.h"

/// The record of every operation, for passes and readers that compare `&node.op`.
namespace taugrad {

// leaves
extern const Op kInput, kWeight, kConstant, kEye, kLength, kDrawNormal, kDropoutMask;
// elementwise
extern const Op kNeg, kAdd, kSub, kMul, kDiv, kPow, kMod, kMinimum, kMaximum, kClamp;
extern const Op kTanh, kSigmoid, kRelu, kExp, kLog, kSqrt, kAbs, kSign, kFloor;
extern const Op kSin, kCos, kErf, kNormalCdf, kLog1p, kExpm1, kSoftplus;
extern const Op kLess, kLessEqual, kGreater, kGreaterEqual, kEqual, kNotEqual, kWhere;
extern const Op kCopy, kStopGradient;
// products
extern const Op kMatmul, kStackedMatmul, kOuter, kOuterSum, kConv, kSolve, kLogdet;
// layout
extern const Op kTranspose, kReshape, kBroadcastTo, kConcat, kSlice, kAt, kPad, kStack;
// reductions of one example
extern const Op kSum, kMean, kMax, kSumTo, kAddN, kMeanN, kFirstMax, kNorm, kLogSumExp, kCumsum;
extern const Op kSoftmax, kLogSoftmax, kCentre, kNormalize;
// symbols and likelihoods
extern const Op kArgmax, kOneHot, kEmbed, kScatterRows;
extern const Op kNllCategorical, kNllCategoricalP, kNllBernoulli, kNllBernoulliP, kNllNormal;
extern const Op kDrawCategorical, kDrawBernoulli;
// the batch
extern const Op kSumItems, kToItems, kRestrictTo, kExtendTo, kAtLength, kIfLength;

}  // namespace taugrad
