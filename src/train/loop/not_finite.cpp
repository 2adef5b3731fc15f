#include "train/loop/not_finite.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fail.h"
#include "evaluate/not_finite.h"
#include "train/data/items.h"

namespace taugrad {
namespace {

constexpr const char* kSmaller = "a smaller --lr or --clip keeps training from diverging";

constexpr double kNear = 1e37;  // a thirtieth of the largest float: room for rounding

/// An infinity where one of the values is NaN.
double largest(const Tensor& t) {
  float most = 0;
  bool numbers = true;
  for (const float x : t.values<float>()) {
    most = std::max(most, std::abs(x));
    numbers &= x == x;
  }
  return numbers ? static_cast<double>(most) : std::numeric_limits<double>::infinity();
}

/// NaN has no sign that says anything.
std::string in_words(double x) { return std::isnan(x) ? "NaN" : fmt::format("{}", x); }

/// Where the weights or the optimizer's moments are not finite, in words.
std::optional<std::string> not_finite_in(const Tensors& weights, const Tensors& gradients,
                                         const Optimizer& optimizer) {
  const auto told = [](const std::string& what, const Tensor& t) {
    const std::int64_t at = first_not_finite(t);
    const ResultPlace place = place_in(t.dims(), 0, false, at);
    return fmt::format("{} becomes {} at element [{}]", what, in_words(t.at(at)),
                       fmt::join(place.element, ","));
  };
  for (const auto& [name, g] : gradients)
    if (const Tensor& w = weights.at(name); first_not_finite(w) >= 0) return told(name, w);
  for (const auto& [name, t] : optimizer.state())
    if (first_not_finite(t) >= 0) return told("the optimizer's " + name, t);
  return {};
}

}  // namespace

void GuardedUpdate::look(const Tensors& weights, const Tensors& gradients,
                         const Optimizer& optimizer) {
  weight_ = moment_ = 0;
  for (const auto& [name, g] : gradients) weight_ = std::max(weight_, largest(weights.at(name)));
  for (const auto& [name, t] : optimizer.state()) moment_ = std::max(moment_, largest(t));
}

// One bound for every rule: a mean stays below its largest term, a momentum below its sum
// g (1 + mu + mu^2 + ..), and no step is longer than a moment or gradient over epsilon.
bool GuardedUpdate::stays_finite(double norm, double lr, const OptimizerOptions& o) {
  const double g = norm + (o.coupled ? o.weight_decay * weight_ : 0);
  const double over_epsilon = 1 / std::min(o.epsilon, 1.0), sum = 1 / (1 - o.momentum);
  if (o.kind == OptimizerKind::adagrad) moment_ += g * g;
  moment_ = std::max({moment_, g * g, g * sum});
  if (o.kind == OptimizerKind::rmsprop) moment_ = std::max(moment_, g * over_epsilon * sum);
  const double step = 2 * lr / (1 - o.beta1) * (moment_ + g + 1) * over_epsilon;
  weight_ = std::max(1.0, std::abs(1 - lr * o.weight_decay)) * weight_ + step;
  return moment_ < kNear && weight_ < kNear;
}

std::optional<std::string> GuardedUpdate::update(Tensors& weights, const Tensors& gradients,
                                                 double norm, double lr_scale,
                                                 Optimizer& optimizer) {
  const OptimizerOptions& o = optimizer.options();
  if (stays_finite(norm, o.lr * lr_scale, o)) {
    optimizer.update(weights, gradients, lr_scale);
    return {};
  }
  Tensors before;
  for (const auto& [name, g] : gradients) before.emplace(name, weights.at(name));
  const Tensors moments = optimizer.state();
  const std::int64_t updates = optimizer.updates();
  optimizer.update(weights, gradients, lr_scale);
  auto problem = not_finite_in(weights, gradients, optimizer);
  if (problem) {
    for (const auto& [name, t] : before)  // in place: plans read them there
      std::ranges::copy(t.bytes(), weights.at(name).bytes().begin());
    optimizer.restore(moments, updates);
  }
  look(weights, gradients, optimizer);
  return problem;
}

void fail_not_finite(const Update& u, const Dataset& data, const std::optional<Replayed>& source) {
  Diagnostic d;
  d.code = "N001";
  d.message = fmt::format("update {}: the loss is {}, the norm of the gradient {}", u.update,
                          in_words(u.loss), in_words(u.norm));
  d.help = kSmaller;
  if (source) {
    const NotFinite& s = source->source;
    Items(data).tell_place(source->item, d);
    if (source->leaf == Replayed::Leaf::data) {
      d.message += fmt::format("; the data hold {} in {}, item {}", in_words(s.value), s.label,
                               source->item);
      d.help = "take it out of the data; a number beyond 3.4e38 is an infinity in f32";
    } else if (source->leaf == Replayed::Leaf::weight) {
      d.message += fmt::format("; the weight {} holds {}", s.label, in_words(s.value));
      d.help = "begin with weights that are finite";
    } else {
      NotFinite here = s;
      here.item = static_cast<std::int64_t>(source->item);
      d.message += "; first " + here.text();
    }
  }
  fail(Status::numerical, std::move(d));
}

void fail_not_finite(const Update& u, const std::string& problem) {
  Diagnostic d;
  d.code = "N001";
  d.message = fmt::format("update {}: {}; loss {}, norm of the gradient {}", u.update, problem,
                          in_words(u.loss), in_words(u.norm));
  d.help = kSmaller;
  fail(Status::numerical, std::move(d));
}

}  // namespace taugrad
