// Walks along the lines of patterns: included once for each instruction set.
#if defined(TAUGRAD_KERNELS_PATTERN_WALK_H) == defined(HWY_TARGET_TOGGLE)
#ifdef TAUGRAD_KERNELS_PATTERN_WALK_H
#undef TAUGRAD_KERNELS_PATTERN_WALK_H
#else
#define TAUGRAD_KERNELS_PATTERN_WALK_H
#endif

#include "kernels/tiles/patterns.h"
#include "kernels/tiles/tile_vectors.h"

HWY_BEFORE_NAMESPACE();
namespace taugrad::kernels {
namespace HWY_NAMESPACE {

/// Walks along the lines of a pattern, from the one that place `from` of a row is in.
class Walk {
 public:
  HWY_INLINE Walk(const Pattern& p, std::int64_t from) : p_(&p), outer_(p.rank - 1) {
    const std::int64_t line = p.size[static_cast<std::size_t>(outer_)];
    std::int64_t rest = outer_ == 0 ? 0 : from / line;
    for (auto axis = static_cast<std::size_t>(outer_); axis-- > 0; rest /= p.size[axis]) {
      index_[axis] = rest % p.size[axis];
      base_ += index_[axis] * p.step[axis];
    }
  }
  /// The element of the smaller row at the line's begin.
  HWY_INLINE std::int64_t base() const { return base_; }
  HWY_INLINE std::int64_t step() const { return p_->step[static_cast<std::size_t>(outer_)]; }
  HWY_INLINE void next() {
    for (auto axis = static_cast<std::size_t>(outer_); axis-- > 0;) {
      base_ += p_->step[axis];
      if (++index_[axis] < p_->size[axis]) return;
      base_ -= p_->size[axis] * p_->step[axis];
      index_[axis] = 0;
    }
  }

 private:
  const Pattern* p_;
  int outer_;
  std::array<std::int64_t, Pattern::kAxes> index_{};
  std::int64_t base_ = 0;
};

/// body(i, at, count) for the pieces of lines that make up n places from `from` on: the tile's
/// places i.., which are the line's at.. .
template <class Body>
HWY_INLINE void each_piece(std::int64_t line, std::int64_t from, std::int64_t n, const Body& body) {
  std::int64_t at = from % line;
  for (std::int64_t i = 0; i < n; at = 0) {
    const std::int64_t count = std::min(line - at, n - i);
    body(i, at, count);
    i += count;
  }
}

/// body(element, place, count) for the pieces of lines of a pattern.
template <class Body>
HWY_INLINE void each_line(const Pattern& p, std::int64_t from, std::int64_t n, const Body& body) {
  Walk walk(p, from);
  const std::int64_t step = walk.step();
  each_piece(p.line(), from, n, [&](std::int64_t i, std::int64_t at, std::int64_t count) HWY_ATTR {
    body(walk.base() + at * step, i, count);
    walk.next();
  });
}

/// An operand on its way along the lines of a tile.
template <class S>
class Lined {
 public:
  HWY_INLINE Lined(const TileOperand<S>& x, std::int64_t from)
      : data_(x.data),
        tile_(x.pattern == nullptr),
        walk_(tile_ ? kNone : *x.pattern, tile_ ? 0 : from) {}
  /// Whether a line has one number.
  HWY_INLINE bool even() const { return !tile_ && walk_.step() == 0; }
  HWY_INLINE const S* at(std::int64_t i, std::int64_t at) const {
    return tile_ ? data_ + i : data_ + walk_.base() + (walk_.step() == 0 ? 0 : at);
  }
  HWY_INLINE void next() {
    if (!tile_) walk_.next();
  }

 private:
  static constexpr Pattern kNone{{}, {}, 1};
  const S* data_;
  bool tile_;
  Walk walk_;
};

/// The numbers of a line, each its own or all one.
template <class S>
struct Each {
  const S* x;
  template <class Part>
  HWY_INLINE Vector<S> load(std::int64_t i, const Part& part) const {
    return part.load(x + i);
  }
};
template <class S>
struct Even {
  Vector<S> x;
  template <class Part>
  HWY_INLINE Vector<S> load(std::int64_t, const Part&) const {
    return x;
  }
};
template <class S>
struct None {};

/// body(a, b) with the kinds of both.
template <class S, class Body>
HWY_INLINE void by_kind(bool even_a, const S* a, bool even_b, const S* b, const Body& body) {
  const Lanes<S> d;
  if (even_a && even_b) return body(Even<S>{hn::Set(d, *a)}, Even<S>{hn::Set(d, *b)});
  if (even_a) return body(Even<S>{hn::Set(d, *a)}, Each<S>{b});
  if (even_b) return body(Each<S>{a}, Even<S>{hn::Set(d, *b)});
  return body(Each<S>{a}, Each<S>{b});
}

/// An operand whose lines lie at one distance: a tile, a number, a column or a row of a matrix, or
/// of a stack of them where the tile is part of one.
template <class S>
struct Straight {
  const S* x = nullptr;
  std::int64_t step = 0;
  bool even = false, known = true;  ///< whether a line has one number; whether it is one of these
};
/// Of a stack of matrices with `rows` lines each, where all lines of a tile belong to one: its
/// number, else -1.
HWY_INLINE std::int64_t one_of_stack(std::int64_t rows, std::int64_t first, std::int64_t lines) {
  const std::int64_t number = first / rows;
  return first - number * rows + lines <= rows ? number : -1;
}
template <class S>
HWY_INLINE Straight<S> straight(const TileOperand<S>& x, std::int64_t line, std::int64_t lines,
                                std::int64_t from) {
  if (x.pattern == nullptr) return {x.data, line, false};
  const Pattern& p = *x.pattern;
  if (p.single()) return {x.data, 0, true};
  if (p.rank == 2 && p.step[0] == 1 && p.step[1] == 0) return {x.data + from / line, 1, true};
  if (p.rank == 2 && p.step[0] == 0 && p.step[1] == 1) return {x.data, 0, false};
  if (p.rank == 3 && p.step[1] == 0 && p.step[2] == 1)
    if (const std::int64_t number = one_of_stack(p.size[1], from / line, lines); number >= 0)
      return {x.data + number * p.step[0], 0, false};
  return {nullptr, 0, false, false};
}

/// An operand that has one number for all of the tile as that number.
template <class S>
HWY_INLINE TileOperand<S> narrowed(const TileOperand<S>& x, std::int64_t from, std::int64_t n) {
  static constexpr Pattern kNumber{{}, {}, 1};
  if (x.pattern == nullptr || x.pattern->rank != 2 || x.pattern->step[1] != 0) return x;
  const std::int64_t line = x.pattern->line();
  if (n > line) return x;
  const std::int64_t number = from / line;
  if (from - number * line + n > line) return x;
  return {x.data + number * x.pattern->step[0], &kNumber};
}

}  // namespace HWY_NAMESPACE
}  // namespace taugrad::kernels
HWY_AFTER_NAMESPACE();

#endif
