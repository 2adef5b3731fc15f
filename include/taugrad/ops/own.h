#pragma once

#include <span>
#include <string_view>
#include <type_traits>

#include "taugrad/graph/op.h"
#include "taugrad/ops/forward.h"
#include "taugrad/ops/ops.h"

/// Operations of a program's own. `register_op` (taugrad/language/register_op.h) makes them known
/// by name.
namespace taugrad {

namespace own {

/// The formula with its result in the scalar type of its arguments: 0.5 * x of a float is a double.
template <class F>
struct Formula {
  template <class S, class... Rest>
  S operator()(const S& x, const Rest&... rest) const {
    return static_cast<S>(F{}(x, rest...));
  }
};

template <class F>
constexpr int arity_of() {
  if constexpr (std::is_invocable_v<F, double>)
    return 1;
  else if constexpr (std::is_invocable_v<F, double, double>)
    return 2;
  else {
    static_assert(std::is_invocable_v<F, double, double, double>, "a formula takes 1 to 3 numbers");
    return 3;
  }
}

/// The cotangents d * df/dx_i of the inputs.
template <class Partial>
void vjp_by(const Partial& partial, const Primal& p, Var ybar, std::span<Var> xbar) {
  for (std::size_t i = 0; i < xbar.size(); ++i)
    if (p.wants(i)) xbar[i] = partial(p, i, ybar);
}

/// The tangent sum_i df/dx_i * xdot_i.
template <class Partial>
Var jvp_by(const Partial& partial, const Primal& p, std::span<const Var> xdot) {
  Vars terms;
  for (std::size_t i = 0; i < xdot.size(); ++i)
    if (xdot[i])
      if (const Var term = partial(p, i, xdot[i])) terms.push_back(term);
  return terms.empty() ? Var{} : terms.size() == 1 ? terms[0] : add_n(terms);
}

template <class D>
void vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  vjp_by(D{}, p, ybar, xbar);
}
template <class D>
Var jvp(const Primal& p, std::span<const Var> xdot) {
  return jvp_by(D{}, p, xdot);
}

}  // namespace own

/// Shape rule: all inputs and the output have one shape. @throws Error (G020)
Shape one_shape(std::span<const Shape> in, const Attrs&);

/// The record of an elementwise operation y = f(x0, ..) of 1 to 3 variables.
/// @param name     the word in JSON, pictures and equations: letters, digits, `_`
/// @param about    one line for `taugrad ops`
/// @param formula  f for one element, in every scalar type (float, double, std::complex<double>): a
///                 lambda without captures, `[](auto x) { return x * scalar::sigmoid(x); }`. Of
///                 complex numbers it must be analytic: use the functions of taugrad::scalar
/// @param partial  d * df/dx_i as nodes, `[](const Primal& p, std::size_t i, Var d) { .. }`, from
///                 the inputs p.in and the output p.out; an empty Var: zero. It serves as vjp (d a
///                 cotangent) and as jvp (d a tangent)
template <class F, class D>
constexpr Op elementwise_op(std::string_view name, std::string_view about,
                            [[maybe_unused]] F formula, [[maybe_unused]] D partial) {
  static_assert(std::is_empty_v<F> && std::is_empty_v<D>, "lambdas without captures");
  constexpr int arity = own::arity_of<F>();
  return {.name = name,
          .about = about,
          .arity = arity,
          .shape = one_shape,
          .forward = forwards<Map<own::Formula<F>, arity>>(),
          .vjp = own::vjp<D>,
          .jvp = own::jvp<D>,
          .traits = {.elementwise = true}};
}

/// Applies an elementwise operation; its operands broadcast to one shape first, as NumPy's do.
Var apply_elementwise(const Op& op, std::span<const Var> inputs);

}  // namespace taugrad
