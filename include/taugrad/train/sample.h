#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "taugrad/base/tensor.h"
#include "taugrad/language/definition.h"
#include "taugrad/runtime/engine_options.h"
#include "taugrad/train/dataset.h"

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
  std::int64_t top_k = 0;  ///< draws are of the k likeliest symbols; 0: of all
  double top_p = 1;        ///< and of the likeliest that have this share together, in (0, 1]
  std::vector<std::int64_t> prompt = {};  ///< first symbols of the variable that text goes to
  EngineOptions engine = {};
  /// Is told the symbols of the one sequence of a definition that text goes to, prompt and end too,
  /// as they are drawn; then none is returned, and none held where there are many.
  std::function<void(std::span<const std::int64_t>)> tell = {};
};

/// Draws sequences from a definition without inputs: of each its random variables, [steps,
/// shape...]. The step at which "ends" holds is the last; tau ~ categorical(..) is drawn first.
/// Sequence k of a seed is the same whatever else is drawn.           (language.md R12, R14)
/// @throws Error (U010) for a definition with inputs, several indices, or nothing random; (U002) on
/// options outside their range; (S013) where a weight is missing or has other axes; (S101) where
/// one is NaN; (N004) where a distribution is
std::vector<Tensors> sample(const Definition& d, const Tensors& weights,
                            const SampleOptions& options = {});

/// The same of a definition with inputs, which items give: for each item in turn `count` sequences.
/// What is random is drawn, also where the items have it. A length that no input tells is open:
/// `steps` and "ends" say where it stops, where it is not drawn. Of a seed, sequence k of item i is
/// that of the place i * count + k.
/// @throws Error as above; (D005) for an item that lacks an input
std::vector<Tensors> sample(const Definition& d, const Tensors& weights, const Dataset& items,
                            const SampleOptions& options);

struct BeamOptions {
  std::int64_t beam = 4;   ///< sequences that are kept from step to step, >= 1
  std::int64_t count = 1;  ///< of the likeliest found, 1..beam
  std::int64_t steps = 500;
  double length_penalty = 0;  ///< log p is divided by length^this where ended ones are compared
  std::vector<std::int64_t> prompt = {};
  EngineOptions engine = {};
};
/// A sequence found, and its log probability in nats.
struct Found {
  std::vector<std::int64_t> symbols;  ///< with the prompt and the end symbol
  double log_p = 0;                   ///< of what follows the prompt
};
/// The likeliest sequences of the one indexed category variable of a definition, by beam search;
/// the likeliest first. At beam 1 each symbol is the likeliest after those before it.
/// @throws Error (U010) for a definition with anything else random, or inputs; (G040) for one that
/// looks ahead; (U002), (S013) as above
std::vector<Found> beam_search(const Definition& d, const Tensors& weights,
                               const BeamOptions& options);

/// The same of a definition with inputs, which items give: of each item the likeliest given its
/// inputs. They are as long as inputs tell; where none does, `steps` and "ends" say where they
/// stop.
/// @throws Error as above; (D005) for an item that lacks an input
std::vector<std::vector<Found>> beam_search(const Definition& d, const Tensors& weights,
                                            const Dataset& items, const BeamOptions& options);

}  // namespace taugrad
