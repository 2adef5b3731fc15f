#include "train/not_finite.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fail.h"
#include "exec/not_finite.h"

namespace taugrad {
namespace {

constexpr const char* kSmaller = "a smaller --lr or --clip keeps training from diverging";

void copy_values(const Tensor& from, Tensor& to) {
  std::ranges::copy(from.bytes(), to.bytes().begin());
}

bool all_finite(const Tensor& t) {
  bool finite = true;
  for (const float x : t.values<float>())
    finite &= std::abs(x) <= std::numeric_limits<float>::max();
  return finite;
}

std::string in_words(double x) { return std::isnan(x) ? "NaN" : x > 0 ? "inf" : "-inf"; }

}  // namespace

void WeightsBefore::keep(const Tensors& weights, const Tensors& gradients,
                         const Optimizer& optimizer) {
  const auto keep = [](Tensors& kept, const std::string& name, const Tensor& t) {
    const auto [it, fresh] = kept.try_emplace(name, t);
    if (!fresh) copy_values(t, it->second);
  };
  for (const auto& [name, g] : gradients) keep(weights_, name, weights.at(name));
  if (optimizer.state().size() != state_.size()) state_.clear();
  for (const auto& [name, t] : optimizer.state()) keep(state_, name, t);
  updates_ = optimizer.updates();
}

void WeightsBefore::put_back(Tensors& weights, Optimizer& optimizer) const {
  for (const auto& [name, t] : weights_) copy_values(t, weights.at(name));
  optimizer.restore(state_, updates_);
}

std::optional<std::string> not_finite_in(const Tensors& weights, const Tensors& gradients,
                                         const Optimizer& optimizer) {
  const auto told = [](const std::string& what, const Tensor& t) {
    const std::int64_t at = first_not_finite(t);
    const ResultPlace place = place_in(t.dims(), 0, false, at);
    return fmt::format("{} becomes {} at element [{}]", what, in_words(t.at(at)),
                       fmt::join(place.element, ","));
  };
  for (const auto& [name, g] : gradients)
    if (const Tensor& w = weights.at(name); !all_finite(w)) return told(name, w);
  for (const auto& [name, t] : optimizer.state())
    if (!all_finite(t)) return told("the optimizer's " + name, t);
  return {};
}

void fail_not_finite(const Update& u, const Dataset& data, const std::optional<Replayed>& source) {
  Diagnostic d;
  d.code = "N001";
  d.message = fmt::format("update {}: the loss is {}, the norm of the gradient {}", u.update, u.loss,
                          u.norm);
  d.help = kSmaller;
  if (source) {
    const NotFinite& s = source->source;
    const Example& item = data.examples[source->item];
    if (item.file) d.file = *item.file;
    d.line = item.line;
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
                          u.loss, u.norm);
  d.help = kSmaller;
  fail(Status::numerical, std::move(d));
}

}  // namespace taugrad
