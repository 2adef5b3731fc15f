#pragma once

#include <cstdint>
#include <string>

#include "taugrad/base/tensor.h"

namespace taugrad {

enum class OptimizerKind { sgd, adam };

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::adam;
  double lr = 0.002;        ///< > 0
  double momentum = 0;      ///< sgd: in [0, 1)
  double beta1 = 0.9;       ///< adam: in [0, 1)
  double beta2 = 0.999;     ///< adam: in [0, 1)
  double epsilon = 1e-8;    ///< adam: > 0
  double weight_decay = 0;  ///< decoupled: w shrinks by lr * weight_decay; >= 0
};

/// Euclidean norm of all gradients together.
double global_norm(const Tensors& gradients);

/// Scales all gradients by one factor so that their global norm is at most `limit`. Returns the
/// norm before.
/// @param limit  > 0
double clip_by_norm(Tensors& gradients, double limit);

/// Updates weights in place. With g the gradient, w the weight and k the number of this update:
///   sgd    v <- momentum v + g;  w <- w - lr v
///   adam   m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g^2;
///          w <- w - lr (m / (1 - beta1^k)) / (sqrt(v / (1 - beta2^k)) + epsilon)
/// The state has the weights' dtype and is saved and restored whole.
class Optimizer {
 public:
  /// @throws Error (U002) on options outside their range
  explicit Optimizer(const OptimizerOptions& options = {});

  /// Every gradient updates the weight of its name. @param lr_scale  factor on lr of this update (a
  /// schedule)
  /// @throws Error (U002) for a scale that is not finite, or below 0; (S013) where a weight
  /// is missing or its axes differ
  void update(Tensors& weights, const Tensors& gradients, double lr_scale = 1);

  std::int64_t updates() const { return updates_; }
  /// Moments by weight name: "momentum.W"; "mean.W" and "square.W".
  const Tensors& state() const { return state_; }
  void restore(Tensors state, std::int64_t updates);
  const OptimizerOptions& options() const { return options_; }

 private:
  template <class T>
  void update_one(const std::string& name, Tensor& w, const Tensor& g, double lr);
  Tensor& moment(const char* kind, const std::string& name, const Tensor& like);

  OptimizerOptions options_;
  std::int64_t updates_ = 0;
  Tensors state_;
};

}  // namespace taugrad
