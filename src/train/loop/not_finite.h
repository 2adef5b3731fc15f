#pragma once

#include <optional>
#include <string>

#include "taugrad/train/dataset.h"
#include "taugrad/train/trainer.h"
#include "train/loop/replay.h"

/// An update that makes something infinite or NaN: told, and undone.                        (N001)
namespace taugrad {

/// Updates weights so that they and the optimizer's moments stay finite, or stay as they are. How
/// large they can become at most is followed from update to update, which costs nothing; only where
/// that bound comes near the largest float are they copied before and looked at after.
class GuardedUpdate {
 public:
  /// Looks at the weights: at the beginning, and where they have been replaced.
  void look(const Tensors& weights, const Tensors& gradients, const Optimizer& optimizer);
  /// Returns what became infinite or NaN, in words; nothing has changed then.
  /// @param norm  of the gradients is at most this
  std::optional<std::string> update(Tensors& weights, const Tensors& gradients, double norm,
                                    double lr_scale, Optimizer& optimizer);

 private:
  bool stays_finite(double norm, double lr, const OptimizerOptions& o);

  double weight_ = 0, moment_ = 0;  // no absolute value is larger
};

/// Of loss or gradient. @param source  what it comes from, where that is known
[[noreturn]] void fail_not_finite(const Update& u, const Dataset& data,
                                  const std::optional<Replayed>& source);
/// Of what the update makes. @param problem  as GuardedUpdate says it
[[noreturn]] void fail_not_finite(const Update& u, const std::string& problem);

}  // namespace taugrad
