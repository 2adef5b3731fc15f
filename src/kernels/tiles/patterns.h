#pragma once

#include <array>
#include <cstdint>

/// Rows that read or make a smaller row: a number, a column or a row spread over a matrix, and the
/// sums that lead back.
namespace taugrad::kernels {

/// Which element of a smaller row belongs to an element of a row: the row's axes, outermost first,
/// and how many elements of the smaller row lie between two places along each; 0 along an axis that
/// it is repeated on.
struct Pattern {
  static constexpr int kAxes = 4;
  std::array<std::int64_t, kAxes> size{}, step{};
  int rank = 0;

  /// One number for all places, of however many.
  static Pattern number() { return {{}, {}, 1}; }
  /// Adds an axis inside the others; axes that go on with one another become one.
  void add(std::int64_t places, std::int64_t elements);
  /// Whether both rows are the same.
  bool whole() const { return rank == 0 || (rank == 1 && step[0] == 1); }
  /// Whether every place belongs to one and the same element.
  bool single() const { return rank == 1 && step[0] == 0; }
  std::int64_t places() const;    ///< of the row
  std::int64_t elements() const;  ///< of the smaller row
  /// Places along the innermost axis.
  std::int64_t line() const { return rank == 0 ? 1 : size[static_cast<std::size_t>(rank - 1)]; }
  bool operator==(const Pattern&) const = default;
};

/// out[i] = x[p(from + i)] for 0 <= i < n. Where n goes past the end of a row of `elements` places,
/// the next row has the elements `stride` further on.
template <class S>
using SpreadFunction = void (*)(const Pattern& p, const S* x, std::int64_t stride,
                                std::int64_t elements, std::int64_t from, std::int64_t n, S* out);

/// An operand of a tile: its elements one after another, or those of a smaller row by a pattern of
/// which the innermost step is 0 or 1, and whose lines are as long as those of the other operands.
template <class S>
struct TileOperand {
  const S* data = nullptr;
  const Pattern* pattern = nullptr;  ///< null: of the tile itself
};

/// out[i] = c[i] + a[i] b[i] for 0 <= i < n, rounded after the product; without c: the product.
/// With `from_zero` 0 + a[i] b[i] takes its place, as in a product of matrices: -0 becomes 0. The
/// tile begins at place `from` of a row. `out` may be exactly a, b or c where those are tiles.
template <class S>
using ProductFunction = void (*)(const TileOperand<S>& a, const TileOperand<S>& b, const S* c,
                                 bool from_zero, std::int64_t from, std::int64_t n, S* out);

/// out[p(from + i)] += a[i] b[i] for 0 <= i < n, within one row; without b: a[i]. Along an
/// innermost axis of step 0 what is added is the sum over that axis, in an order that its length
/// decides; else each element is one chain in ascending i. Where p is of a single element, so are
/// neither a nor b by a pattern.
template <class S>
using SumFunction = void (*)(const Pattern& p, const TileOperand<S>& a, const TileOperand<S>& b,
                             std::int64_t from, std::int64_t n, S* out);

template <class S>
struct PatternFunctions {
  SpreadFunction<S> spread = nullptr;
  ProductFunction<S> product = nullptr;
  SumFunction<S> sum = nullptr;
};
/// The functions for this machine; S is float or double.
template <class S>
PatternFunctions<S> pattern_functions();

}  // namespace taugrad::kernels
