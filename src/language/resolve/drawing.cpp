#include "language/resolve/drawing.h"

#include <cmath>

namespace taugrad {
namespace {

Var tempered(Var logits, double temperature) {
  return temperature == 1 ? logits : logits / temperature;
}

Var drawn_category(const Symbol& s, Var logits, const DrawRule& rule) {
  return draw_categorical(tempered(logits, rule.temperature), s.name, rule.top_k, rule.top_p);
}

Var number(Var like, double value) { return constant(*like.tape, value); }

}  // namespace

Var drawn(const Symbol& s, Var a, Var second, const DrawRule& rule) {
  switch (s.distribution) {
    case DistributionKind::categorical_logits:
      return drawn_category(s, a, rule);
    case DistributionKind::categorical_p:
      return drawn_category(s, log(a), rule);
    case DistributionKind::bernoulli_logits:
      return draw_bernoulli(sigmoid(tempered(a, rule.temperature)), s.name);
    case DistributionKind::bernoulli_p:
      if (rule.temperature == 1) return draw_bernoulli(a, s.name);
      return draw_bernoulli(sigmoid((log(a) - log(1.0 - a)) / rule.temperature), s.name);
    case DistributionKind::normal: {
      const Var mean = broadcast_to(a, s.shape);
      if (rule.temperature != 1) second = second * std::sqrt(rule.temperature);
      return mean + broadcast_to(second, s.shape) * draw_normal(mean, s.name);
    }
    case DistributionKind::none:
      break;
  }
  return {};
}

Var likeliest(const Symbol& s, Var a) {
  switch (s.distribution) {
    case DistributionKind::categorical_logits:
    case DistributionKind::categorical_p:
      return argmax(a);
    case DistributionKind::bernoulli_logits:
      return greater_equal(a, number(a, 0));
    case DistributionKind::bernoulli_p:
      return greater_equal(a, number(a, 0.5));
    case DistributionKind::normal:
      return broadcast_to(a, s.shape);
    case DistributionKind::none:
      break;
  }
  return {};
}

}  // namespace taugrad
