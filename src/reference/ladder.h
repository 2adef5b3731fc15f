#pragma once

#include <span>

namespace taugrad {

/// What a complex step of one size measured.
struct Rung {
  double value = 0;
  bool stays = false;  ///< no real part moved with it: nothing bends within the step
};

/// What the rungs of ever smaller steps tell of the derivative.
struct Limit {
  double value = 0;  ///< infinite where they grow without end, NaN where they tell nothing
  double error = 0;
};

/// Long steps are wrong where the function bends within them, short ones where what they move
/// underflows on the way: the first two neighbours that agree, and beside which nothing moves, are
/// right. Where none do, a power of the step is followed to its end: to 0 (x^1.5 at 0) or beyond
/// all numbers (x^0.5 at 0).
/// @param rungs  of steps that shrink, each by the same factor
Limit limit_of(std::span<const Rung> rungs);

}  // namespace taugrad
