#include "ops/gated_derivatives.h"

#include "ops/rules.h"
#include "taugrad/ops/decays.h"

namespace taugrad {
namespace {

/// The last two axes change places.
Var turned(Var v) { return v.shape().rank() == 2 ? transpose(v) : transpose(v, {0, 2, 1}); }

std::int64_t steps(Var lines) { return lines.shape()[lines.shape().rank() - 2]; }
std::int64_t width(Var lines) { return lines.shape()[lines.shape().rank() - 1]; }

/// [..,C,d] as [..,d,C,1] or [..,d,1,C].
Var columns(Var lines) {
  const Shape lead = leading(lines.shape(), 2);
  return reshape(turned(lines), followed_by(lead, {width(lines), steps(lines), 1}));
}
Var rows(Var lines) {
  const Shape lead = leading(lines.shape(), 2);
  return reshape(turned(lines), followed_by(lead, {width(lines), 1, steps(lines)}));
}

/// [..,C,C] as [..,1,C,C].
Var of_all_numbers(Var m) {
  const std::int64_t n = width(m);
  return reshape(m, followed_by(leading(m.shape(), 2), {1, n, n}));
}

Var products(Var q, Var k) {
  const Var column = columns(q), row = rows(k);
  return column * row;
}

}  // namespace

Var weighed(Var m, Var q, Var k) {
  const Var met = products(q, k);
  return of_all_numbers(m) * met;
}

Var Stretches::scores(Var q, Var k) const {
  const Var met = products(q, k);
  return sum(met * numbers_, Along{.axis = -3});
}

Var Stretches::sums(Var m, Var x, Way way) const {
  const Var weights = of_all_numbers(m) * numbers_;
  const Var y = stacked_matmul(weights, columns(x), way == Way::backwards);
  return turned(reshape(y, followed_by(leading(x.shape(), 2), {width(x), steps(x)})));
}

Between::Between(Var gates) {
  const Var numbers = turned(gates);
  with_ = decays(numbers);
  before_ = decays(numbers, 1);
}

// L[i,j] is moved by a[l] between them: L[i,l] a'[l] N[l,j]
Stretches Between::moved(Var direction) const {
  return Stretches(stacked_matmul(with_ * rows(direction), before_));
}

// The gradient of sum D o ((L o a') N), through L and through N.
Var Between::slopes_moved(Var direction, Var weights) const {
  const Var row = rows(direction);
  const Var by_with = stacked_matmul(weights, before_, false, true) * row;
  const Var by_before = stacked_matmul(with_ * row, weights, true);
  const Var first = stacked_matmul(with_, by_with, true);
  const Var second = stacked_matmul(before_, by_before, true);
  return turned(sum((first + second) * before_, Along{.axis = -1}));
}

}  // namespace taugrad
