#include "kernels/tiles/patterns.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/tiles/patterns.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/rows/row_reduce.h"
#include "kernels/tiles/pattern_walk.h"
#include "kernels/tiles/tile_vectors.h"

HWY_BEFORE_NAMESPACE();
namespace taugrad::kernels {
namespace HWY_NAMESPACE {

template <class S>
HWY_INLINE void fill(S x, std::int64_t n, S* out) {
  const auto all = hn::Set(Lanes<S>(), x);
  each_vector<S>(n, [&](std::int64_t i, const auto& part) HWY_ATTR { part.store(all, out + i); });
}
template <class S>
HWY_INLINE void move(const S* x, std::int64_t n, S* out) {
  each_vector<S>(
      n, [&](std::int64_t i, const auto& part) HWY_ATTR { part.store(part.load(x + i), out + i); });
}

template <class S>
HWY_INLINE void spread_row(const Pattern& p, const S* x, std::int64_t from, std::int64_t n,
                           S* out) {
  if (p.single()) return fill(x[0], n, out);
  const std::int64_t step = p.step[static_cast<std::size_t>(p.rank - 1)];
  each_line(p, from, n, [&](std::int64_t element, std::int64_t i, std::int64_t count) HWY_ATTR {
    if (step == 0) return fill(x[element], count, out + i);
    if (step == 1) return move(x + element, count, out + i);
    for (std::int64_t k = 0; k < count; ++k) out[i + k] = x[element + k * step];
  });
}

template <class S>
void spread(const Pattern& p, const S* x, std::int64_t stride, std::int64_t elements,
            std::int64_t from, std::int64_t n, S* out) {
  for (; n > 0; x += stride, from = 0) {
    const std::int64_t count = std::min(n, elements - from);
    spread_row(p, x, from, count, out);
    out += count;
    n -= count;
  }
}

std::int64_t line_of(const Pattern* p, std::int64_t otherwise) {
  return p == nullptr || p->single() ? otherwise : p->line();
}

/// Whole lines, each operand's at one distance.
template <class S, bool even_a, bool even_b, bool adds>
HWY_INLINE void product_lines(Straight<S> a, Straight<S> b, const S* c, Vector<S> first,
                              std::int64_t lines, std::int64_t line, S* out) {
  const Lanes<S> d;
  for (std::int64_t l = 0; l < lines; ++l) {
    const auto x = hn::Set(d, *a.x), y = hn::Set(d, *b.x);
    each_vector<S>(line, [&](std::int64_t k, const auto& part) HWY_ATTR {
      const auto u = even_a ? x : part.load(a.x + k), v = even_b ? y : part.load(b.x + k);
      auto sum = hn::Add(first, hn::Mul(u, v));
      if constexpr (adds) sum = hn::Add(part.load(c + k), sum);
      part.store(sum, out + k);
    });
    a.x += a.step;
    b.x += b.step;
    if constexpr (adds) c += line;
    out += line;
  }
}

/// By the kinds of the operands. Of two factors, one with even lines is the second, or both are.
template <class S, bool adds>
HWY_INLINE void product_straight(const Straight<S>& a, const Straight<S>& b, const S* c,
                                 Vector<S> first, std::int64_t lines, std::int64_t line, S* out) {
  if (a.even && b.even) return product_lines<S, true, true, adds>(a, b, c, first, lines, line, out);
  if (a.even) return product_lines<S, true, false, adds>(a, b, c, first, lines, line, out);
  if (b.even) return product_lines<S, false, true, adds>(a, b, c, first, lines, line, out);
  product_lines<S, false, false, adds>(a, b, c, first, lines, line, out);
}

template <class S>
void product(const TileOperand<S>& whole_a, const TileOperand<S>& whole_b, const S* c,
             bool from_zero, std::int64_t from, std::int64_t n, S* out) {
  const TileOperand<S> a = narrowed(whole_a, from, n), b = narrowed(whole_b, from, n);
  const auto zero = hn::Zero(Lanes<S>());
  const auto first = from_zero ? zero : hn::Neg(zero);  // x + -0 is x
  const std::int64_t shared = line_of(a.pattern, line_of(b.pattern, 0));
  const std::int64_t line = shared > 0 ? shared : n;  // a number goes with lines of any length
  if (shared == 0) from = 0;
  if (from % line == 0 && n % line == 0) {
    const Straight<S> u = straight(a, line, n / line, from), v = straight(b, line, n / line, from);
    if (u.known && v.known && c == nullptr)
      return product_straight<S, false>(u, v, c, first, n / line, line, out);
    if (u.known && v.known) return product_straight<S, true>(u, v, c, first, n / line, line, out);
  }
  Lined<S> x(a, from), y(b, from);
  each_piece(line, from, n, [&](std::int64_t i, std::int64_t at, std::int64_t count) HWY_ATTR {
    by_kind<S>(x.even(), x.at(i, at), y.even(), y.at(i, at), [&](auto u, auto v) HWY_ATTR {
      each_vector<S>(count, [&](std::int64_t k, const auto& part) HWY_ATTR {
        const auto term = hn::Add(first, hn::Mul(u.load(k, part), v.load(k, part)));
        const auto sum = c == nullptr ? term : hn::Add(part.load(c + i + k), term);
        part.store(sum, out + i + k);
      });
    });
    x.next();
    y.next();
  });
}

template <class S, class A, class B, class Part>
HWY_INLINE Vector<S> term(const A& a, const B& b, std::int64_t i, const Part& part) {
  return hn::Mul(a.load(i, part), b.load(i, part));
}
template <class S, class A, class Part>
HWY_INLINE Vector<S> term(const A& a, const None<S>&, std::int64_t i, const Part& part) {
  return a.load(i, part);
}

/// A piece of a line, added to the element that all of it belongs to, or each to its own.
template <class S, class A, class B>
HWY_INLINE void add_piece(const A& a, const B& b, std::int64_t step, std::int64_t n, S* out) {
  if (step == 0) {
    *out += sum_terms<S, 4>(
        n, [&](std::int64_t k, const auto& part) HWY_ATTR { return term<S>(a, b, k, part); });
  } else if (step == 1) {
    each_vector<S>(n, [&](std::int64_t k, const auto& part) HWY_ATTR {
      part.store(hn::Add(part.load(out + k), term<S>(a, b, k, part)), out + k);
    });
  } else {
    const First<S> one(1);
    for (std::int64_t k = 0; k < n; ++k) {
      const auto sum = hn::Add(hn::Set(Lanes<S>(), out[k * step]), term<S>(a, b, k, one));
      out[k * step] = hn::GetLane(sum);
    }
  }
}

/// Sums along whole lines, each operand's at one distance: a number a line.
template <class S, bool even_a, bool even_b, bool product>
HWY_INLINE void add_along(Straight<S> a, Straight<S> b, std::int64_t lines, std::int64_t line,
                          S* out) {
  const Lanes<S> d;
  for (std::int64_t l = 0; l < lines; ++l, a.x += a.step, b.x += b.step) {
    const auto x = hn::Set(d, *a.x), y = product ? hn::Set(d, *b.x) : x;
    out[l] += sum_terms<S, 4>(line, [&](std::int64_t k, const auto& part) HWY_ATTR {
      const auto u = even_a ? x : part.load(a.x + k);
      if constexpr (!product) return u;
      return hn::Mul(u, even_b ? y : part.load(b.x + k));
    });
  }
}

/// Each element of whole lines is added to the element under it: columns keep their sums in
/// registers over the lines.
template <class S, bool even_a, bool even_b, bool product>
HWY_INLINE void add_across(const Straight<S>& a, const Straight<S>& b, std::int64_t lines,
                           std::int64_t line, S* out) {
  constexpr std::int64_t kTogether = 4;  // chains that do not wait for one another
  const Lanes<S> d;
  const auto term = [&](const S* x, const S* y, std::int64_t k, const auto& part) HWY_ATTR {
    const auto u = even_a ? hn::Set(d, *x) : part.load(x + k);
    if constexpr (!product) return u;
    return hn::Mul(u, even_b ? hn::Set(d, *y) : part.load(y + k));
  };
  std::int64_t from = 0;
  for (; from + kTogether * kLanes<S> <= line; from += kTogether * kLanes<S>) {
    Vector<S> sums[kTogether];
    for (std::int64_t j = 0; j < kTogether; ++j) sums[j] = hn::LoadU(d, out + from + j * kLanes<S>);
    const S *x = a.x, *y = b.x;
    for (std::int64_t l = 0; l < lines; ++l, x += a.step, y += b.step)
      for (std::int64_t j = 0; j < kTogether; ++j)
        sums[j] = hn::Add(sums[j], term(x, y, from + j * kLanes<S>, Whole<S>()));
    for (std::int64_t j = 0; j < kTogether; ++j) hn::StoreU(sums[j], d, out + from + j * kLanes<S>);
  }
  each_vector<S>(line - from, [&](std::int64_t i, const auto& part) HWY_ATTR {
    auto sum = part.load(out + from + i);
    const S *x = a.x, *y = b.x;
    for (std::int64_t l = 0; l < lines; ++l, x += a.step, y += b.step)
      sum = hn::Add(sum, term(x, y, from + i, part));
    part.store(sum, out + from + i);
  });
}

template <class S, bool even_a, bool even_b, bool product>
HWY_INLINE void add_straight(bool along, const Straight<S>& a, const Straight<S>& b,
                             std::int64_t lines, std::int64_t line, S* out) {
  if (along)
    add_along<S, even_a, even_b, product>(a, b, lines, line, out);
  else
    add_across<S, even_a, even_b, product>(a, b, lines, line, out);
}

/// Whether it was done: sums of whole lines of a matrix, along them or across.
template <class S>
HWY_INLINE bool added_straight(const Pattern& p, const TileOperand<S>& a, const TileOperand<S>& b,
                               std::int64_t from, std::int64_t n, S* out) {
  const std::int64_t line = p.line(), lines = n / line;
  if (p.rank > 3 || p.rank < 2 || from % line != 0 || n % line != 0) return false;
  const bool along = p.rank == 2 && p.step[0] == 1 && p.step[1] == 0;
  const auto last = static_cast<std::size_t>(p.rank - 1);
  if (!along && (p.step[last - 1] != 0 || p.step[last] != 1)) return false;
  const Straight<S> x = straight(a, line, lines, from);
  const Straight<S> y = b.data == nullptr ? x : straight(b, line, lines, from);
  if (!x.known || !y.known) return false;
  if (along) out += from / line;
  if (p.rank == 3) {
    const std::int64_t number = one_of_stack(p.size[1], from / line, lines);
    if (number < 0) return false;
    out += number * p.step[0];
  }
  if (b.data == nullptr && x.even)
    add_straight<S, true, false, false>(along, x, y, lines, line, out);
  else if (b.data == nullptr)
    add_straight<S, false, false, false>(along, x, y, lines, line, out);
  else if (x.even && y.even)
    add_straight<S, true, true, true>(along, x, y, lines, line, out);
  else if (x.even)
    add_straight<S, true, false, true>(along, x, y, lines, line, out);
  else if (y.even)
    add_straight<S, false, true, true>(along, x, y, lines, line, out);
  else
    add_straight<S, false, false, true>(along, x, y, lines, line, out);
  return true;
}

template <class S>
void sum(const Pattern& p, const TileOperand<S>& whole_a, const TileOperand<S>& whole_b,
         std::int64_t from, std::int64_t n, S* out) {
  const TileOperand<S> a = narrowed(whole_a, from, n), b = narrowed(whole_b, from, n);
  if (added_straight(p, a, b, from, n, out)) return;
  Lined<S> x(a, from), y(b, from);
  Walk walk(p, from);
  const std::int64_t step = walk.step();
  const bool product = b.data != nullptr;
  each_piece(p.line(), from, n, [&](std::int64_t i, std::int64_t at, std::int64_t count) HWY_ATTR {
    S* to = out + walk.base() + at * step;
    if (product)
      by_kind<S>(x.even(), x.at(i, at), y.even(), y.at(i, at),
                 [&](auto u, auto v) HWY_ATTR { add_piece<S>(u, v, step, count, to); });
    else if (x.even())
      add_piece<S>(Even<S>{hn::Set(Lanes<S>(), *x.at(i, at))}, None<S>(), step, count, to);
    else
      add_piece<S>(Each<S>{x.at(i, at)}, None<S>(), step, count, to);
    x.next();
    y.next();
    walk.next();
  });
}

PatternFunctions<float> patterns_f32() { return {&spread<float>, &product<float>, &sum<float>}; }
PatternFunctions<double> patterns_f64() {
  return {&spread<double>, &product<double>, &sum<double>};
}

}  // namespace HWY_NAMESPACE
}  // namespace taugrad::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace taugrad::kernels {

HWY_EXPORT(patterns_f32);
HWY_EXPORT(patterns_f64);

template <>
PatternFunctions<float> pattern_functions() {
  return HWY_DYNAMIC_DISPATCH(patterns_f32)();
}
template <>
PatternFunctions<double> pattern_functions() {
  return HWY_DYNAMIC_DISPATCH(patterns_f64)();
}

void Pattern::add(std::int64_t places, std::int64_t elements) {
  if (places == 1) return;
  const auto last = static_cast<std::size_t>(rank - 1), next = static_cast<std::size_t>(rank);
  if (rank > 0 && step[last] == elements * places) {
    size[last] *= places;
    step[last] = elements;
    return;
  }
  size[next] = places;
  step[next] = elements;
  ++rank;
}

std::int64_t Pattern::places() const {
  std::int64_t n = 1;
  for (std::size_t i = 0; i < static_cast<std::size_t>(rank); ++i) n *= size[i];
  return n;
}

std::int64_t Pattern::elements() const {
  std::int64_t n = 1;
  for (std::size_t i = 0; i < static_cast<std::size_t>(rank); ++i)
    if (step[i] != 0) n *= size[i];
  return n;
}

}  // namespace taugrad::kernels
#endif
