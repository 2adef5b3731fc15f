#include "taugrad/train/optimizer.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "train/loop/name_patterns.h"
#include "train/loop/without_effect.h"

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

using Kind = OptimizerKind;

constexpr OptimizerRule kRules[] = {
    {Kind::sgd, {"momentum", ""}, true, false, false, 0.999, 0},
    {Kind::adam, {"mean", "square"}, false, true, true, 0.999, 0},
    {Kind::adamw, {"mean", "square"}, false, true, true, 0.999, 0.01},
    {Kind::rmsprop, {"square", "momentum"}, true, false, true, 0.99, 0},
    {Kind::adagrad, {"square", ""}, false, false, false, 0.999, 0},
    {Kind::lion, {"mean", ""}, false, true, true, 0.99, 0},
};

/// One weight: n elements, their gradient and moments.
template <class T>
struct Elements {
  std::size_t n;
  T* __restrict w;
  const T* __restrict g;
  T* __restrict a;  // the first moment of the rule
  T* __restrict b;  // the second; null where there is none
};

template <class T>
void sgd(const Elements<T>& e, const OptimizerOptions& o, double lr, double) {
  const T keep = static_cast<T>(1 - lr * o.weight_decay), mu = static_cast<T>(o.momentum),
          rate = static_cast<T>(lr);
  for (std::size_t i = 0; i < e.n; ++i) {
    e.a[i] = mu * e.a[i] + e.g[i];
    e.w[i] = keep * e.w[i] - rate * (o.nesterov ? e.g[i] + mu * e.a[i] : e.a[i]);
  }
}

template <class T>
void adam(const Elements<T>& e, const OptimizerOptions& o, double lr, double k) {
  const T keep = static_cast<T>(1 - lr * o.weight_decay);
  const T b1 = static_cast<T>(o.beta1), b2 = static_cast<T>(o.beta2);
  const T rate = static_cast<T>(lr / (1 - std::pow(o.beta1, k)));
  const T spread = static_cast<T>(1 / std::sqrt(1 - std::pow(o.beta2, k)));
  const T epsilon = static_cast<T>(o.epsilon);
  for (std::size_t i = 0; i < e.n; ++i) {
    e.a[i] = b1 * e.a[i] + (1 - b1) * e.g[i];
    e.b[i] = b2 * e.b[i] + (1 - b2) * e.g[i] * e.g[i];
    e.w[i] = keep * e.w[i] - rate * e.a[i] / (std::sqrt(e.b[i]) * spread + epsilon);
  }
}

template <class T>
void rmsprop(const Elements<T>& e, const OptimizerOptions& o, double lr, double) {
  const T keep = static_cast<T>(1 - lr * o.weight_decay), b2 = static_cast<T>(o.beta2),
          mu = static_cast<T>(o.momentum), rate = static_cast<T>(lr),
          epsilon = static_cast<T>(o.epsilon);
  for (std::size_t i = 0; i < e.n; ++i) {
    e.a[i] = b2 * e.a[i] + (1 - b2) * e.g[i] * e.g[i];
    e.b[i] = mu * e.b[i] + e.g[i] / (std::sqrt(e.a[i]) + epsilon);
    e.w[i] = keep * e.w[i] - rate * e.b[i];
  }
}

template <class T>
void adagrad(const Elements<T>& e, const OptimizerOptions& o, double lr, double) {
  const T keep = static_cast<T>(1 - lr * o.weight_decay), rate = static_cast<T>(lr),
          epsilon = static_cast<T>(o.epsilon);
  for (std::size_t i = 0; i < e.n; ++i) {
    e.a[i] += e.g[i] * e.g[i];
    e.w[i] = keep * e.w[i] - rate * e.g[i] / (std::sqrt(e.a[i]) + epsilon);
  }
}

template <class T>
void lion(const Elements<T>& e, const OptimizerOptions& o, double lr, double) {
  const T keep = static_cast<T>(1 - lr * o.weight_decay), rate = static_cast<T>(lr);
  const T b1 = static_cast<T>(o.beta1), b2 = static_cast<T>(o.beta2);
  for (std::size_t i = 0; i < e.n; ++i) {
    const T u = b1 * e.a[i] + (1 - b1) * e.g[i];
    e.w[i] = keep * e.w[i] - rate * static_cast<T>((u > 0) - (u < 0));
    e.a[i] = b2 * e.a[i] + (1 - b2) * e.g[i];
  }
}

template <class T>
void apply(const Elements<T>& e, const OptimizerOptions& o, double lr, double k) {
  switch (o.kind) {
    case Kind::sgd:
      return sgd(e, o, lr, k);
    case Kind::adam:
    case Kind::adamw:
      return adam(e, o, lr, k);
    case Kind::rmsprop:
      return rmsprop(e, o, lr, k);
    case Kind::adagrad:
      return adagrad(e, o, lr, k);
    case Kind::lion:
      return lion(e, o, lr, k);
  }
}

/// g + weight_decay w, as a penalty of weight_decay |w|^2 / 2 in the loss would make it.
template <class T>
Tensor with_decay(const Tensor& g, const Tensor& w, double weight_decay) {
  Tensor sum = g;
  const auto from = w.values<T>();
  const auto to = sum.values<T>();
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += static_cast<T>(weight_decay) * from[i];
  return sum;
}

}  // namespace

const OptimizerRule& rule_of(OptimizerKind kind) {
  for (const OptimizerRule& rule : kRules)
    if (rule.kind == kind) return rule;
  fail(Status::usage, "U002", "no optimizer has the number {}", static_cast<int>(kind));
}

OptimizerOptions usual_options(OptimizerKind kind) {
  const OptimizerRule& rule = rule_of(kind);
  OptimizerOptions o;
  o.kind = kind;
  o.beta2 = rule.usual_beta2;
  o.weight_decay = rule.usual_decay;
  return o;
}

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

void clip_by_value(Tensors& gradients, double limit) {
  check(limit > 0, "clip limit must be > 0", limit);
  const auto clip = [&]<class T>(std::span<T> values) {
    for (T& x : values) x = std::clamp(x, static_cast<T>(-limit), static_cast<T>(limit));
  };
  for (auto& [name, g] : gradients)
    g.dtype() == Dtype::f32 ? clip(g.values<float>()) : clip(g.values<double>());
}

Optimizer::Optimizer(const OptimizerOptions& options) : options_(options) {
  rule_of(options.kind);
  const auto fraction = [](double x) { return x >= 0 && x < 1; };
  check(std::isfinite(options.lr) && options.lr > 0, "lr must be finite and > 0", options.lr);
  check(fraction(options.momentum), "momentum must be in [0, 1)", options.momentum);
  check(fraction(options.beta1), "beta1 must be in [0, 1)", options.beta1);
  check(fraction(options.beta2), "beta2 must be in [0, 1)", options.beta2);
  check(std::isfinite(options.epsilon) && options.epsilon > 0, "epsilon must be finite and > 0",
        options.epsilon);
  check(std::isfinite(options.weight_decay) && options.weight_decay >= 0,
        "weight_decay must be finite and >= 0", options.weight_decay);
  require_effects(options);
}

void Optimizer::restore(Tensors state, std::int64_t updates) {
  state_ = std::move(state);
  updates_ = updates;
}

template <class T>
T* Optimizer::moment(int number, const std::string& name, const Tensor& like) {
  const std::string kind = rule_of(options_.kind).moments[number];
  if (kind.empty()) return nullptr;
  const auto [it, fresh] = state_.try_emplace(fmt::format("{}.{}", kind, name));
  if (fresh) it->second = Tensor(like.dims(), like.dtype());
  if (it->second.dims() != like.dims() || it->second.dtype() != like.dtype())
    fail(Status::bad_input, "S013", "the optimiser's \"{}\" is {} {}, the weight {} {}", it->first,
         dims_text(it->second.dims()), to_string(it->second.dtype()), dims_text(like.dims()),
         to_string(like.dtype()));
  return it->second.values<T>().data();
}

template <class T>
void Optimizer::update_one(const std::string& name, Tensor& w, const Tensor& g, double lr) {
  OptimizerOptions o = options_;
  if (!o.decayed.empty() && !matches_any(o.decayed, name)) o.weight_decay = 0;
  Tensor decayed;
  const bool coupled = o.coupled && o.weight_decay > 0;
  if (coupled) {
    decayed = with_decay<T>(g, w, o.weight_decay);
    o.weight_decay = 0;
  }
  const Tensor& gradient = coupled ? decayed : g;
  const auto weight = w.values<T>();
  apply<T>({weight.size(), weight.data(), gradient.values<T>().data(), moment<T>(0, name, w),
            moment<T>(1, name, w)},
           o, lr, static_cast<double>(updates_));
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
