#pragma once

#include <complex>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "reference/ladder.h"
#include "reference/rounding.h"
#include "taugrad/reference/check.h"
#include "taugrad/reference/interpreter.h"

namespace taugrad {

/// A numeric derivative with what is known of its error.
struct Measured {
  double value = 0;
  double error = 0;    ///< how far differences may be off
  bool kink = false;   ///< so near that no step sees past it
  bool number = true;  ///< false: not finite, however near
};

/// The derivatives to both sides, and the first node at which they part.
struct Sides {
  double left = 0, right = 0;
  NodeId parted_at = -1;
  bool jump = false;  ///< the loss itself is another beside the point
};

/// What moves: a direction laid from element `first` of v's value on.
struct Move {
  Var v;
  std::int64_t first = 0;
  std::span<const double> direction;
  double size = 1;                    ///< of the steps of differences: max(1, |x|) of what moves
  double least = 0;                   ///< |x| of what moves, where that is one number
  std::span<const Move> others = {};  ///< that move at the same time
};

/// Measures derivatives of a loss by running the forward graph only.
class Measure {
 public:
  Measure(Var loss, std::span<const Var> variables, const CheckPoint& point, Method method);

  /// The first value that is not finite of all that the loss is computed from.
  std::optional<NotFinite> not_finite() const;

  /// d loss(v + s direction) / ds at s = 0.
  Measured along(const Move& move);
  /// Whether some value here lies exactly on a kink for some direction.
  bool on_kinks() const { return on_kinks_; }
  Sides sides(const Move& move);
  /// The same by complex steps of many sizes, given what the usual one measured: where that one
  /// underflowed on the way, or was too long for what bends close by.
  Measured settle(const Move& move, double usual);
  /// Whether derivatives on the way are so small, or values so close to where they bend, that the
  /// size of the step matters.
  bool wide() const { return wide_; }
  /// How far rounding may have moved a complex step.
  double rounding(const Move& move);
  /// Where a complex step that is not finite stopped being so.
  std::optional<NotFinite> not_finite(const Move& move);

  static std::int64_t runs_for_one(Method method);
  /// What a comparison takes, about: by one run.
  double seconds_for_one(const Move& move);
  std::int64_t runs() const { return runs_; }

 private:
  using Complex = std::complex<double>;
  void set_step(const Move& move, double step);
  Limit finest(const Move& move, const Limit& pole);
  double complex_step(const Move& move, double step);
  Measured central(const Move& move, double h);
  Measured nearer(const Move& move, Measured best);
  Measured farther(const Move& move, Measured best);
  void set_difference(const Move& move, double step);
  double loss_at(const Move& move, double step);
  void look_around(std::span<const Var> variables);
  bool reals_stay() const;
  NodeId parted_at(const std::vector<Complex>& to_the_left) const;

  Var loss_;
  Method method_;
  Interpreter<double> real_;
  Interpreter<Complex> complex_;
  std::map<NodeId, std::vector<double>> decided_;  // values of discrete nodes
  std::map<NodeId, std::vector<double>> stopped_;  // of stop_gradient: constants for differences
  std::optional<Rounding<Complex>> complex_rounding_;
  double base_ = 0;            // the loss where nothing moves
  double base_off_ = 0;        // how far rounding may move it
  std::vector<double> reals_;  // all values where nothing moves
  bool on_kinks_ = false;
  bool wide_ = false;  // slopes on the way are so flat or so steep that the step matters
  std::int64_t runs_ = 0;
};

/// Gives the leaves of an interpreter the point's values, and the point's batch before that.
template <class S>
void place(Interpreter<S>& run, const CheckPoint& point);

}  // namespace taugrad
