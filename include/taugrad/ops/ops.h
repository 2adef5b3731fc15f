#pragma once

#include <initializer_list>
#include <span>
#include <string_view>

#include "taugrad/graph/graph.h"
#include "taugrad/ops/along.h"

/// Builders: each appends the node (and the broadcasts it needs) to the tape of its operands.
/// Shapes speak of one example. All throw Error (G020) on shapes that do not fit.
namespace taugrad {

// leaves
Var input(Tape& g, std::string_view name, const Shape& shape,
          std::span<const std::int32_t> index = {}, ExtentId extent = kEveryItem);
Var category_input(Tape& g, std::string_view name, std::int64_t size,
                   std::span<const std::int32_t> index = {}, ExtentId extent = kEveryItem);
Var weight(Tape& g, std::string_view name, const Shape& shape,
           std::span<const std::int32_t> index = {});
Var constant(Tape& g, double value, const Shape& shape = {}, ExtentId extent = kShared);
Var eye(Tape& g, std::int64_t size);  ///< [size,size]: 1 on the diagonal, else 0
Var length(Tape& g, std::int32_t which, ExtentId extent = kEveryItem);  ///< the item's own length
Var copy(Var w);  ///< W(t) = copy(W, t): the dummy variable of eq 24; a view

// elementwise; two operands broadcast as in NumPy
Var operator-(Var a);
inline Var operator+(Var a) { return a; }
Var operator+(Var a, Var b);
Var operator-(Var a, Var b);
Var operator*(Var a, Var b);
Var operator/(Var a, Var b);
Var operator+(Var a, double b);
Var operator-(Var a, double b);
Var operator*(Var a, double b);
Var operator/(Var a, double b);
Var operator+(double a, Var b);
Var operator-(double a, Var b);
Var operator*(double a, Var b);
Var operator/(double a, Var b);
Var tanh(Var a);
Var sigmoid(Var a);
Var relu(Var a);
Var exp(Var a);
Var log(Var a);
Var sqrt(Var a);
Var abs(Var a);
Var sign(Var a);   ///< -1, 0 or 1; no gradient
Var floor(Var a);  ///< no gradient
Var sin(Var a);
Var cos(Var a);
Var erf(Var a);
Var normal_cdf(Var a);             ///< erfc(-a / sqrt 2) / 2
Var log1p(Var a);                  ///< ln(1 + a)
Var expm1(Var a);                  ///< e^a - 1
Var softplus(Var a);               ///< ln(1 + e^a)
Var log_sigmoid(Var a);            ///< -softplus(-a)
Var silu(Var a);                   ///< a sigmoid(a)
Var gelu(Var a);                   ///< a normal_cdf(a)
Var elu(Var a);                    ///< a above 0, else expm1(a)
Var leaky_relu(Var a, Var slope);  ///< a above 0, else slope a, which is its slope at 0
Var leaky_relu(Var a, double slope);
/// a = a + b: the name goes on to another node, nothing is changed.
Var& operator+=(Var& a, const Var& b);
Var& operator-=(Var& a, const Var& b);
Var& operator*=(Var& a, const Var& b);
Var& operator/=(Var& a, const Var& b);
Var& operator+=(Var& a, double b);
Var& operator-=(Var& a, double b);
Var& operator*=(Var& a, double b);
Var& operator/=(Var& a, double b);
Var pow(Var a, Var b);
Var pow(Var a, double b);
Var pow(double a, Var b);
Var min(Var a, Var b);  ///< ties: the first
Var min(Var a, GivenNumber b);
Var min(double a, Var b);
Var max(Var a, Var b);  ///< ties: the first
Var max(Var a, GivenNumber b);
Var max(double a, Var b);
Var clamp(Var a, double lo, double hi);  ///< derivative 1 on lo..hi, ends included
Var clamp(Var a, Var lo, Var hi);        ///< the bound that binds has the gradient
Var mod(Var a, Var b);                   ///< a - b floor(a / b): in [0, |b|), with the sign of b
Var mod(Var a, double b);
Var less(Var a, Var b);
Var less_equal(Var a, Var b);
Var greater(Var a, Var b);
Var greater_equal(Var a, Var b);
Var equal(Var a, Var b);  ///< 0 or 1; of two categories, 0 where either is absent
Var not_equal(Var a, Var b);
Var equal(Var a, double b);
Var not_equal(Var a, double b);
/// What a comparison gives: 0 or 1 once the graph runs, so there is nothing to branch on before.
struct Condition : Var {
  explicit operator bool() const = delete;
};
Condition operator<(const Var& a, const Var& b);
Condition operator<=(const Var& a, const Var& b);
Condition operator>(const Var& a, const Var& b);
Condition operator>=(const Var& a, const Var& b);
Condition operator<(const Var& a, double b);
Condition operator<=(const Var& a, double b);
Condition operator>(const Var& a, double b);
Condition operator>=(const Var& a, double b);
Condition operator<(double a, const Var& b);
Condition operator<=(double a, const Var& b);
Condition operator>(double a, const Var& b);
Condition operator>=(double a, const Var& b);
/// Of values; a == b of two Vars asks whether they are one node: their values compares equal(a, b).
Condition operator==(const Var& a, double b);
Condition operator==(double a, const Var& b);
Condition operator!=(const Var& a, double b);
Condition operator!=(double a, const Var& b);
Condition operator!(const Condition& c);
Condition operator&&(const Condition& a, const Condition& b);  ///< both are nodes: no shortcut
Condition operator||(const Condition& a, const Condition& b);
/// a where c != 0, else b; nothing leaks from the branch not taken
Var where(Var c, Var a, Var b);
Var where(Var c, Var a, double b);
Var where(Var c, double a, Var b);
Var where(Var c, double a, double b);
Var stop_gradient(Var a);

// products
/// NumPy's matmul for ranks 1 to 4: leading axes broadcast. Each side per example or not.
Var matmul(Var a, Var b);
/// op(a) op(b) of stacks of matrices, where op transposes the last two axes if asked to.
Var stacked_matmul(Var a, Var b, bool transpose_a = false, bool transpose_b = false);
// [..] are leading axes, which broadcast
Var outer(Var a, Var b);   ///< [..,m] x [..,n] -> [..,m,n]
Var matvec(Var a, Var x);  ///< [..,m,n] x [..,n] -> [..,m]
Var vecdot(Var a, Var b);  ///< [..,n] x [..,n] -> [..]
/// X with A X = b, by LU with pivots: A [..,m,m], b a matrix [..,m,n], or a vector [..,m] where it
/// has fewer axes than A. With `transposed` A^T X = b.
/// Running it throws Error (N005) where an item's matrix is singular.
Var solve(Var a, Var b, bool transposed = false);
Var logdet(Var a);  ///< ln |det A| of [..,m,m] -> [..]; N005 as solve
/// Sum over the items of outer(a, b); not per example.                                  (eq 23-25)
Var outer_sum(Var a, Var b);
/// sum_d K[d] @ taps[d]; K [w,m,n] or [w,w',m,n], taps in row-major order
Var conv(Var k, std::span<const Var> taps);

// layout
Var transpose(Var a);                             ///< reverses the axes
Var transpose(Var a, std::span<const int> axes);  ///< axis i of the result is axis axes[i] of a
Var transpose(Var a, std::initializer_list<int> axes);
Var reshape(Var a, const Shape& to);
Var broadcast_to(Var a, const Shape& to);
Var concat(std::span<const Var> parts);  ///< along the first axis
Var concat(std::initializer_list<Var> parts);
Var slice(Var a, std::int64_t from, std::int64_t to);  ///< first axis, half-open
/// Row i of the first axis, from 0; i is a number. Running it throws Error (D019) where there is
/// none.
Var at(Var a, Var i);
/// Zeros of `size` rows that hold a at `from`: vjp of slice.
Var pad(Var a, std::int64_t from, std::int64_t size);
Var stack(std::span<const Var> parts);  ///< a new first axis
Var stack(std::initializer_list<Var> parts);

// reductions of one example
Var sum(Var a);
/// Along one axis, from 0, negative from the end; the axis goes away.
/// @throws Error (G020) where there is no such axis
Var sum(Var a, int axis);
Var mean(Var a);
Var mean(Var a, int axis);
Var max(Var a);        ///< ties: the first
Var min(Var a);        ///< ties: the first
Var prod(Var a);       ///< of nothing 1
Var norm(Var a);       ///< (sum a^2)^(1/2), of nothing 0; gradient 0 at 0
Var logsumexp(Var a);  ///< ln sum e^a, of nothing -inf; -inf has gradient 0
/// @throws Error (G020) where there is no such axis
Var sum(Var a, const Along& along);
Var mean(Var a, const Along& along);
Var max(Var a, const Along& along);
Var min(Var a, const Along& along);
Var prod(Var a, const Along& along);
Var norm(Var a, const Along& along);
Var logsumexp(Var a, const Along& along);
Var unit(Var a);  ///< a / norm(a) along the last axis; at 0 0 with gradient 0
Var cumsum(Var a, int axis = -1);
Var sum_to(Var a, const Shape& to);     ///< undoes broadcast_to
Var add_n(std::span<const Var> terms);  ///< in the order given; of one term a copy
Var add_n(std::initializer_list<Var> terms);
/// (x1 + x2 + ..) / n, right to rounding, n a number or of the terms' shape
Var mean_n(Var count, std::span<const Var> terms);
Var first_max(Var a);  ///< 1 at the first largest element, else 0

// last axis
Var softmax(Var a);
Var log_softmax(Var a);
Var softmax(Var a, int axis);
Var log_softmax(Var a, int axis);
Var centre(Var a);     ///< a - mean
Var normalize(Var a);  ///< (a - mean) / sqrt(var + 1e-5)
Var normalize(Var a, double eps);
Var layer_norm(Var a, Var gain, Var bias);
Var layer_norm(Var a, Var gain, Var bias, double eps);
Var rms_norm(Var a, Var gain, double eps = 1e-5);  ///< gain a / sqrt(mean a^2 + eps)

// symbols: a category is a number 0..size-1, or -1 where it is absent
/// The size of the alphabet where v is a category, else 0.
std::int64_t category_size(Var v);
Var absent_category(Tape& g, std::int64_t size, ExtentId extent = kShared);
Var argmax(Var a);  ///< a category: the place of the first largest element
Var one_hot(Var category, std::int64_t size);  ///< absent: zeros
Var embed(Var table, Var category);            ///< row of the table; absent: zeros
/// Adds each item's row into a table of `size` rows, not per example: vjp of embed.
Var scatter_rows(Var category, Var rows, std::int64_t size);

// likelihoods, in nats; each a number per example
Var nll_categorical(Var logits, Var y);  ///< -log softmax(logits)[y]                   (eq 13)
Var nll_categorical_p(Var p, Var y);     ///< -log p[y]
Var nll_bernoulli(Var logits, Var y);    ///< summed over elements
Var nll_bernoulli_p(Var p, Var y);
Var nll_normal(Var y, Var mean, Var std);  ///< full density, summed over elements

// random numbers, keyed by (seed, item, `stream`, position of the owner)
/// A category; of the k likeliest only where top_k is not 0 (of equally likely ones the first), and
/// of these only of the fewest likeliest that have the share top_p of their probability together.
/// @param top_p  in (0, 1]
Var draw_categorical(Var logits, std::string_view stream, std::int64_t top_k = 0, double top_p = 1);
Var draw_bernoulli(Var p, std::string_view stream);  ///< 0 or 1, of p's shape
/// Standard normal numbers of that shape, for each item.
Var draw_normal(const Var& like, std::string_view stream);
/// 0 with probability p in 0..1, else 1/(1-p); ones outside training
Var dropout_mask(Var like, double p, std::string_view stream);

// the batch: which items a node exists for
Var sum_items(Var a);                     ///< per example -> not per example
Var to_items(Var a, ExtentId extent);     ///< not per example -> per example
Var restrict_to(Var a, ExtentId extent);  ///< fewer items
Var extend_to(Var a, ExtentId extent);    ///< more items, zeros for the new ones
/// The rows of a for the items whose length `which` is l, zeros for the others: vjp of at_length.
Var if_length(Var a, std::int32_t which, std::int64_t l, ExtentId extent);
/// Of items with length l (number `which`): steps[l - first]; zeros where there is none.
Var at_length(std::span<const Var> steps, std::int32_t which, std::int32_t first, ExtentId extent);

/// Applies an op by its record (readers, tests, generic rules).
Var apply(const Op& op, std::span<const Var> inputs, const Attrs& attrs = {});

}  // namespace taugrad
