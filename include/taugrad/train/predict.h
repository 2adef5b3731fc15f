#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "taugrad/base/tensor.h"
#include "taugrad/language/definition.h"
#include "taugrad/language/mode.h"
#include "taugrad/runtime/engine_options.h"
#include "taugrad/train/dataset.h"

namespace taugrad {

struct PredictOptions {
  /// "y": of a random variable the likeliest value, of any other its value; "p:y": the
  /// probabilities of a category or bernoulli; "std:y": of a normal; "nll:y". Empty: of every
  /// random variable y, p:y, std:y; without one, all variables.
  std::vector<std::string> fetch = {};
  Modes modes = {};         ///< those of variables without data must not be observed
  std::int64_t batch = 32;  ///< items that run together, >= 1; the values do not depend on it
  std::uint64_t seed = 1;   ///< of draws
  EngineOptions engine = {};
};

/// Items to predict: inputs, and of the random variables those that are known.
struct PredictData {
  Dataset data;
  std::set<std::string> unknown;  ///< random variables that no item has
};
/// Items from JSON lines, in which random variables may be left out, in all lines or none.
/// @throws Error as json_lines_dataset does; (D005) for a variable that some lines have
PredictData prediction_lines(const Definition& d, std::string_view text, const std::string& file);

/// What a model says of each item: by fetch, [index..., shape...] of the item's own lengths;
/// likeliest symbols as I64.
/// @throws Error (U020) for a fetch of no variable, (S013), (U002) for options outside their range
std::vector<Tensors> predict(const Definition& d, const Tensors& weights, const PredictData& items,
                             const PredictOptions& options = {});

struct ForecastOptions {
  std::int64_t steps = 1;  ///< beyond each item's end, >= 1
  bool likeliest = true;   ///< else draws
  double temperature = 1;  ///< of draws, > 0
  std::int64_t top_k = 0;  ///< draws are of the k likeliest symbols; 0: of all
  double top_p = 1;        ///< and of the likeliest that have this share together
  std::uint64_t seed = 1;
  EngineOptions engine = {};
};
/// How each item goes on: its random variables at the steps after its own end, [steps, shape...];
/// fewer steps where the definition's "ends" holds at one of them, which is the last.
/// Of a definition whose inputs are not indexed along that length, over one length.
/// @throws Error (G040) for a model that looks ahead, (U010) for one with inputs at each step
std::vector<Tensors> forecast(const Definition& d, const Tensors& weights, const Dataset& data,
                              const ForecastOptions& options);

}  // namespace taugrad
