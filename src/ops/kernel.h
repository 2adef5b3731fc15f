#pragma once

#include <algorithm>
#include <complex>
#include <limits>
#include <type_traits>

#include "taugrad/ops/forward.h"
#include "taugrad/ops/scalar.h"

/// What forward rules of several families share.
namespace taugrad {

/// Items that a sum over the batch runs over: those of its per-example operands.
template <class S>
std::int64_t summed_items(const Call<S>& c) {
  std::int64_t items = 1;
  for (const Operand<S>& x : c.in)
    if (x.extent != kShared) items = x.items;
  return items;
}

/// Calls body(item) for every row of the output.
template <class S, class Body>
void each_item(const Call<S>& c, const Body& body) {
  for (std::int64_t item = 0; item < c.items; ++item) body(item);
}

/// Calls body(x, y) for each run along the last axis of the one input.
template <class S, class Body>
void each_last_axis(const Call<S>& c, const Body& body) {
  const Shape& shape = *c.shape;
  const std::int64_t n = shape[shape.rank() - 1], size = shape.size();
  for (std::int64_t item = 0; item < c.items; ++item)
    for (std::int64_t at = 0; at < size; at += n)
      body(row(c.in[0], item) + at, c.out + item * size + at, n);
}

template <class S>
struct MeanOf {
  S value;
  bool near;  ///< to all elements, so that their differences from it are exact
};

/// Mean of n >= 1 numbers. Where they lie near to it, what rounding made of the sum is measured and
/// taken back, so that the mean of equal numbers is that number.
template <class S>
MeanOf<S> mean_of(const S* x, std::int64_t n) {
  // a float's sum is kept in a double: long sums of floats lose more than one correction gives back
  using Wide = std::conditional_t<std::is_same_v<S, float>, double, S>;
  const Wide count(static_cast<double>(n));
  Wide sum(0), rest(0);
  for (std::int64_t i = 0; i < n; ++i) sum += Wide(x[i]);
  const Wide mean = sum / count;
  const auto real = scalar::real_part(mean);
  const decltype(real + real) reach = (real < 0 ? -real : real) / decltype(real + real)(2);
  for (std::int64_t i = 0; i < n; ++i) {
    const Wide apart = Wide(x[i]) - mean;
    const auto off = scalar::real_part(apart);
    // false where something is not finite, too
    if (!(off <= reach && -off <= reach) || !scalar::is_finite(mean)) return {S(mean), false};
    rest += apart;
  }
  return {S(mean + rest / count), true};
}

/// y = x - mean x; what rounding of the mean leaves in y is taken away again.
template <class S>
void centre(const S* x, S* y, std::int64_t n) {
  const MeanOf<S> mean = mean_of(x, n);
  for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] - mean.value;
  if (!mean.near) return;
  const S rest = mean_of(y, n).value;
  for (std::int64_t i = 0; i < n; ++i) y[i] -= rest;
}

/// Place of the first largest of n >= 1 numbers, `step` apart; a NaN counts as the largest.
template <class S>
std::int64_t first_largest(const S* x, std::int64_t n, std::int64_t step = 1) {
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < n && !scalar::is_nan(x[best * step]); ++i)
    if (scalar::is_nan(x[i * step]) || scalar::below(x[best * step], x[i * step])) best = i;
  return best;
}

/// The lines of numbers along an axis: line (o, i) has element k at (o * n + k) * inner + i.
struct Lines {
  std::int64_t outer = 1, n = 1, inner = 1;
};
/// Those along the attribute "axis" of an op on this shape; without it, all elements are one line.
inline Lines lines_of(const Shape& shape, const Attrs& attrs) {
  Lines lines{1, shape.size(), 1};
  if (!attrs.has("axis")) return lines;
  const auto axis = static_cast<int>(attrs.integer("axis"));
  lines.n = shape[axis];
  lines.outer = 1;
  for (int a = 0; a < axis; ++a) lines.outer *= shape[a];
  for (int a = axis + 1; a < shape.rank(); ++a) lines.inner *= shape[a];
  return lines;
}
/// Calls body(first element, n, step, place of the line) for every line of the one input, items
/// first.
template <class S, class Body>
void each_line(const Call<S>& c, const Body& body) {
  const auto [outer, n, inner] = lines_of(*c.in[0].shape, *c.attrs);
  std::int64_t line = 0;
  for (std::int64_t item = 0; item < c.items; ++item)
    for (std::int64_t o = 0; o < outer; ++o)
      for (std::int64_t i = 0; i < inner; ++i)
        body(row(c.in[0], item) + o * n * inner + i, n, inner, line++);
}

/// Whether x may be a probability; rounding may leave it a little above 1.
template <class S>
bool is_probability(const S& x) {
  const double p = static_cast<double>(scalar::real_part(x));
  return p >= 0 && p <= 1.01;
}

template <class S>
S not_a_number() {
  return S(std::numeric_limits<double>::quiet_NaN());
}

/// A category read from a number: 0..size-1, or -1 where it is absent or outside.
template <class S>
std::int64_t category_of(const S& x, std::int64_t size) {
  const auto value = scalar::real_part(x);
  // written so that NaN is outside, and nothing outside is converted
  if (!(value >= 0 && value < static_cast<decltype(value)>(size))) return -1;
  return static_cast<std::int64_t>(value);
}

}  // namespace taugrad
