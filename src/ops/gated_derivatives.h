#pragma once

#include "taugrad/ops/gated.h"

/// Second derivatives by gates, of ops that are written down: numbers [..,d,C,C] for each pair of
/// steps. Only second derivatives and forward mode have need of them.
namespace taugrad {

/// A number for each pair of steps and each number of a line, in the place of L.
class Stretches {
 public:
  explicit Stretches(Var numbers) : numbers_(numbers) {}
  Var scores(Var q, Var k) const;         ///< as gated_scores
  Var sums(Var m, Var x, Way way) const;  ///< as gated_sums

 private:
  Var numbers_;
};

/// m[i,j] q[i,d] k[j,d]: [..,d,C,C]
Var weighed(Var m, Var q, Var k);

/// The products of gates between two steps.
class Between {
 public:
  explicit Between(Var gates);
  /// The derivative of L in a direction of the gates.
  Stretches moved(Var direction) const;
  /// That of gated_slopes, by what weighs L: a Hessian, so it is the same forwards and backwards.
  Var slopes_moved(Var direction, Var weights) const;

 private:
  Var with_, before_;  ///< L, and that without the last gate
};

}  // namespace taugrad
