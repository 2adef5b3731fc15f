#include "ops/kernel.h"
#include "ops/rules.h"

// Comparisons, which give 0 or 1 and no gradient, and the choice that reads them.
namespace taugrad {
namespace {

template <class Order>
struct Compare {
  struct Element {
    template <class S>
    S operator()(const S& a, const S& b) const {
      return S(Order{}(a, b) ? 1 : 0);
    }
  };
  template <class S>
  static void run(const Call<S>& c) {
    Map<Element, 2>::run(c);
  }
};

// Of categories, an absent one equals nothing, not even an absent one.
template <bool kWanted>
struct Same {
  template <bool kCategories>
  struct Element {
    template <class S>
    S operator()(const S& a, const S& b) const {
      const bool same = a == b && (!kCategories || scalar::real_part(a) >= 0);
      return S(same == kWanted ? 1 : 0);
    }
  };
  template <class S>
  static void run(const Call<S>& c) {
    if (c.attrs->has("category"))
      Map<Element<true>, 2>::run(c);
    else
      Map<Element<false>, 2>::run(c);
  }
};

using Where = decltype([](const auto& c, const auto& a, const auto& b) {
  return scalar::real_part(c) != 0 ? a : b;
});

Var where_partial(const Primal& p, std::size_t i, Var d) {
  const Var zero = number_like(d, 0);
  if (i == 0) return {};
  return i == 1 ? where(p.in[0], d, zero) : where(p.in[0], zero, d);
}

template <class Rule>
constexpr Op comparison(std::string_view name, std::string_view about) {
  return {.name = name,
          .about = about,
          .arity = 2,
          .shape = one_shape,
          .forward = exact_forwards<Rule>(),
          .traits = {.elementwise = true, .discrete = true}};
}

// a category is compared with one of any alphabet, or with the number of a symbol
void check_same(const Proposal& p) {
  const std::int64_t size = std::max(p.tape.category(p.in[0]), p.tape.category(p.in[1]));
  require(size == p.category, "compares categories of {}, its attribute says {}", size, p.category);
}

constexpr Op of_symbols(Op op) {
  op.traits.tells_symbols = true;
  op.attributes = "category";
  op.check = check_same;
  return op;
}

void check_where(const Proposal& p) {
  require_number(p, 0);
  carries_symbols(p, 1);
}

constexpr Op of_a_branch(Op op) {
  op.attributes = "category";
  op.check = check_where;
  return op;
}

Var same(const Op& op, const Var& a, const Var& b) {
  const std::int64_t size = std::max(category_size(a), category_size(b));
  return append_broadcast(op, a, b, size > 0 ? Attrs{{"category", size}} : Attrs{});
}

using Less = Compare<decltype([](const auto& a, const auto& b) { return scalar::below(a, b); })>;
using LessEqual =
    Compare<decltype([](const auto& a, const auto& b) { return scalar::at_most(a, b); })>;
using Greater = Compare<decltype([](const auto& a, const auto& b) { return scalar::below(b, a); })>;
using GreaterEqual =
    Compare<decltype([](const auto& a, const auto& b) { return scalar::at_most(b, a); })>;

}  // namespace

constinit const Op kLess = comparison<Less>("less", "y = 1 where a < b, else 0");
constinit const Op kLessEqual = comparison<LessEqual>("less_equal", "y = 1 where a <= b, else 0");
constinit const Op kGreater = comparison<Greater>("greater", "y = 1 where a > b, else 0");
constinit const Op kGreaterEqual =
    comparison<GreaterEqual>("greater_equal", "y = 1 where a >= b, else 0");
constinit const Op kEqual = of_symbols(
    comparison<Same<true>>("equal", "y = 1 where a = b, else 0; an absent category equals none"));
constinit const Op kNotEqual =
    of_symbols(comparison<Same<false>>("not_equal", "y = 1 - equal(a, b)"));
constinit const Op kWhere = of_a_branch(choosing(exact_elementwise<Map<Where, 3>, where_partial, 3>(
    "where", "y = a where c != 0, else b; nothing leaks from the branch not taken")));

Var less(Var a, Var b) { return append_broadcast(kLess, a, b); }
Var less_equal(Var a, Var b) { return append_broadcast(kLessEqual, a, b); }
Var greater(Var a, Var b) { return append_broadcast(kGreater, a, b); }
Var greater_equal(Var a, Var b) { return append_broadcast(kGreaterEqual, a, b); }
Var equal(Var a, Var b) { return same(kEqual, a, b); }
Var not_equal(Var a, Var b) { return same(kNotEqual, a, b); }
Var equal(Var a, double b) { return equal(a, number_like(a, b)); }
Var not_equal(Var a, double b) { return not_equal(a, number_like(a, b)); }

Condition operator<(const Var& a, const Var& b) { return {less(a, b)}; }
Condition operator<=(const Var& a, const Var& b) { return {less_equal(a, b)}; }
Condition operator>(const Var& a, const Var& b) { return {greater(a, b)}; }
Condition operator>=(const Var& a, const Var& b) { return {greater_equal(a, b)}; }
Condition operator<(const Var& a, double b) { return a < number_like(a, b); }
Condition operator<=(const Var& a, double b) { return a <= number_like(a, b); }
Condition operator>(const Var& a, double b) { return a > number_like(a, b); }
Condition operator>=(const Var& a, double b) { return a >= number_like(a, b); }
Condition operator<(double a, const Var& b) { return number_like(b, a) < b; }
Condition operator<=(double a, const Var& b) { return number_like(b, a) <= b; }
Condition operator>(double a, const Var& b) { return number_like(b, a) > b; }
Condition operator>=(double a, const Var& b) { return number_like(b, a) >= b; }

Condition operator==(const Var& a, double b) { return {equal(a, b)}; }
Condition operator==(double a, const Var& b) { return {equal(b, a)}; }
Condition operator!=(const Var& a, double b) { return {not_equal(a, b)}; }
Condition operator!=(double a, const Var& b) { return {not_equal(b, a)}; }
Condition operator!(const Condition& c) { return {equal(c, 0.0)}; }
Condition operator&&(const Condition& a, const Condition& b) { return {Var(a) * Var(b)}; }
Condition operator||(const Condition& a, const Condition& b) { return {max(Var(a), Var(b))}; }

Var where(Var c, Var a, Var b) {
  const std::int64_t size = std::max(category_size(a), category_size(b));
  return append_broadcast(kWhere, {{c, a, b}}, size > 0 ? Attrs{{"category", size}} : Attrs{});
}
Var where(Var c, Var a, double b) { return where(c, a, number_like(a, b)); }
Var where(Var c, double a, Var b) { return where(c, number_like(b, a), b); }
Var where(Var c, double a, double b) { return where(c, number_like(c, a), number_like(c, b)); }

}  // namespace taugrad
