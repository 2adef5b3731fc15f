#pragma once

#include <optional>
#include <string>

#include "taugrad/train/dataset.h"
#include "taugrad/train/trainer.h"
#include "train/replay.h"

/// An update that makes something infinite or NaN: told, and undone.                        (N001)
namespace taugrad {

/// What an update changes, as it was before.
class WeightsBefore {
 public:
  /// @param gradients  of the weights that change
  void keep(const Tensors& weights, const Tensors& gradients, const Optimizer& optimizer);
  /// In place: plans read the weights where they are.
  void put_back(Tensors& weights, Optimizer& optimizer) const;

 private:
  Tensors weights_, state_;
  std::int64_t updates_ = 0;
};

/// Where the weights or the optimizer's moments are not finite, in words.
std::optional<std::string> not_finite_in(const Tensors& weights, const Tensors& gradients,
                                         const Optimizer& optimizer);

/// Of loss or gradient. @param source  what it comes from, where that is known
[[noreturn]] void fail_not_finite(const Update& u, const Dataset& data,
                                  const std::optional<Replayed>& source);
/// Of what the update makes. @param problem  as not_finite_in says it
[[noreturn]] void fail_not_finite(const Update& u, const std::string& problem);

}  // namespace taugrad
