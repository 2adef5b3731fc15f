#pragma once

#include <optional>
#include <span>
#include <vector>

#include "autodiff/sweep.h"
#include "reference/measure.h"
#include "taugrad/autodiff/gradient.h"

namespace taugrad {

/// What one comparison told.
struct Comparison {
  CheckedEntry entry;
  NodeId bends_at = -1;  ///< of a kink: the first node whose sides part
  /// Where the measured derivative is no number.
  std::optional<NotFinite> not_measured = {};
};

/// Compares derivatives of a loss by its gradient with measured ones. Appends the gradient's nodes.
class Comparer {
 public:
  /// @param value  what `loss` is a derivative of, at order 2; else `loss`
  Comparer(Var value, Var loss, std::span<const Var> variables, const CheckPoint& point,
           Method method, const SweepOptions& sweep);

  /// The gradient of a variable: [items of its extent, shape...].
  std::span<const double> gradient_of(std::size_t variable) const {
    return analytic_.value(gradients_.values()[variable].id);
  }
  /// Entry i of a variable.
  Comparison entry(std::size_t variable, std::int64_t i);
  /// The derivative along a direction of all its entries.
  Comparison direction(std::size_t variable, std::span<const double> direction);
  /// The derivative along directions of all variables at once, in their order.
  Comparison directions(std::span<const std::vector<double>> directions);

  /// The loss or, if that is finite, the first gradient that is not a number.
  std::optional<NotFinite> not_finite() const;
  std::int64_t runs() const { return measure_.runs(); }
  /// What a comparison of an entry of this variable takes, about.
  double seconds_for_entry(std::size_t variable);

  static constexpr const char* kLoss = "the loss";  ///< NotFinite::of

 private:
  Comparison compare(std::size_t variable, const Move& move, double analytic);
  void judge(std::size_t variable, const Move& move, const Measured& m, Comparison& c);
  bool close(std::size_t variable, const Move& move, double analytic, double side);
  double tolerance(std::size_t variable, const Move& move, double off, const CheckedEntry& e);
  double rounding_of_gradient(std::size_t variable, const Move& move);
  void move_gradients();

  Var value_;
  std::span<const Var> variables_;
  Method method_;
  Gradients gradients_;
  Interpreter<double> analytic_;
  Measure measure_;
  std::vector<std::vector<double>> rounding_;  // of each variable's gradient, once it is needed
};

}  // namespace taugrad
