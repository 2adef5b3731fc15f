#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "taugrad/base/tensor.h"
#include "taugrad/language/definition.h"
#include "taugrad/language/mode.h"
#include "taugrad/runtime/engine_options.h"
#include "taugrad/train/dataset.h"

namespace taugrad {

namespace runtime {
class Arena;
}

struct EvaluateOptions {
  Modes modes = {};           ///< of random variables; a mixed one's probability must not change
  std::int64_t batch = 32;    ///< items that run together, >= 1; the scores do not depend on it
  std::uint64_t seed = 1;     ///< of draws
  EngineOptions engine = {};  ///< the scores of bf16 are those of another arithmetic
  /// Of values, as of executors; null: memory of its own.
  std::shared_ptr<runtime::Arena> memory = nullptr;
  /// Told now and then how many items are done.
  std::function<void(std::int64_t items)> progress = {};
};

/// How well a random variable is predicted, summed over some positions of some items.
struct Score {
  std::int64_t targets = 0;  ///< positions
  double nats = 0;           ///< -log p(target)                                          (eq 11-13)
  std::int64_t judged = 0;   ///< elements that have a likeliest value: categories, bernoullis
  std::int64_t right = 0;    ///< of these, where it is the target
  /// How far the values read are from the data: elements that differ, of a normal the square of the
  /// distance. 0 where observed.
  double apart = 0;

  void add(const Score& other);
};

struct VariableScores {
  std::string name;
  bool discrete = false;  ///< categories and bernoullis
  Score all = {};
  /// By position along the first index, from 1, up to 4096; empty without one.
  std::vector<Score> steps = {};
};

struct ItemScores {
  std::int64_t steps = 0;  ///< of its longest length
  double loss = 0;         ///< in nats; the definition's own loss where it has one
  std::vector<Score> variables;
};

/// The loss of a data set and what makes it up.
struct Evaluation {
  std::vector<VariableScores> variables;  ///< the random ones
  std::vector<ItemScores> items;          ///< in the order of the data
  std::int64_t targets = 0;               ///< what a loss is divided by                      (R13)
  double loss = 0;
  bool has_loss = false;                   ///< else nothing is to be minimised
  bool own_loss = false;                   ///< "loss" in the definition: no likelihood
  std::vector<std::string> warnings = {};  ///< of options that changed nothing
};

/// Evaluates a model on data, without dropout. An item's scores are the same whatever the batch.
/// @param weights  by name, f32 or f64
/// @throws Error (D002) without an item or with targets of which none is given, (S013) for weights
/// that do not fit, (U002) for options outside their range and modes that do not fit
Evaluation evaluate(const Definition& d, const Tensors& weights, const Dataset& data,
                    const EvaluateOptions& options = {});

}  // namespace taugrad
