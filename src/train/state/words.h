#pragma once

#include "base/words.h"
#include "taugrad/runtime/executor.h"
#include "taugrad/train/optimizer.h"
#include "taugrad/train/text.h"

/// What options of a training are called: on the command line and in its saved state.
namespace taugrad {

inline constexpr Word<OptimizerKind> kOptimizers[] = {
    {"adam", OptimizerKind::adam},       {"adamw", OptimizerKind::adamw},
    {"sgd", OptimizerKind::sgd},         {"rmsprop", OptimizerKind::rmsprop},
    {"adagrad", OptimizerKind::adagrad}, {"lion", OptimizerKind::lion}};
inline constexpr Word<Precision> kPrecisions[] = {{"full", Precision::full},
                                                  {"bf16", Precision::bf16}};
inline constexpr Word<Tokens> kTokens[] = {
    {"chars", Tokens::chars}, {"bytes", Tokens::bytes}, {"words", Tokens::words}};
inline constexpr Word<Split> kSplits[] = {
    {"line", Split::line}, {"blank", Split::blank}, {"%", Split::percent}, {"none", Split::none}};

}  // namespace taugrad
