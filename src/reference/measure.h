#pragma once

#include <complex>
#include <span>

#include "taugrad/reference/check.h"
#include "taugrad/reference/interpreter.h"

namespace taugrad {

/// A numeric derivative with what is known of its error.
struct Measured {
  double value = 0;
  double rounding = 0;  ///< how far rounding may have moved it
  bool kink = false;
};

/// Measures derivatives of a loss by running the forward graph only.
class Measure {
 public:
  Measure(Var loss, std::span<const Var> variables, const CheckPoint& point, Method method);

  /// d loss(v + s direction) / ds at s = 0, the direction laid from element `first` of v's value
  /// on.
  /// @param size  of the steps of differences: max(1, |x|) of what moves
  Measured along(Var v, std::int64_t first, std::span<const double> direction, double size);
  static std::int64_t runs_for_one(Method method);
  std::int64_t runs() const { return runs_; }

 private:
  Measured complex_step(Var v, std::int64_t first, std::span<const double> direction);
  Measured central(Var v, std::int64_t first, std::span<const double> direction, double h);
  double loss_at(Var v, std::int64_t first, std::span<const double> direction, double step);

  Var loss_;
  Method method_;
  Interpreter<double> real_;
  Interpreter<std::complex<double>> complex_;
  double base_ = 0;  // the loss where nothing moves
  std::int64_t runs_ = 0;
};

/// Gives the leaves of an interpreter the point's values, and the point's batch before that.
template <class S>
void place(Interpreter<S>& run, const CheckPoint& point);

}  // namespace taugrad
