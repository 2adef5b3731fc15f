#pragma once

#include "taugrad/graph/op.h"

/// The record of every operation, for passes and readers that compare `&node.op`.
namespace taugrad {

// leaves
extern const Op kInput, kWeight, kConstant, kLength, kDrawNormal, kDropoutMask;
// elementwise
extern const Op kNeg, kAdd, kSub, kMul, kDiv, kPow, kMinimum, kMaximum, kClamp;
extern const Op kTanh, kSigmoid, kRelu, kExp, kLog, kSqrt, kAbs, kSign;
extern const Op kLess, kLessEqual, kGreater, kGreaterEqual, kEqual, kNotEqual, kWhere;
extern const Op kCopy, kStopGradient;
// products
extern const Op kMatmul, kOuter, kOuterSum, kConv;
// layout
extern const Op kTranspose, kReshape, kBroadcastTo, kConcat, kSlice, kPad, kStack;
// reductions of one example
extern const Op kSum, kMean, kMax, kSumTo, kAddN, kMeanN, kFirstMax;
extern const Op kSoftmax, kLogSoftmax, kCentre, kNormalize;
// symbols and likelihoods
extern const Op kArgmax, kOneHot, kEmbed, kScatterRows;
extern const Op kNllCategorical, kNllCategoricalP, kNllBernoulli, kNllBernoulliP, kNllNormal;
extern const Op kDrawCategorical, kDrawBernoulli;
// the batch
extern const Op kSumItems, kToItems, kRestrictTo, kExtendTo, kAtLength, kIfLength;

}  // namespace taugrad
