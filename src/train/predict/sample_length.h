#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "language/resolve/resolved_model.h"
#include "taugrad/train/sample.h"

namespace taugrad {

/// The variable that a definition draws its length by (tau ~ categorical(..)), or null.
const Symbol* length_variable(const ResolvedModel& model);

/// Draws sequences whose length is drawn first. (language.md R14)
/// @throws Error (D010, D011) where a weight is missing or has other axes
std::vector<Tensors> sample_to_length(const Definition& d, const ResolvedModel& model,
                                      const Symbol& length, const Tensors& weights,
                                      const SampleOptions& options);
/// What was drawn is NaN: there was no distribution. @throws Error (N004)
[[noreturn]] void no_distribution(const std::string& variable, std::int64_t step,
                                  std::int64_t item);
/// Everything drawn; at temperature 0 symbols are the likeliest.
Modes modes_of(const ResolvedModel& model, const SampleOptions& options);

}  // namespace taugrad
