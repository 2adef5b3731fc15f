#include <numbers>

#include "ops/kernel.h"
#include "ops/rules.h"

// Negative log-likelihoods in nats. Each states its value and the gradient of its value, once.
namespace taugrad {
namespace {

Shape categorical_shape(std::span<const Shape> in, const Attrs&) {
  require(in[0].rank() == 1 && in[0][0] >= 1 && in[1].is_scalar(),
          "wants a vector and a category, not {} and {}", in[0], in[1]);
  return {};
}

void check_categorical(const Proposal& p) {
  require_number(p, 0);
  require_symbol(p, 1, p.tape.shape(p.in[0])[0]);
  require(p.category == 0, "gives a number, not a category");
}

// -ln softmax(z)[y] = ln sum exp(z - max) + max - z[y]
struct NllCategorical {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.in[0].shape->size();
    each_item(c, [&](std::int64_t item) {
      const S* z = row(c.in[0], item);
      const S shift = S(scalar::real_part(z[first_largest(z, n)]));
      S total(0);
      for (std::int64_t i = 0; i < n; ++i) total += scalar::exp(z[i] - shift);
      const std::int64_t y = category_of(*row(c.in[1], item), n);
      // an absent target has the one-hot 0, as in the gradient
      c.out[item] = scalar::log(total) + (y < 0 ? shift : shift - z[y]);
    });
  }
};

// dz = softmax(z) - 1_y                                                                   (eq 17)
Var nll_categorical_gradient(const Primal& p, std::size_t i) {
  if (i == 1) return {};
  const Var z = p.in[0];
  const Var picked = one_hot(p.in[1], z.shape()[0]);
  return softmax(z) - picked;
}

struct NllCategoricalP {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.in[0].shape->size();
    each_item(c, [&](std::int64_t item) {
      const std::int64_t y = category_of(*row(c.in[1], item), n);
      const S* p = row(c.in[0], item);
      c.out[item] = y < 0 ? S(0) : is_probability(p[y]) ? -scalar::log(p[y]) : not_a_number<S>();
    });
  }
};

// dp = -1_y / p, times a direction: the other elements have no part in it, whatever they are
Var nll_categorical_p_product(const Primal& p, Var d) {
  const Var picked = one_hot(p.in[1], p.in[0].shape()[0]), zero = number_like(p.in[0], 0);
  return where(picked, d * -(1.0 / p.in[0]), zero);
}
void nll_categorical_p_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  if (p.wants(0)) xbar[0] = nll_categorical_p_product(p, broadcast_to(ybar, p.in[0].shape()));
}
Var nll_categorical_p_jvp(const Primal& p, std::span<const Var> xdot) {
  return xdot[0] ? sum(nll_categorical_p_product(p, xdot[0])) : Var{};
}

// Sums a term of each element of operands of one shape.
template <class Term, int Arity>
struct SumOf {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.in[0].shape->size();
    each_item(c, [&](std::int64_t item) {
      const S *a = row(c.in[0], item), *b = row(c.in[1], item);
      S total(0);
      if constexpr (Arity == 2) {
        for (std::int64_t i = 0; i < n; ++i) total += Term{}(a[i], b[i]);
      } else {
        const S* d = row(c.in[2], item);
        for (std::int64_t i = 0; i < n; ++i) total += Term{}(a[i], b[i], d[i]);
      }
      c.out[item] = total;
    });
  }
};

// -ln p(y) with p = sigmoid(z):  max(z, 0) - z y + ln(1 + exp(-|z|))
using BernoulliTerm = decltype([](const auto& z, const auto& y) {
  using S = std::decay_t<decltype(z)>;
  const bool positive = scalar::real_part(z) > 0;  // no kink: both halves have their share of it
  return (positive ? z : S(0)) - z * y + scalar::log1p(scalar::exp(positive ? -z : z));
});

Var nll_bernoulli_gradient(const Primal& p, std::size_t i) {
  return i == 0 ? sigmoid(p.in[0]) - p.in[1] : -p.in[0];
}

// -(y ln p + (1 - y) ln(1 - p)) with 0 ln 0 = 0; of what is no probability there is none
using BernoulliPTerm = decltype([](const auto& p, const auto& y) {
  using S = std::decay_t<decltype(p)>;
  if (!is_probability(p)) return not_a_number<S>();
  const S no = S(1) - y;
  const S a = scalar::is_zero(y) ? S(0) : y * scalar::log(p);
  const S b = scalar::is_zero(no) ? S(0) : no * scalar::log(S(1) - p);
  return -(a + b);
});

Var nll_bernoulli_p_gradient(const Primal& n, std::size_t i) {
  const Var p = n.in[0], y = n.in[1];
  if (i == 1) {
    const Var of_yes = log(p);
    return log(1.0 - p) - of_yes;
  }
  const Var no = 1.0 - y, zero = number_like(p, 0);  // 0 ln 0 = 0: so is its slope
  const Var of_yes = where(y, y * (1.0 / p), zero);
  return where(no, no * (1.0 / (1.0 - p)), zero) - of_yes;
}

// r^2 / 2 + ln s + ln(2 pi) / 2 with r = (y - m) / s
using NormalTerm = decltype([](const auto& y, const auto& m, const auto& s) {
  using S = std::decay_t<decltype(y)>;
  const S r = (y - m) / s;
  return r * r * S(0.5) + scalar::log(s) + S(0.5 * std::log(2 * std::numbers::pi));
});

// dy = r/s,  dm = -r/s,  ds = (1 - r^2)/s
Var nll_normal_gradient(const Primal& p, std::size_t i) {
  const Var s = p.in[2], r = (p.in[0] - p.in[1]) / s;
  if (i == 2) return (1.0 - r * r) / s;
  return i == 0 ? r / s : -(r / s);
}

template <class Rule, NumberGradient gradient>
constexpr Op likelihood(std::string_view name, std::string_view about, int arity,
                        Shape (*shape)(std::span<const Shape>, const Attrs&)) {
  return {.name = name,
          .about = about,
          .arity = arity,
          .shape = shape,
          .forward = forwards<Rule>(),
          .vjp = number_vjp<gradient>,
          .jvp = number_jvp<gradient>};
}

constexpr Op of_category(Op op) {
  op.check = check_categorical;
  return op;
}

}  // namespace

constinit const Op kNllCategorical =
    of_category(likelihood<NllCategorical, nll_categorical_gradient>(
        "nll_categorical",
        "ln sum e^z - z 1_y = -ln softmax(z)[y];  dz = softmax(z) - 1_y (eq 13, 17); an absent y "
        "has 1_y = 0",
        2, categorical_shape));
constinit const Op kNllCategoricalP{.name = "nll_categorical_p",
                                    .about = "-1_y ln p = -ln p[y]; an absent y has 1_y = 0",
                                    .arity = 2,
                                    .shape = categorical_shape,
                                    .forward = forwards<NllCategoricalP>(),
                                    .vjp = nll_categorical_p_vjp,
                                    .jvp = nll_categorical_p_jvp,
                                    .traits = {.chooses = true},
                                    .check = check_categorical};
constinit const Op kNllBernoulli = likelihood<SumOf<BernoulliTerm, 2>, nll_bernoulli_gradient>(
    "nll_bernoulli", "-ln p(y), p = sigmoid(z), summed;  dz = p - y", 2, number_shape);
constinit const Op kNllBernoulliP = likelihood<SumOf<BernoulliPTerm, 2>, nll_bernoulli_p_gradient>(
    "nll_bernoulli_p", "-(y ln p + (1 - y) ln(1 - p)), summed", 2, number_shape);
constinit const Op kNllNormal = likelihood<SumOf<NormalTerm, 3>, nll_normal_gradient>(
    "nll_normal", "((y - m)/s)^2/2 + ln s + ln(2 pi)/2, summed", 3, number_shape);

Var nll_categorical(Var logits, Var y) { return append2(kNllCategorical, logits, y); }
Var nll_categorical_p(Var p, Var y) { return append2(kNllCategoricalP, p, y); }
Var nll_bernoulli(Var logits, Var y) { return append_broadcast(kNllBernoulli, logits, y); }
Var nll_bernoulli_p(Var p, Var y) { return append_broadcast(kNllBernoulliP, p, y); }
Var nll_normal(Var y, Var mean, Var std) { return append_broadcast(kNllNormal, {{y, mean, std}}); }

}  // namespace taugrad
