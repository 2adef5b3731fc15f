#include "taugrad/ops/data_positions.h"

#include <cmath>

#include "ops/kernel.h"
#include "ops/positions/item_rows.h"
#include "ops/rules.h"
#include "taugrad/base/rational.h"

// Steps that data name: of each item the one at the position that it holds (language.md R17).
namespace taugrad {
namespace {

template <class S>
double number_of(const S& x) {
  if constexpr (std::is_same_v<S, Rational>)
    return x.to_double();
  else
    return static_cast<double>(scalar::real_part(x));
}

/// The whole number nearest to x, where it lies in from..to - 1; else -1 below `from`.
template <class S>
std::int64_t position_of(const S& x, std::int64_t from, std::int64_t to) {
  const double value = number_of(x);
  const double near = std::floor(value + 0.5);
  // written so that NaN is outside, and nothing outside is converted
  if (!(near >= static_cast<double>(from) && near < static_cast<double>(to))) return from - 1;
  return static_cast<std::int64_t>(near);
}

/// f(r, item, row of the item in operand `p`) for each row of the output; row -1: it has none.
template <class S, class F>
void each_position(const Call<S>& c, std::size_t p, const F& f) {
  for (std::int64_t r = 0; r < c.items; ++r) {
    const std::int32_t item =
        c.extent == kShared ? 0 : c.batch->items_of[c.extent][static_cast<std::size_t>(r)];
    f(r, item, row_of(c.in[p], item, *c.batch));
  }
}

struct AtPosition {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.shape->size(), first = c.attrs->integer("first");
    const auto steps = static_cast<std::int64_t>(c.in.size()) - 1;
    each_position(c, 0, [&](std::int64_t r, std::int32_t item, std::int64_t held) {
      const std::int64_t at =
          held < 0 ? first - 1 : position_of(*row(c.in[0], held), first, first + steps);
      const auto step = static_cast<std::size_t>(at - first + 1);
      const std::int64_t from = at < first ? -1 : row_of(c.in[step], item, *c.batch);
      if (from < 0)
        std::fill_n(c.out + r * n, n, missing<S>(*c.attrs));
      else
        std::copy_n(row(c.in[step], from), n, c.out + r * n);
    });
  }
};

struct IfPosition {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.shape->size(), wanted = c.attrs->integer("position");
    std::fill_n(c.out, c.items * n, S(0));
    for (std::size_t i = 0; i + 1 < c.in.size(); i += 2)
      each_position(c, i + 1, [&](std::int64_t r, std::int32_t item, std::int64_t held) {
        const bool chosen =
            held >= 0 && position_of(*row(c.in[i + 1], held), wanted, wanted + 1) == wanted;
        const std::int64_t from = chosen ? row_of(c.in[i], item, *c.batch) : -1;
        if (from < 0) return;
        const S* x = row(c.in[i], from);
        for (std::int64_t k = 0; k < n; ++k) c.out[r * n + k] += x[k];
      });
  }
};

struct Quotient {
  template <class S>
  static void run(const Call<S>& c) {
    const auto by = static_cast<double>(c.attrs->integer("divisor"));
    each_item(c, [&](std::int64_t item) {
      const double x = std::floor(number_of(*row(c.in[0], item)) + 0.5);
      c.out[item] = S(std::floor(x / by));
    });
  }
};

Shape step_shape(std::span<const Shape> in, const Attrs& attrs) {
  require(in.size() >= 2, "wants a position and steps");
  require(in[0].is_scalar(), "a position is a number, not {}", in[0]);
  return one_shape(in.subspan(1), attrs);
}

Shape share_shape(std::span<const Shape> in, const Attrs&) {
  require(in.size() >= 2 && in.size() % 2 == 0, "wants rows and their positions, in turn");
  for (std::size_t i = 0; i < in.size(); i += 2) {
    require(in[i] == in[0], "rows have one shape, not {} and {}", in[0], in[i]);
    require(in[i + 1].is_scalar(), "a position is a number, not {}", in[i + 1]);
  }
  return in[0];
}

Shape number_alone(std::span<const Shape> in, const Attrs&) {
  require(in[0].is_scalar(), "a position is a number, not {}", in[0]);
  return {};
}

void check_at_position(const Proposal& p) {
  require_number(p, 0);
  carries_symbols(p, 1);
  p.attrs.integer("first");
}

void check_if_position(const Proposal& p) {
  for (std::size_t i = 0; i < p.in.size(); ++i) require_number(p, i);
  require(p.category == 0, "gives numbers, not a category");
  p.attrs.integer("position");
}

void check_quotient(const Proposal& p) {
  require_number(p, 0);
  require(p.category == 0, "gives a number, not a category");
  require(p.attrs.integer("divisor") >= 1, "divides by {}: by 1 or more",
          p.attrs.integer("divisor"));
}

ExtentId items_of(const Primal& p, std::size_t i) {
  return p.in[i].per_example() ? p.in[i].extent() : p.out.extent();
}

// to each step what the items that read it give back
void at_position_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const std::int64_t first = p.attrs().integer("first");
  for (std::size_t i = 1; i < xbar.size(); ++i)
    if (p.wants(i))
      xbar[i] =
          if_position(ybar, p.in[0], first + static_cast<std::int64_t>(i) - 1, items_of(p, i));
}
Var at_position_jvp(const Primal& p, std::span<const Var> xdot) {
  Vars steps;
  bool any = false;
  for (std::size_t i = 1; i < p.in.size(); ++i) {
    any = any || xdot[i];
    steps.push_back(xdot[i] ? xdot[i] : zeros_like(p.in[i]));
  }
  if (!any) return {};
  return at_position(p.in[0], steps, p.attrs().integer("first"), p.out.extent());
}

void if_position_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  for (std::size_t i = 0; i < xbar.size(); i += 2)
    if (p.wants(i))
      xbar[i] = if_position(ybar, p.in[i + 1], p.attrs().integer("position"), items_of(p, i));
}
Var if_position_jvp(const Primal& p, std::span<const Var> xdot) {
  Vars pairs;
  for (std::size_t i = 0; i < p.in.size(); i += 2)
    if (xdot[i]) pairs.insert(pairs.end(), {xdot[i], p.in[i + 1]});
  return pairs.empty() ? Var{} : taugrad::apply(kIfPosition, pairs, p.attrs());
}

}  // namespace

constinit const Op kAtPosition{
    .name = "at_position",
    .about = "of each item the step that a position of its own names",
    .attributes = "category extent:integer first:integer",
    .arity = kAnyArity,
    .shape = step_shape,
    .forward = exact_forwards<AtPosition>(),
    .vjp = at_position_vjp,
    .jvp = at_position_jvp,
    .traits = {.chooses = true, .variadic_items = true, .keeps_symbols = true},
    .check = check_at_position};
constinit const Op kIfPosition{
    .name = "if_position",
    .about = "the rows of the items whose position is a given one added up, zeros for the others",
    .attributes = "extent:integer position:integer",
    .arity = kAnyArity,
    .shape = share_shape,
    .forward = exact_forwards<IfPosition>(),
    .vjp = if_position_vjp,
    .jvp = if_position_jvp,
    .traits = {.chooses = true, .variadic_items = true},
    .check = check_if_position};
constinit const Op kQuotient{.name = "quotient",
                             .about = "the whole number a / by, rounded down",
                             .attributes = "divisor:integer",
                             .arity = 1,
                             .shape = number_alone,
                             .forward = exact_forwards<Quotient>(),
                             .traits = {.discrete = true},
                             .check = check_quotient};

Var at_position(Var position, std::span<const Var> steps, std::int64_t first, ExtentId extent) {
  require(!steps.empty(), "at_position: no steps");
  std::int64_t symbols = 0;  // the first step may be an absent one
  for (const Var& v : steps) symbols = std::max(symbols, category_size(v));
  Attrs attrs{{"extent", static_cast<std::int64_t>(extent)}, {"first", first}};
  if (symbols > 0) attrs.set("category", symbols);
  Vars inputs{position};
  inputs.insert(inputs.end(), steps.begin(), steps.end());
  return taugrad::apply(kAtPosition, inputs, attrs);
}
Var if_position(Var a, Var position, std::int64_t wanted, ExtentId extent) {
  return append2(kIfPosition, a, position,
                 {{"extent", static_cast<std::int64_t>(extent)}, {"position", wanted}});
}
Var quotient(Var a, std::int64_t by) { return append1(kQuotient, a, {{"divisor", by}}); }

}  // namespace taugrad
