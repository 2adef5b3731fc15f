#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "taugrad/base/tensor.h"
#include "taugrad/language/definition.h"
#include "taugrad/runtime/engine_options.h"

namespace taugrad {

struct MemoryOptions {
  std::string input = {};            ///< empty: the one input with an index and numbers
  std::vector<std::string> of = {};  ///< what is read; empty: all that one step hands to another
  std::int64_t lags = 0;             ///< >= 1; 0: twice the numbers read
  /// Measured, rounded up to a power of two, at most 2^20; 0: a hundred for each lag and element of
  /// the input, but no more than 2^16 where those will do.
  std::int64_t steps = 0;
  double scale = 1;        ///< standard deviation of the input, > 0
  std::uint64_t seed = 0;  ///< of the input, of what else is drawn
  EngineOptions engine = {};
};

/// How much of its past a state keeps, for a linear readout.                          (section 2)
struct MemoryReport {
  std::string name, input;
  std::vector<std::string> of = {};
  std::int64_t numbers = 0;  ///< elements of all of `of`: the bound on the capacity
  std::int64_t steps = 0;
  /// [lag]: squared correlation of x[t - lag] with its best linear readout from the state at t,
  /// summed over the elements of x.
  std::vector<double> by_lag = {};
  double capacity = 0;  ///< sum over the lags
};

/// Linear memory capacity (Jaeger 2001). The input is noise with an exactly flat spectrum: any two
/// lags, of any two elements, are uncorrelated (-1/(steps - 1)), so the capacity is at most
/// `numbers` (times steps / (steps - 1)) for every network, and reached by a delay line. The
/// readout is fitted to the same steps: a state that keeps nothing shows numbers / steps at each
/// lag. Other inputs and data are drawn. In f64.
/// @throws Error (U002) for names or numbers that do not fit; (G028) without a state; those of
/// `run`
MemoryReport memory_capacity(const Definition& d, const Tensors& weights,
                             const MemoryOptions& options = {});

/// JSON, format "taugrad-memory" version 1 (docs/flow.md).
std::string to_json(const MemoryReport& report);

}  // namespace taugrad
