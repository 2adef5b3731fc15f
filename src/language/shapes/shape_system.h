#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "language/shapes/size_system.h"
#include "language/syntax/ast.h"
#include "taugrad/base/shape.h"

namespace taugrad {

/// What a product does with the last axes of its operands: a letter is one size. The axes before
/// them are leading ones, which broadcast.
struct Core {
  std::string_view a, b, y;
};

/// A set of ranks, bit r for rank r.
using Ranks = std::uint8_t;
constexpr Ranks kAnyRank = 0b11111, kOneOrMore = 0b11110;
constexpr std::size_t kMostTries =
    2'000'000;  ///< terms looked at to find what no relation alone tells
constexpr Ranks only_rank(int r) { return static_cast<Ranks>(1 << r); }

/// What relates the shapes of an operation's operands (the first term is the result's).
enum class ShapeRule : std::uint8_t {
  same,       ///< y = a
  broadcast,  ///< y = broadcast(a, b, ..)
  ranks,      ///< the rank of y is one of a set
  product,    ///< y = a @ b
  outer,      ///< y = outer(a, b)
  matvec,     ///< y = matvec(A, x)
  vecdot,     ///< y = vecdot(a, b)
  solve,      ///< y = solve(A, b)
  logdet,     ///< y = logdet(A)
  concat,     ///< y = concat(a, b, ..)
  stack,      ///< y = stack(a, b, ..)
  slice,      ///< y = slice(a, ..)
  transpose,  ///< y = transpose(a)
  permute,   ///< y = transpose(a, ..): the first number holds the axes, three bits each, behind a 1
  reduced,   ///< y = sum(a, axis=..): the first number is the axis, the second a Reduced
  rows,      ///< y is a row of a
  elements,  ///< y has as many elements
  taps,      ///< y = conv(K, x): the first number is that of the indices
  symbols,   ///< y has as many rows as the vector a has elements
};

/// What a reduction leaves of the axis, or of all of them.
enum Reduced : std::int64_t { kDropped, kKept, kAllKept };

/// Of a product of operands of these ranks. @return false where the rule is none
bool core_of(ShapeRule rule, int rank_a, int rank_b, Core& core);

/// Shapes, found by solving (R16): terms that stand for the shape of a variable or of an
/// expression, and relations between them. First the ranks: a set for each term, from which
/// relations take what cannot be. Then the sizes of the axes. Nothing is assumed while something
/// still follows; what then is open takes the smallest shape. Nothing depends on the order of
/// relations but which of two that contradict each other is kept.
class ShapeSystem {
 public:
  /// Where a relation comes from: a node of an expression.
  struct Origin {
    const Ast* ast = nullptr;
    int node = -1;
  };

  int unknown(Ranks ranks = kAnyRank);
  int known(std::vector<GivenSize> axes);
  int number() { return number_ >= 0 ? number_ : number_ = known({}); }
  void relate(ShapeRule rule, std::span<const int> terms, Origin origin, GivenSize first = {},
              GivenSize second = {});
  void relate(ShapeRule rule, std::initializer_list<int> terms, Origin origin, GivenSize first = {},
              GivenSize second = {}) {
    relate(rule, std::span(terms.begin(), terms.size()), origin, std::move(first),
           std::move(second));
  }
  /// Two terms are one.
  void unite(int a, int b);

  /// Draws what follows of the ranks.
  void propagate();
  /// Takes this rank where it is possible.
  void prefer(int term, int rank);
  /// Finds ranks, then the sizes that follow.
  void solve();
  /// The smallest sizes for what is open still.
  void choose();

  bool is_number(int term) { return ranks_of(term) == only_rank(0); }
  /// Before it is solved: whether the rank is open. After it: whether it was, or a size.
  bool is_open(int term) { return open_[static_cast<std::size_t>(find(term))] != 0; }
  Shape shape(int term);
  int rank(int term);
  /// Of each axis the number of its size in sizes().
  const std::vector<int>& axes(int term);
  SizeSystem& sizes() { return sizes_; }
  /// Relations that no choice satisfies.
  const std::vector<Origin>& unsolved() const { return unsolved_; }

 private:
  struct Term {
    int parent;
    Ranks ranks;
    int axes = -1;  ///< number in axes_
  };
  struct Relation {
    ShapeRule rule;
    bool holds = true;
    int first, count;  ///< in terms_of_
    int numbers;       ///< in numbers_, two of them; -1: none
    Origin origin;
  };

  int find(int term);
  Ranks& ranks_of(int term) { return terms_[static_cast<std::size_t>(find(term))].ranks; }
  std::span<const int> terms(const Relation& r) const {
    return std::span(operands_).subspan(static_cast<std::size_t>(r.first),
                                        static_cast<std::size_t>(r.count));
  }
  const GivenSize& number(const Relation& r, int i) const {
    return numbers_[static_cast<std::size_t>(r.numbers + i)];
  }

  // shape_ranks.cpp
  void wake(int term);
  bool narrow(int term, Ranks ranks);
  bool draw(Relation& r);
  bool draw_broadcast(const Relation& r);
  bool draw_contraction(const Relation& r);
  bool draw_reduced(const Relation& r);
  bool draw_stack(const Relation& r, int deeper);
  bool merge(int a, int b);
  void give_up(Relation& r);
  void settle_ranks();
  bool try_smallest(std::vector<int>& failing);
  bool exclude_smallest(const Relation& r);
  bool is_impossible(int term, Ranks ranks);
  bool try_narrow(int term, Ranks ranks);

  // shape_system.cpp
  struct Sizes {  ///< as they are given, or found
    std::vector<Term> terms;
    std::vector<std::vector<int>> axes;
    SizeSystem sizes;
    std::vector<int> conflicts;
  };
  Sizes save() const { return {terms_, axes_, sizes_, conflicts_}; }
  void restore(const Sizes& s);
  void settle_sizes();
  bool raise_a_number(int conflict, const Sizes& given);
  std::vector<int> open_numbers_near(int relation);
  bool settle_raised(int term, const std::vector<Term>& open, const Sizes& given);
  void equal(int a, int b, int number);
  void relate_sizes(int number, bool asked);
  void relate_broadcast(const Relation& r, int number);
  void relate_contraction(const Relation& r, int number, bool asked);
  void relate_leading(const Relation& r, int number);
  void relate_reduced(const Relation& r, int number);
  void relate_taps(const Relation& r, int number, bool asked);
  void relate_rows(const Relation& r, int number);

  std::vector<Term> terms_, open_terms_;   ///< open_terms_: before the smallest ranks are taken
  std::vector<std::vector<int>> readers_;  ///< of terms: relations
  std::vector<std::vector<int>> axes_;     ///< numbers in sizes_
  std::vector<Relation> relations_;
  std::vector<int> operands_;
  std::vector<GivenSize> numbers_;
  std::vector<int> due_;
  std::vector<char> is_due_, open_;
  std::vector<Origin> unsolved_;
  SizeSystem sizes_;
  std::vector<int> conflicts_;  ///< relations whose sizes are two
  int number_ = -1;
  std::size_t tries_ = 0;
  bool trying_ = false;  ///< a contradiction then is the answer, not a relation to be left out
};

}  // namespace taugrad
