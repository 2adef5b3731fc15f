#pragma once

#include "base/fail.h"
#include "base/shape_format.h"
#include "ops/kernel.h"
#include "taugrad/graph/op.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/own.h"
#include "taugrad/ops/records.h"

/// Shape and derivative rules that families of ops share.
namespace taugrad {

// ---- builders ---------------------------------------------------------------------------------

Var append1(const Op& op, const Var& a, const Attrs& attrs = {});
Var append2(const Op& op, const Var& a, const Var& b, const Attrs& attrs = {});
/// Broadcasts the operands to one shape first, as NumPy does; errors name the op and its inputs.
Var append_broadcast(const Op& op, const Var& a, const Var& b, const Attrs& attrs = {});
Var append_broadcast(const Op& op, std::span<const Var> inputs, const Attrs& attrs = {});
/// Runs a check of a builder and adds op, node and inputs to what it throws.
void checked(const Op& op, std::span<const Var> inputs, void (*check)(std::span<const Var>));
/// Whether they are of one graph and one shape, by its number.
inline bool same_shape(const Var& a, const Var& b) {
  return a.tape == b.tape && a.tape->shape_id(a.id) == b.tape->shape_id(b.id);
}
Var zeros_like(Var v);
Var ones_like(Var v);
/// A constant to go with v, not per example: of its shape, within a step of none: it broadcasts.
Var number_like(Var v, double value);

// ---- shapes -----------------------------------------------------------------------------------

/// The inputs have one shape, the output is a number.
Shape number_shape(std::span<const Shape> in, const Attrs&);
/// A number; with the attribute "axis" the input's shape, in which that axis has size 1.
Shape reduced_shape(std::span<const Shape> in, const Attrs& attrs);
/// The input's shape, which has the axis of that attribute.
Shape along_axis_shape(std::span<const Shape> in, const Attrs& attrs);
/// The shape without its last `core` axes, and with these behind that.
Shape leading(const Shape& s, int core);
Shape followed_by(const Shape& leading, std::initializer_list<std::int64_t> core);
/// An axis counted from 0. @throws Error (G020) where there is no such axis
int checked_axis(std::string_view function, const Var& a, int axis);
inline int checked_axis(const Op& op, const Var& a, int axis) {
  return checked_axis(op.name, a, axis);
}
/// Without the axis, or with it at size 1.
Shape without_axis(const Shape& s, int axis, bool keep);

/// What all elements of `a` were reduced to, as a number or, where it keeps the axes, of size 1.
Var shaped(Var number, Var a, const Along& along);

// ---- what shape and items leave open ----------------------------------------------------------

/// @throws Error (E011) where input i is a category
void require_number(const Proposal& p, std::size_t i);
/// @throws Error (E011) where input i is a number; (G020) where it has more than `most` symbols
void require_symbol(const Proposal& p, std::size_t i, std::int64_t most);
/// The inputs from number `first` on and the output are categories of one size, or all numbers.
void carries_symbols(const Proposal& p, std::size_t first);
inline void carries_symbols(const Proposal& p) { carries_symbols(p, 0); }

/// The attribute "which" is the number of a length, and there are items to have one.
void check_length(const Proposal& p);

constexpr Op carrying(Op op) {
  op.attributes = "category";
  op.check = carries_symbols;
  return op;
}

// ---- derivatives ------------------------------------------------------------------------------

/// Partial derivative of an elementwise op, times a direction: d * df/dx_i, element by element. Its
/// Jacobian is diagonal, so the same rule is vjp (d a cotangent) and jvp (d a tangent). An empty
/// Var: the derivative is zero.
using Partial = Var (*)(const Primal&, std::size_t i, Var d);

template <Partial partial>
void partial_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  own::vjp_by(partial, p, ybar, xbar);
}

template <Partial partial>
Var partial_jvp(const Primal& p, std::span<const Var> xdot) {
  return own::jvp_by(partial, p, xdot);
}

/// Gradient of an op whose output is a number, as a tensor of the input's shape.
using NumberGradient = Var (*)(const Primal&, std::size_t i);

template <NumberGradient grad>
void number_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  for (std::size_t i = 0; i < xbar.size(); ++i)
    if (p.wants(i))
      if (const Var g = grad(p, i)) xbar[i] = broadcast_to(ybar, g.shape()) * g;
}

template <NumberGradient grad>
Var number_jvp(const Primal& p, std::span<const Var> xdot) {
  Vars terms;
  for (std::size_t i = 0; i < xdot.size(); ++i)
    if (xdot[i])
      if (const Var g = grad(p, i)) terms.push_back(sum(xdot[i] * g));
  return terms.empty() ? Var{} : terms.size() == 1 ? terms[0] : add_n(terms);
}

/// For a symmetric Jacobian J(x) of the one input: vjp and jvp are the same product J d.
using Symmetric = Var (*)(const Primal&, Var d);

template <Symmetric product>
void symmetric_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  xbar[0] = product(p, ybar);
}
template <Symmetric product>
Var symmetric_jvp(const Primal& p, std::span<const Var> xdot) {
  return product(p, xdot[0]);
}

/// Of the attribute `transposed`.
inline bool turned(const Attrs& attrs) { return attrs.integer_or("transposed", 0) != 0; }

// ---- records ----------------------------------------------------------------------------------

/// The record of an elementwise op: y = F(x0, ..), with its partial derivatives.
template <class Forward, Partial partial, int Arity>
constexpr Op elementwise(std::string_view name, std::string_view about) {
  return {.name = name,
          .about = about,
          .arity = Arity,
          .shape = one_shape,
          .forward = forwards<Forward>(),
          .vjp = partial_vjp<partial>,
          .jvp = partial_jvp<partial>,
          .traits = {.elementwise = true}};
}

/// The same where f of rational numbers is rational.
template <class Forward, Partial partial, int Arity>
constexpr Op exact_elementwise(std::string_view name, std::string_view about) {
  Op op = elementwise<Forward, partial, Arity>(name, about);
  op.forward = exact_forwards<Forward>();
  return op;
}

constexpr Op linear(Op op) {
  op.traits.linear = true;
  return op;
}
constexpr Op bilinear(Op op) {
  op.traits.bilinear = true;
  return op;
}
/// Constant where it is smooth: nothing flows back.
constexpr Op discrete(Op op) {
  op.vjp = nullptr;
  op.jvp = nullptr;
  op.traits.discrete = true;
  return op;
}
constexpr Op choosing(Op op) {
  op.traits.chooses = true;
  return op;
}

}  // namespace taugrad
