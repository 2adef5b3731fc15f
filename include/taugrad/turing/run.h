#pragma once

#include <cstdint>
#include <functional>

#include "taugrad/turing/network.h"

namespace taugrad {

enum class TuringArithmetic { exact, float64, float32 };
/// Bits behind the binary point of a number in [1, 2): 52, 23; 0: nothing is ever rounded.
int fraction_bits(TuringArithmetic a);

/// The machine and its network after `step` steps of the machine, 3 * step of the network.
struct TuringStep {
  std::int64_t step = 0;
  const TuringConfiguration& machine;
  const TuringReading& network;
  bool agrees = true;
};

struct TuringRunOptions {
  TuringArithmetic arithmetic = TuringArithmetic::exact;
  std::int64_t steps = 10'000;                        ///< of the machine, at most
  std::function<void(const TuringStep&)> watch = {};  ///< told of every step, the start too
};

struct TuringResult {
  std::int64_t steps = 0;          ///< of the machine
  std::int64_t network_steps = 0;  ///< 3 * steps
  bool halted = false;
  TuringConfiguration machine;  ///< at the end
  TuringReading network;
  std::int64_t first_difference =
      -1;  ///< step at which the network stands elsewhere; it ends there
  /// Step at which a stack first holds more symbols than fraction_bits / log2 B: there floats must
  /// go wrong. Found from the machine alone; -1: never.
  std::int64_t predicted = -1;
  std::int64_t deepest = 0;  ///< symbols on a stack at most, without blanks at the bottom
  bool agrees() const { return first_difference < 0; }
};

/// Runs the network's definition, unfolded, in the reference interpreter, beside the machine
/// itself, and compares state and tape after each step of the machine. Memory does not grow with
/// the steps.
TuringResult run(const TuringNetwork& n, const TuringRunOptions& options = {});

}  // namespace taugrad
