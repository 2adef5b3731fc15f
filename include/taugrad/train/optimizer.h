#pragma once

#include <cstdint>
#include <string>

#include "taugrad/base/tensor.h"

namespace taugrad {

enum class OptimizerKind { sgd, adam, adamw, rmsprop, adagrad, lion };

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::adam;
  double lr = 0.002;         ///< > 0
  double momentum = 0;       ///< sgd, rmsprop: in [0, 1)
  double beta1 = 0.9;        ///< adam, adamw, lion: in [0, 1)
  double beta2 = 0.999;      ///< those and rmsprop: in [0, 1)
  double epsilon = 1e-8;     ///< > 0
  double weight_decay = 0;   ///< decoupled: w shrinks by lr * weight_decay; >= 0
  bool nesterov = false;     ///< sgd with momentum
  bool coupled = false;      ///< weight_decay * w is added to the gradient instead
  std::string decayed = {};  ///< the weights that decay, by name: "W*,U"; empty: all
};

/// One row of the table of optimizers: what it keeps and reads.
struct OptimizerRule {
  OptimizerKind kind;
  const char* moments[2];       ///< kept of each weight, in the state's names; "" for none
  bool momentum, beta1, beta2;  ///< which of the options it reads
  double usual_beta2, usual_decay;
};
const OptimizerRule& rule_of(OptimizerKind kind);
/// The options of a kind as they are usual: lion and rmsprop have a beta2 of 0.99, adamw decays by
/// 0.01.
OptimizerOptions usual_options(OptimizerKind kind);

/// Euclidean norm of all gradients together.
double global_norm(const Tensors& gradients);

/// Scales all gradients by one factor so that their global norm is at most `limit`. Returns the
/// norm before.
/// @param limit  > 0
double clip_by_norm(Tensors& gradients, double limit);
/// Brings every element of every gradient into [-limit, limit]. @param limit  > 0
void clip_by_value(Tensors& gradients, double limit);

/// Updates weights in place. With g the gradient, w the weight, k the number of this update and
/// w shrunk by lr weight_decay before:
///   sgd      v <- momentum v + g;  w <- w - lr v      (nesterov: w - lr (g + momentum v))
///   adam     m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g^2;
///            w <- w - lr (m / (1 - beta1^k)) / (sqrt(v / (1 - beta2^k)) + epsilon)
///   adamw    the same; never coupled                                     (Loshchilov, Hutter 2019)
///   rmsprop  v <- beta2 v + (1 - beta2) g^2;  u <- momentum u + g / (sqrt(v) + epsilon);
///            w <- w - lr u
///   adagrad  v <- v + g^2;  w <- w - lr g / (sqrt(v) + epsilon)
///   lion     w <- w - lr sign(beta1 m + (1 - beta1) g);  m <- beta2 m + (1 - beta2) g
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
  /// Moments by weight name: "momentum.W", "mean.W", "square.W".
  const Tensors& state() const { return state_; }
  void restore(Tensors state, std::int64_t updates);
  const OptimizerOptions& options() const { return options_; }

 private:
  template <class T>
  void update_one(const std::string& name, Tensor& w, const Tensor& g, double lr);
  template <class T>
  T* moment(int number, const std::string& name, const Tensor& like);

  OptimizerOptions options_;
  std::int64_t updates_ = 0;
  Tensors state_;
};

}  // namespace taugrad
