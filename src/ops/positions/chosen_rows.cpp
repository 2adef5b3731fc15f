#include "taugrad/ops/chosen_rows.h"

#include <algorithm>
#include <cmath>

#include "ops/kernel.h"
#include "ops/rules.h"
#include "taugrad/base/rational.h"
#include "taugrad/ops/data_positions.h"
#include "taugrad/ops/steps.h"

namespace taugrad {
namespace {

template <class S>
std::int64_t whole(const S& x) {
  double value;
  if constexpr (std::is_same_v<S, Rational>)
    value = x.to_double();
  else
    value = static_cast<double>(scalar::real_part(x));
  constexpr double kFar = 1e15;  // NaN is outside, too
  return value > -kFar && value < kFar ? static_cast<std::int64_t>(std::floor(value + 0.5)) : -1;
}

struct Place {
  std::int64_t source, row;
};
template <class S>
Place place_of(const Operand<S>& places, std::int64_t r) {
  const S* p = row(places, r);
  return {whole(p[0]), whole(p[1])};
}

struct TakeRows {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.shape->size(), first = c.attrs->integer("first");
    const auto sources = static_cast<std::int64_t>(c.in.size()) - 1;
    for (std::int64_t r = 0; r < c.items; ++r) {
      const Place at = place_of(c.in[0], r);
      const std::int64_t source = at.source - first;
      const bool there = source >= 0 && source < sources && at.row >= 0 &&
                         at.row < c.in[static_cast<std::size_t>(source) + 1].items;
      if (there)
        std::copy_n(row(c.in[static_cast<std::size_t>(source) + 1], at.row), n, c.out + r * n);
      else
        std::fill_n(c.out + r * n, n, S(c.attrs->has("category") ? -1 : 0));
    }
  }
};

struct GiveRows {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.shape->size(), source = c.attrs->integer("source");
    std::fill_n(c.out, c.items * n, S(0));
    for (std::size_t i = 0; i + 1 < c.in.size(); i += 2)
      for (std::int64_t r = 0; r < c.in[i + 1].items; ++r) {
        const Place at = place_of(c.in[i + 1], r);
        if (at.source != source || at.row < 0 || at.row >= c.items) continue;
        const S* from = row(c.in[i], r);
        S* to = c.out + at.row * n;
        for (std::int64_t k = 0; k < n; ++k) to[k] += from[k];
      }
  }
};

void require_places(const Shape& shape) {
  require(shape == Shape{2}, "a place is two numbers, a source and a row, not {}", shape);
}

Shape taken_shape(std::span<const Shape> in, const Attrs& attrs) {
  require(in.size() >= 2, "wants places and sources");
  require_places(in[0]);
  return one_shape(in.subspan(1), attrs);
}

Shape given_shape(std::span<const Shape> in, const Attrs&) {
  require(in.size() >= 2 && in.size() % 2 == 0, "wants rows and their places, in turn");
  for (std::size_t i = 0; i < in.size(); i += 2) {
    require(in[i] == in[0], "rows have one shape, not {} and {}", in[0], in[i]);
    require_places(in[i + 1]);
  }
  return in[0];
}

void check_take_rows(const Proposal& p) {
  require_number(p, 0);
  require(p.tape.extent_id(p.in[0]) == p.extent, "wants a place for each of its rows");
  for (std::size_t i = 1; i < p.in.size(); ++i)
    require(p.tape.extent_id(p.in[i]) != kShared, "takes rows of what is per example");
  carries_symbols(p, 1);
  p.attrs.integer("first");
}

void check_give_rows(const Proposal& p) {
  for (std::size_t i = 0; i < p.in.size(); ++i) require_number(p, i);
  for (std::size_t i = 0; i + 1 < p.in.size(); i += 2) {
    const ExtentId rows = p.tape.extent_id(p.in[i]);
    require(rows == kShared || rows == p.tape.extent_id(p.in[i + 1]),
            "wants a place for each of its rows");
  }
  require(p.category == 0, "gives numbers, not a category");
  p.attrs.integer("source");
}

void take_rows_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const std::int64_t first = p.attrs().integer("first");
  for (std::size_t i = 1; i < xbar.size(); ++i)
    if (p.wants(i))
      xbar[i] =
          give_rows(ybar, p.in[0], first + static_cast<std::int64_t>(i) - 1, p.in[i].extent());
}
Var take_rows_jvp(const Primal& p, std::span<const Var> xdot) {
  Vars sources;
  bool any = false;
  for (std::size_t i = 1; i < p.in.size(); ++i) {
    any = any || xdot[i];
    Var x = xdot[i] ? xdot[i] : zeros_like(p.in[i]);
    sources.push_back(x.per_example() ? x : to_items(x, p.in[i].extent()));
  }
  if (!any) return {};
  return take_rows(p.in[0], sources, p.attrs().integer("first"), p.out.extent());
}

void give_rows_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const Var given = ybar.per_example() ? ybar : to_items(ybar, p.out.extent());
  for (std::size_t i = 0; i < xbar.size(); i += 2)
    if (p.wants(i))
      xbar[i] =
          take_rows(p.in[i + 1], {&given, 1}, p.attrs().integer("source"), p.in[i + 1].extent());
}
Var give_rows_jvp(const Primal& p, std::span<const Var> xdot) {
  Vars pairs;
  for (std::size_t i = 0; i < p.in.size(); i += 2)
    if (xdot[i]) pairs.insert(pairs.end(), {xdot[i], p.in[i + 1]});
  return pairs.empty() ? Var{} : taugrad::apply(kGiveRows, pairs, p.attrs());
}

}  // namespace

constinit const Op kTakeRows{
    .name = "take_rows",
    .about = "rows of several sources, each by the number of its source and its row",
    .attributes = "category extent:integer first:integer",
    .arity = kAnyArity,
    .shape = taken_shape,
    .forward = exact_forwards<TakeRows>(),
    .vjp = take_rows_vjp,
    .jvp = take_rows_jvp,
    .traits = {.chooses = true, .variadic_items = true, .keeps_symbols = true},
    .check = check_take_rows};
constinit const Op kGiveRows{.name = "give_rows",
                             .about = "rows added up where they were taken from, zeros elsewhere",
                             .attributes = "extent:integer source:integer",
                             .arity = kAnyArity,
                             .shape = given_shape,
                             .forward = exact_forwards<GiveRows>(),
                             .vjp = give_rows_vjp,
                             .jvp = give_rows_jvp,
                             .traits = {.chooses = true, .variadic_items = true},
                             .check = check_give_rows};

Var take_rows(Var places, std::span<const Var> sources, std::int64_t first, ExtentId extent) {
  require(!sources.empty(), "take_rows: no sources");
  std::int64_t symbols = 0;  // the first source may be an absent one
  for (const Var& v : sources) symbols = std::max(symbols, category_size(v));
  Attrs attrs{{"extent", static_cast<std::int64_t>(extent)}, {"first", first}};
  if (symbols > 0) attrs.set("category", symbols);
  Vars inputs{places};
  inputs.insert(inputs.end(), sources.begin(), sources.end());
  return taugrad::apply(kTakeRows, inputs, attrs);
}
Var give_rows(Var a, Var places, std::int64_t source, ExtentId extent) {
  return append2(kGiveRows, a, places,
                 {{"extent", static_cast<std::int64_t>(extent)}, {"source", source}});
}

void join_shares(Vars& shares) {
  join_steps(shares);
  const auto joins = [](const Var& v) { return &v.op() == &kGiveRows || &v.op() == &kIfPosition; };
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (!joins(shares[i])) continue;
    Tape& tape = *shares[i].tape;
    const Op& op = shares[i].op();
    const AttrsId attrs = tape.attrs_id(shares[i].id);
    const auto agrees = [&](const Var& v) {
      return &v.op() == &op && tape.attrs_id(v.id) == attrs;
    };
    Vars pairs;
    for (std::size_t k = i; k < shares.size(); ++k)
      if (agrees(shares[k]))
        for (const NodeId in : tape.inputs(shares[k].id)) pairs.push_back(tape.var(in));
    if (pairs.size() == tape.inputs(shares[i].id).size()) continue;
    shares.erase(
        std::remove_if(shares.begin() + static_cast<std::ptrdiff_t>(i) + 1, shares.end(), agrees),
        shares.end());
    shares[i] = taugrad::apply(op, pairs, Attrs(tape.attrs_of(attrs)));
  }
}

}  // namespace taugrad
