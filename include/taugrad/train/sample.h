#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "taugrad/base/tensor.h"
#include "taugrad/language/definition.h"

namespace taugrad {

struct SampleOptions {
  std::int64_t count = 1;  ///< sequences to draw, >= 1
  std::int64_t steps =
      500;  ///< length, or the most where "ends" decides; >= 1 (a drawn length is its own)
  std::uint64_t seed = 1;
  /// Draws are from the density to the power 1/temperature: it divides the logits of categories and
  /// bernoullis, and stretches the deviation of a normal by its root. 0: always the likeliest value
  /// (symbol, 0 or 1, mean).
  double temperature = 1;
  std::int64_t top_k = 0;                 ///< draws are of the k likeliest symbols; 0: of all
  std::vector<std::int64_t> prompt = {};  ///< first symbols of the variable that text goes to
};

/// Draws sequences from a definition without inputs: of each its random variables, [steps,
/// shape...]. The step at which "ends" holds is the last; tau ~ categorical(..) is drawn first.
/// Sequence k of a seed is the same whatever else is drawn.           (language.md R12, R14)
/// @throws Error (U010) for a definition with inputs, several indices, or nothing random; (U002) on
/// options outside their range; (S013) where a weight is missing or has other axes; (S101) where
/// one is NaN; (N004) where a distribution is
std::vector<Tensors> sample(const Definition& d, const Tensors& weights,
                            const SampleOptions& options = {});

}  // namespace taugrad
