#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "taugrad/base/tensor.h"
#include "taugrad/language/definition.h"
#include "taugrad/language/mode.h"

namespace taugrad {

struct StepperOptions {
  std::vector<std::string> outputs;                  ///< variables, and likelihoods "nll:y"
  std::int64_t batch = 1;                            ///< items, fixed; >= 1
  Dtype dtype = Dtype::f32;                          ///< f32 or f64
  std::map<std::string, std::int64_t> lengths = {};  ///< of the other indices, by name or letter
  Modes modes = {};
  double temperature = 1;  ///< > 0
  std::int64_t top_k = 0;
  double top_p = 1;        ///< in (0, 1]
  std::uint64_t seed = 0;  ///< of draws; item i of the batch draws as item i of a run
};

/// Runs a definition one step at a time, for data that come while it runs. It keeps the values that
/// equations read at earlier steps, of each item of its batch, and the bits are those of the whole
/// sequence.                                                                                 (R19)
///
/// All memory is taken, all weights are packed when it is made: a step allocates nothing, takes no
/// lock and calls no system function. One thread at a time uses it.
class Stepper {
 public:
  /// @throws Error (G040) naming what reads ahead, where an output needs it; (U020) for unknown
  /// outputs, (U002) for options outside their range, (S013) for weights that are missing or do not
  /// fit, and all that a definition can have wrong
  Stepper(const Definition& d, const Tensors& weights, const StepperOptions& options);
  ~Stepper();
  Stepper(Stepper&&) noexcept;
  Stepper& operator=(Stepper&&) noexcept;

  /// One step of every item. Inputs: x[t] is [batch, shape...], what has other indices too
  /// [others..., batch, shape...], of any type; an input that is not there keeps its values, zeros
  /// (of a symbol: absent) at first. Outputs likewise, good until the next step.
  /// @throws Error (D011) for other axes
  const Tensors& step(const Tensors& inputs);
  /// The same on the values in the storage of `input`.
  const Tensors& step();

  /// An input's storage, to be written before `step()`: S is the Stepper's type. It stays where it
  /// is. @throws Error (U020) for one that nothing reads, (D015) for another S
  template <class S>
  std::span<S> input(std::string_view name);
  /// An output's values, where `step` writes them. @throws Error likewise
  template <class S>
  std::span<const S> output(std::string_view name) const;

  /// What the items hand on: `steps` (I64, [batch]), and each value at the step where it stands,
  /// "h[t]", "x[t-1]", [batch, shape...]; good until the next step.
  const Tensors& state();
  /// Goes on from a state. @throws Error (D010, D011) where it is of another definition or batch
  void set_state(const Tensors& state);
  /// An item begins anew. @throws Error (U022) where there is no such item
  void reset(std::int64_t item);

 private:
  struct Engine;
  template <class S>
  struct Of;
  Engine& engine() const;  // @throws Error (U021) where it was moved from
  std::unique_ptr<Engine> engine_;
};

}  // namespace taugrad
