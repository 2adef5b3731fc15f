#include "taugrad/train/optimizer.h"

#include <cmath>

#include "base/fail.h"

namespace taugrad {
namespace {

void check(bool ok, const char* what, double value) {
  if (!ok) fail(Status::usage, "U002", "the optimiser's {}, got {}", what, value);
}

template <class T>
double square_sum(const Tensor& t) {
  double sum = 0;
  for (const T x : t.values<T>()) sum += static_cast<double>(x) * static_cast<double>(x);
  return sum;
}

template <class T>
void scale(Tensor& t, double factor) {
  for (T& x : t.values<T>()) x = static_cast<T>(static_cast<double>(x) * factor);
}

}  // namespace

double global_norm(const Tensors& gradients) {
  double sum = 0;
  for (const auto& [name, g] : gradients)
    sum += g.dtype() == Dtype::f32 ? square_sum<float>(g) : square_sum<double>(g);
  return std::sqrt(sum);
}

double clip_by_norm(Tensors& gradients, double limit) {
  check(limit > 0, "clip limit must be > 0", limit);
  const double norm = global_norm(gradients);
  if (!(norm > limit)) return norm;
  for (auto& [name, g] : gradients)
    g.dtype() == Dtype::f32 ? scale<float>(g, limit / norm) : scale<double>(g, limit / norm);
  return norm;
}

Optimizer::Optimizer(const OptimizerOptions& options) : options_(options) {
  if (options.kind != OptimizerKind::sgd && options.kind != OptimizerKind::adam)
    fail(Status::usage, "U002", "the optimiser is sgd or adam, not number {}",
         static_cast<int>(options.kind));
  const auto fraction = [](double x) { return x >= 0 && x < 1; };
  check(std::isfinite(options.lr) && options.lr > 0, "lr must be finite and > 0", options.lr);
  check(fraction(options.momentum), "momentum must be in [0, 1)", options.momentum);
  check(fraction(options.beta1), "beta1 must be in [0, 1)", options.beta1);
  check(fraction(options.beta2), "beta2 must be in [0, 1)", options.beta2);
  check(std::isfinite(options.epsilon) && options.epsilon > 0, "epsilon must be finite and > 0",
        options.epsilon);
  check(std::isfinite(options.weight_decay) && options.weight_decay >= 0,
        "weight_decay must be finite and >= 0", options.weight_decay);
}

void Optimizer::restore(Tensors state, std::int64_t updates) {
  state_ = std::move(state);
  updates_ = updates;
}

Tensor& Optimizer::moment(const char* kind, const std::string& name, const Tensor& like) {
  const auto [it, fresh] = state_.try_emplace(fmt::format("{}.{}", kind, name));
  if (fresh) it->second = Tensor(like.dims(), like.dtype());
  if (it->second.dims() != like.dims() || it->second.dtype() != like.dtype())
    fail(Status::bad_input, "S013", "the optimiser's \"{}\" is {} {}, the weight {} {}", it->first,
         dims_text(it->second.dims()), to_string(it->second.dtype()), dims_text(like.dims()),
         to_string(like.dtype()));
  return it->second;
}

template <class T>
void Optimizer::update_one(const std::string& name, Tensor& w, const Tensor& g, double lr) {
  const auto weight = w.values<T>();
  const auto gradient = g.values<T>();
  const T keep = static_cast<T>(1 - lr * options_.weight_decay);
  if (options_.kind == OptimizerKind::sgd) {
    const auto v = moment("momentum", name, w).values<T>();
    const T mu = static_cast<T>(options_.momentum), rate = static_cast<T>(lr);
    for (std::size_t i = 0; i < weight.size(); ++i) {
      v[i] = mu * v[i] + gradient[i];
      weight[i] = keep * weight[i] - rate * v[i];
    }
    return;
  }
  const auto m = moment("mean", name, w).values<T>();
  const auto v = moment("square", name, w).values<T>();
  const auto k = static_cast<double>(updates_);
  const T b1 = static_cast<T>(options_.beta1), b2 = static_cast<T>(options_.beta2);
  const T rate = static_cast<T>(lr / (1 - std::pow(options_.beta1, k)));
  const T spread = static_cast<T>(1 / std::sqrt(1 - std::pow(options_.beta2, k)));
  const T epsilon = static_cast<T>(options_.epsilon);
  for (std::size_t i = 0; i < weight.size(); ++i) {
    m[i] = b1 * m[i] + (1 - b1) * gradient[i];
    v[i] = b2 * v[i] + (1 - b2) * gradient[i] * gradient[i];
    weight[i] = keep * weight[i] - rate * m[i] / (std::sqrt(v[i]) * spread + epsilon);
  }
}

void Optimizer::update(Tensors& weights, const Tensors& gradients, double lr_scale) {
  check(std::isfinite(lr_scale) && lr_scale >= 0, "lr_scale must be finite and >= 0", lr_scale);
  ++updates_;
  for (const auto& [name, g] : gradients) {
    const auto it = weights.find(name);
    if (it == weights.end() || it->second.dims() != g.dims() || it->second.dtype() != g.dtype())
      fail(Status::bad_input, "S013",
           "the gradient of \"{}\" is {} {}, but there is no such weight", name,
           dims_text(g.dims()), to_string(g.dtype()));
    if (g.dtype() == Dtype::f32)
      update_one<float>(name, it->second, g, options_.lr * lr_scale);
    else
      update_one<double>(name, it->second, g, options_.lr * lr_scale);
  }
}

}  // namespace taugrad
