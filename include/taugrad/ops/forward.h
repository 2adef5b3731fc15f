#pragma once

#include <algorithm>
#include <complex>

#include "taugrad/base/rational.h"
#include "taugrad/graph/op.h"
#include "taugrad/ops/scalar.h"

/// What forward rules are written with. A rule is a class with `template <class S> static void
/// run(const Call<S>&)`; `forwards<Rule>()` gives it in every scalar type of the engine. A new type
/// is a member of Forwards, a word in `forwards`, and its functions beside those of ops/scalar.h.
namespace taugrad {

template <class Rule>
constexpr Forwards forwards() {
  return {&Rule::template run<float>, &Rule::template run<double>,
          &Rule::template run<std::complex<double>>, nullptr};
}

/// The same for a rule whose results are rational where its operands are: also without rounding.
template <class Rule>
constexpr Forwards exact_forwards() {
  Forwards rules = forwards<Rule>();
  rules.exact = &Rule::template run<Rational>;
  return rules;
}

/// Row of an operand for an item: the same row for all where it is shared.
template <class S>
const S* row(const Operand<S>& x, std::int64_t item) {
  return x.data + item * x.stride;
}

/// y = F(x0, x1, ...), element by element.
template <class F, int Arity>
struct Map {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.shape->size();
    // rows that follow one another are one long row
    const bool flat =
        std::all_of(c.in.begin(), c.in.end(), [&](const Operand<S>& x) { return x.stride == n; });
    const std::int64_t rows = flat ? 1 : c.items, length = flat ? n * c.items : n;
    for (std::int64_t r = 0; r < rows; ++r) {
      S* y = c.out + r * length;
      const S* a = row(c.in[0], r);
      if constexpr (Arity == 1) {
        for (std::int64_t i = 0; i < length; ++i) y[i] = F{}(a[i]);
      } else if constexpr (Arity == 2) {
        const S* b = row(c.in[1], r);
        for (std::int64_t i = 0; i < length; ++i) y[i] = F{}(a[i], b[i]);
      } else {
        const S* b = row(c.in[1], r);
        const S* d = row(c.in[2], r);
        for (std::int64_t i = 0; i < length; ++i) y[i] = F{}(a[i], b[i], d[i]);
      }
    }
  }
};

}  // namespace taugrad
