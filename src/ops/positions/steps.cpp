#include "taugrad/ops/steps.h"

#include <algorithm>
#include <utility>

#include "ops/kernel.h"
#include "ops/positions/lengths.h"
#include "ops/rules.h"

// Rows of a first axis that are steps of a sequence, of which each item has its own number.
namespace taugrad {
namespace {

Shape behind_first(const Shape& s) { return Shape(s.dims().subspan(1)); }

Shape give_shape(std::span<const Shape> in, const Attrs& attrs) {
  const Ints& at = attrs.ints("at");
  const std::int64_t size = attrs.integer("size");
  require(at.size() == in.size(), "{} places for {} parts", at.size(), in.size());
  for (std::size_t i = 0; i < in.size(); ++i) {
    require(in[i] == in[0], "shapes differ: {} and {}", in[0], in[i]);
    require(at[i] >= 0 && at[i] < size && (i == 0 || at[i] > at[i - 1]),
            "places ascend from 0 to {}", size - 1);
  }
  Ints dims{size};
  dims.insert(dims.end(), in[0].dims().begin(), in[0].dims().end());
  return Shape(dims);
}

Shape row_shape(std::span<const Shape> in, const Attrs& attrs) {
  const std::int64_t at = attrs.integer("at");
  require(in[0].rank() >= 1 && at >= 0 && at < in[0][0], "{} has no row {}", in[0], at);
  return behind_first(in[0]);
}

/// Calls body(row of the output, row of an operand or -1) for each item of the output.
template <class S, class Body>
void each_row(const Call<S>& c, const Operand<S>& x, const Body& body) {
  const bool all = c.extent == kShared || x.extent == kShared || x.extent == c.extent;
  if (all) {
    for (std::int64_t r = 0; r < c.items; ++r) body(r, r);
    return;
  }
  const auto &wanted = c.batch->items_of[c.extent], &held = c.batch->items_of[x.extent];
  std::size_t at = 0;
  for (std::size_t r = 0; r < wanted.size(); ++r) {
    while (at < held.size() && held[at] < wanted[r]) ++at;
    const bool has = at < held.size() && held[at] == wanted[r];
    body(static_cast<std::int64_t>(r), has ? static_cast<std::int64_t>(at) : -1);
  }
}

struct GiveSteps {
  template <class S>
  static void run(const Call<S>& c) {
    const Ints& at = c.attrs->ints("at");
    const std::int64_t size = c.shape->size(), n = c.in[0].shape->size();
    if (static_cast<std::int64_t>(at.size()) < c.attrs->integer("size"))
      std::fill_n(c.out, c.items * size, S(0));
    for (std::size_t i = 0; i < c.in.size(); ++i)
      each_row(c, c.in[i], [&](std::int64_t r, std::int64_t from) {
        S* y = c.out + r * size + at[i] * n;
        if (from < 0)
          std::fill_n(y, n, S(0));
        else
          std::copy_n(row(c.in[i], from), n, y);
      });
  }
};

struct StepOf {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.shape->size(), skip = c.attrs->integer("at") * n;
    each_row(c, c.in[0], [&](std::int64_t r, std::int64_t from) {
      S* y = c.out + r * n;
      if (from < 0)
        std::fill_n(y, n, S(0));
      else
        std::copy_n(row(c.in[0], from) + skip, n, y);
    });
  }
};

void give_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const Ints& at = p.attrs().ints("at");
  for (std::size_t i = 0; i < xbar.size(); ++i) {
    const Var x = p.in[i];
    if (p.wants(i)) xbar[i] = step_of(ybar, at[i], x.per_example() ? x.extent() : p.out.extent());
  }
}

void step_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const Var x = p.in[0];
  const std::int64_t at[] = {p.attrs().integer("at")};
  xbar[0] = give_steps({&ybar, 1}, at, x.shape()[0], x.per_example() ? x.extent() : p.out.extent());
}

void check_steps(const Proposal& p) {
  for (std::size_t i = 0; i < p.in.size(); ++i) {
    require_number(p, i);
    const ExtentId e = p.tape.extent_id(p.in[i]);
    require(e == kShared || within(p.tape, e, p.extent) || within(p.tape, p.extent, e),
            "the items of a part are others");
  }
}

}  // namespace

constinit const Op kGiveSteps{
    .name = "give_steps",
    .about = "parts as rows `at` of a first axis, zeros for items that they do not exist for",
    .attributes = "at:integers extent:integer size:integer",
    .arity = kAnyArity,
    .shape = give_shape,
    .forward = exact_forwards<GiveSteps>(),
    .vjp = give_vjp,
    .traits = {.linear = true, .variadic_items = true},
    .check = check_steps};
constinit const Op kStepOf{.name = "step_of",
                           .about = "row `at` of the first axis, for fewer items",
                           .attributes = "at:integer extent:integer",
                           .shape = row_shape,
                           .forward = exact_forwards<StepOf>(),
                           .vjp = step_vjp,
                           .traits = {.linear = true, .variadic_items = true},
                           .check = check_steps};

Var give_steps(std::span<const Var> parts, std::span<const std::int64_t> at, std::int64_t size,
               ExtentId extent) {
  return taugrad::apply(kGiveSteps, parts,
                        {{"at", Ints(at.begin(), at.end())},
                         {"extent", static_cast<std::int64_t>(extent)},
                         {"size", size}});
}

Var step_of(Var a, std::int64_t at, ExtentId extent) {
  return append1(kStepOf, a, {{"at", at}, {"extent", static_cast<std::int64_t>(extent)}});
}

void join_steps(Vars& shares) {
  const auto joins = [](const Var& v) { return &v.op() == &kGiveSteps; };
  if (std::ranges::count_if(shares, joins) < 2) return;
  std::vector<std::pair<std::int64_t, Var>> parts;
  Vars others;
  const Var first = *std::ranges::find_if(shares, joins);
  for (const Var& v : shares) {
    if (!joins(v) || v.shape() != first.shape() || v.extent() != first.extent()) {
      others.push_back(v);
      continue;
    }
    const Ints& at = v.tape->attrs(v.id).ints("at");
    for (std::size_t i = 0; i < at.size(); ++i)
      parts.emplace_back(at[i], v.tape->var(v.tape->inputs(v.id)[i]));
  }
  std::ranges::stable_sort(parts, {}, [](const auto& part) { return part.first; });
  const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
  if (std::ranges::adjacent_find(parts, same) != parts.end()) return;
  Vars rows;
  Ints at;
  for (const auto& [place, part] : parts) {
    rows.push_back(part);
    at.push_back(place);
  }
  shares = std::move(others);
  shares.push_back(give_steps(rows, at, first.shape()[0], first.extent()));
}

}  // namespace taugrad
