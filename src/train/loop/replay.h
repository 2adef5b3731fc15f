#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "taugrad/reference/check.h"
#include "train/loop/batch_plan.h"

namespace taugrad {

/// Where a batch whose loss or gradient is not finite first is so.                          (R20)
struct Replayed {
  std::size_t item = 0;  ///< of the data
  NotFinite source;
  enum class Leaf { none, data, weight } leaf = Leaf::none;  ///< it is given, not computed
};

/// Runs the items of a batch again, one by one and in the reference interpreter, which keeps every
/// value. None where all of them are finite there, as where only their sum is not, and where they
/// are too many or too large for it.
std::optional<Replayed> replay(const std::shared_ptr<const ResolvedModel>& model,
                               const Modes& modes, const Tensors& weights, const Dataset& data,
                               const std::vector<std::size_t>& items, const BatchRun& how);

}  // namespace taugrad
