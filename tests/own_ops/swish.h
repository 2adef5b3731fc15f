#pragma once

#include "taugrad/ops/own.h"

/// Operations that the library does not have: of one variable, of two, and one that is not
/// elementwise.
namespace own_ops {

using namespace taugrad;

// y = x sigmoid(x), y' = s + y (1 - s)
inline Op swish() {
  return elementwise_op(
      "swish", "y = x sigmoid(x)", [](auto x) { return x * scalar::sigmoid(x); },
      [](const Primal& p, std::size_t, Var d) {
        const Var s = sigmoid(p.in[0]);
        return d * (s + p.out * (1.0 - s));
      });
}

// y = tanh(a) b
inline Op gated() {
  return elementwise_op(
      "gated", "y = tanh(a) b", [](auto a, auto b) { return scalar::tanh(a) * b; },
      [](const Primal& p, std::size_t i, Var d) {
        const Var t = tanh(p.in[0]);
        return i == 0 ? d * p.in[1] * (1.0 - t * t) : d * t;
      });
}

// The sum of the squares of an example's elements.
struct SumOfSquares {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.in[0].shape->size();
    for (std::int64_t item = 0; item < c.items; ++item) {
      c.out[item] = S(0);
      for (std::int64_t i = 0; i < n; ++i) {
        const S x = row(c.in[0], item)[i];
        c.out[item] += x * x;
      }
    }
  }
};
inline Op sum_of_squares() {
  return {.name = "sum_of_squares",
          .about = "sum of x^2",
          .arity = 1,
          .shape = [](std::span<const Shape>, const Attrs&) { return Shape{}; },
          .forward = exact_forwards<SumOfSquares>(),
          .vjp =
              [](const Primal& p, Var ybar, std::span<Var> xbar) {
                xbar[0] = 2.0 * broadcast_to(ybar, p.in[0].shape()) * p.in[0];
              },
          .jvp = [](const Primal& p,
                    std::span<const Var> xdot) { return 2.0 * sum(p.in[0] * xdot[0]); }};
}

}  // namespace own_ops
