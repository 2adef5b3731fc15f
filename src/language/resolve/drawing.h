#pragma once

#include "language/resolve/resolved_model.h"
#include "taugrad/ops/ops.h"

namespace taugrad {

/// How values are drawn.
struct DrawRule {
  /// > 0: draws are from the density to the power 1/T. It divides the logits of a category and of a
  /// bernoulli, and stretches the deviation of a normal by sqrt(T).
  double temperature = 1;
  std::int64_t top_k = 0;  ///< categories: of the k likeliest only; 0: of all
  double top_p = 1;        ///< categories: of the likeliest that have this share together
};

/// A draw from the distribution of a random variable with these arguments, per example (`second`:
/// std of a normal), keyed by the variable's name.
Var drawn(const Symbol& s, Var first, Var second, const DrawRule& rule);

/// The mode of the distribution: the first likeliest category; 1 where p >= 0.5, else 0; the mean.
Var likeliest(const Symbol& s, Var first);

}  // namespace taugrad
