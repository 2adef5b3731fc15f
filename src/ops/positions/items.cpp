#include "ops/kernel.h"
#include "ops/positions/item_rows.h"
#include "ops/positions/lengths.h"
#include "ops/rules.h"

// Which items of the batch a node exists for. Rows of a node are the items of its extent,
// ascending.
namespace taugrad {
namespace {

Shape same_shape(std::span<const Shape> in, const Attrs&) { return in[0]; }

struct SumItems {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.shape->size(), items = summed_items(c);
    std::fill_n(c.out, n, S(0));
    for (std::int64_t item = 0; item < items; ++item)
      for (std::int64_t i = 0; i < n; ++i) c.out[i] += row(c.in[0], item)[i];
  }
};

// Rows of the input for the items of the output; what the input lacks is 0 or absent.
struct Reindex {
  template <class S>
  static void run(const Call<S>& c) {
    const Operand<S>& x = c.in[0];
    const std::int64_t n = c.shape->size();
    if (c.extent == kShared || x.extent == kShared || x.extent == c.extent) {
      each_item(c, [&](std::int64_t r) { std::copy_n(row(x, r), n, c.out + r * n); });
      return;
    }
    const auto wanted = items_of(*c.batch, c.extent), held = items_of(*c.batch, x.extent);
    std::size_t at = 0;
    for (std::size_t r = 0; r < wanted.size(); ++r) {
      while (at < held.size() && held[at] < wanted[r]) ++at;
      S* y = c.out + static_cast<std::int64_t>(r) * n;
      if (at < held.size() && held[at] == wanted[r])
        std::copy_n(row(x, static_cast<std::int64_t>(at)), n, y);
      else
        std::fill_n(y, n, missing<S>(*c.attrs));
    }
  }
};

std::span<const std::int64_t> lengths_of(const Attrs& attrs, const BatchContext& batch) {
  const auto which = static_cast<std::size_t>(attrs.integer("which"));
  require(which < batch.lengths.size(), "the batch has no length number {}", which);
  return batch.lengths[which];
}

struct AtLength {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.shape->size(), first = c.attrs->integer("first");
    const auto lengths = lengths_of(*c.attrs, *c.batch);
    const auto steps = static_cast<std::int64_t>(c.in.size());
    for (std::int64_t r = 0; r < c.items; ++r) {
      const std::int32_t item = items_of(*c.batch, c.extent)[static_cast<std::size_t>(r)];
      const std::int64_t step = lengths[static_cast<std::size_t>(item)] - first;
      const bool inside = step >= 0 && step < steps;
      const std::int64_t from =
          inside ? row_of(c.in[static_cast<std::size_t>(step)], item, *c.batch) : -1;
      if (from < 0)
        std::fill_n(c.out + r * n, n, missing<S>(*c.attrs));
      else
        std::copy_n(row(c.in[static_cast<std::size_t>(step)], from), n, c.out + r * n);
    }
  }
};

struct IfLength {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.shape->size(), wanted = c.attrs->integer("length");
    const auto lengths = lengths_of(*c.attrs, *c.batch);
    for (std::int64_t r = 0; r < c.items; ++r) {
      const std::int32_t item = items_of(*c.batch, c.extent)[static_cast<std::size_t>(r)];
      const bool chosen = lengths[static_cast<std::size_t>(item)] == wanted;
      const std::int64_t from = chosen ? row_of(c.in[0], item, *c.batch) : -1;
      if (from < 0)
        std::fill_n(c.out + r * n, n, S(0));
      else
        std::copy_n(row(c.in[0], from), n, c.out + r * n);
    }
  }
};

ExtentId extent_attr(const Primal& p) { return p.out.extent(); }

void sum_items_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  xbar[0] = p.in[0].per_example() ? to_items(ybar, p.in[0].extent()) : ybar;
}
void to_items_vjp(const Primal&, Var ybar, std::span<Var> xbar) { xbar[0] = sum_items(ybar); }
void restrict_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  xbar[0] = extend_to(ybar, p.in[0].extent());
}
void extend_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  xbar[0] = restrict_to(ybar, p.in[0].extent());
}

std::int32_t which_of(const Primal& p) {
  return static_cast<std::int32_t>(p.attrs().integer("which"));
}

// each step has its own items' cotangents; together they cost what the steps themselves cost
void at_length_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const std::int64_t first = p.attrs().integer("first");
  for (std::size_t i = 0; i < xbar.size(); ++i) {
    const ExtentId e = p.in[i].per_example() ? p.in[i].extent() : extent_attr(p);
    if (p.wants(i)) xbar[i] = if_length(ybar, which_of(p), first + static_cast<std::int64_t>(i), e);
  }
}
void if_length_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const ExtentId e = p.in[0].per_example() ? p.in[0].extent() : extent_attr(p);
  xbar[0] = if_length(ybar, which_of(p), p.attrs().integer("length"), e);
}

}  // namespace

bool within(const Tape& g, ExtentId e, ExtentId of) {
  if (e == of || of == kEveryItem) return true;
  for (const Extent::Bound& want : g.extent(of).bounds) {
    const auto& bounds = g.extent(e).bounds;
    const auto have = std::find_if(bounds.begin(), bounds.end(),
                                   [&](const auto& b) { return b.which == want.which; });
    if (have == bounds.end() || have->at_least < want.at_least) return false;
  }
  return true;
}

namespace {

// ---- what shape and items leave open

void check_to_items(const Proposal& p) {
  carries_symbols(p);
  require(p.tape.extent_id(p.in[0]) == kShared, "wants a value that is not per example");
}

void check_restrict(const Proposal& p) {
  carries_symbols(p);
  const ExtentId from = p.tape.extent_id(p.in[0]);
  require(from != kShared && within(p.tape, p.extent, from),
          "the items asked for are not among the input's");
}

void check_extend(const Proposal& p) {
  carries_symbols(p);
  const ExtentId from = p.tape.extent_id(p.in[0]);
  require(from != kShared && within(p.tape, from, p.extent),
          "the input's items are not among those asked for");
}

void check_at_length(const Proposal& p) {
  carries_symbols(p);
  check_length(p);
  p.attrs.integer("first");
}

void check_if_length(const Proposal& p) {
  require_number(p, 0);
  require(p.category == 0, "gives numbers, not a category");
  check_length(p);
  p.attrs.integer("length");
}

Attrs item_attrs(ExtentId extent, std::int64_t category) {
  Attrs attrs{{"extent", static_cast<std::int64_t>(extent)}};
  if (category > 0) attrs.set("category", category);
  return attrs;
}

}  // namespace

constinit const Op kSumItems{.name = "sum_items",
                             .about = "sum over the items of the batch",
                             .shape = same_shape,
                             .forward = exact_forwards<SumItems>(),
                             .vjp = sum_items_vjp,
                             .traits = {.linear = true, .sums_items = true}};
constinit const Op kToItems{
    .name = "to_items",
    .about = "the same value for each item",
    .attributes = "category extent:integer",
    .shape = same_shape,
    .forward = exact_forwards<Reindex>(),
    .vjp = to_items_vjp,
    .traits = {.linear = true, .variadic_items = true, .keeps_symbols = true},
    .check = check_to_items};
constinit const Op kRestrictTo{
    .name = "restrict_to",
    .about = "the rows of fewer items",
    .attributes = "category extent:integer",
    .shape = same_shape,
    .forward = exact_forwards<Reindex>(),
    .vjp = restrict_vjp,
    .traits = {.linear = true, .chooses = true, .variadic_items = true, .keeps_symbols = true},
    .check = check_restrict};
constinit const Op kExtendTo{
    .name = "extend_to",
    .about = "the rows of more items, zeros for the new ones",
    .attributes = "category extent:integer",
    .shape = same_shape,
    .forward = exact_forwards<Reindex>(),
    .vjp = extend_vjp,
    .traits = {.linear = true, .variadic_items = true, .keeps_symbols = true},
    .check = check_extend};
constinit const Op kAtLength{
    .name = "at_length",
    .about = "of each item the step that its length names",
    .attributes = "category extent:integer first:integer which:integer",
    .arity = kAnyArity,
    .shape = one_shape,
    .forward = exact_forwards<AtLength>(),
    .vjp = at_length_vjp,
    .traits = {.linear = true, .chooses = true, .variadic_items = true, .keeps_symbols = true},
    .check = check_at_length};
constinit const Op kIfLength{.name = "if_length",
                             .about = "the rows of the items of one length, zeros for the others",
                             .attributes = "extent:integer length:integer which:integer",
                             .shape = same_shape,
                             .forward = exact_forwards<IfLength>(),
                             .vjp = if_length_vjp,
                             .traits = {.linear = true, .chooses = true, .variadic_items = true},
                             .check = check_if_length};

Var sum_items(Var a) { return append1(kSumItems, a); }

Var to_items(Var a, ExtentId extent) {
  return append1(kToItems, a, item_attrs(extent, category_size(a)));
}
Var restrict_to(Var a, ExtentId extent) {
  return append1(kRestrictTo, a, item_attrs(extent, category_size(a)));
}
Var extend_to(Var a, ExtentId extent) {
  return append1(kExtendTo, a, item_attrs(extent, category_size(a)));
}
Var if_length(Var a, std::int32_t which, std::int64_t l, ExtentId extent) {
  Attrs attrs = item_attrs(extent, 0);
  attrs.set("length", l);
  attrs.set("which", std::int64_t{which});
  return append1(kIfLength, a, attrs);
}
Var at_length(std::span<const Var> steps, std::int32_t which, std::int32_t first, ExtentId extent) {
  require(!steps.empty(), "at_length: no steps");
  std::int64_t symbols = 0;  // the first step may be an absent one
  for (const Var& v : steps) symbols = std::max(symbols, category_size(v));
  Attrs attrs = item_attrs(extent, symbols);
  attrs.set("first", std::int64_t{first});
  attrs.set("which", std::int64_t{which});
  return taugrad::apply(kAtLength, steps, attrs);
}

void require_lengths(const std::vector<std::vector<std::int64_t>>& lengths,
                     const std::vector<std::int64_t>& longest) {
  for (std::size_t which = 0; which < lengths.size(); ++which)
    for (const std::int64_t length : lengths[which]) {
      if (length < 0) fail(Status::usage, "U022", "a length is 0 or more, not {}", length);
      if (which < longest.size() && longest[which] >= 0 && length > longest[which])
        fail(Status::usage, "U022", "an item has length {}, the graph has {} steps", length,
             longest[which]);
    }
}

void place_items(BatchContext& context, const Tape& tape, std::int64_t batch) {
  if (batch < 0 || batch > kMaxDim)
    fail(Status::usage, "U022", "a batch has 0 to {} items, not {}", kMaxDim, batch);
  if (!context.item.empty() && static_cast<std::int64_t>(context.item.size()) != batch)
    fail(Status::usage, "U022", "{} keys for {} items", context.item.size(), batch);
  for (const std::vector<std::int64_t>& lengths : context.lengths)
    require(static_cast<std::int64_t>(lengths.size()) == batch, "{} lengths for {} items",
            lengths.size(), batch);
  require_lengths(context.lengths, tape.longest);
  context.items_of.assign(tape.extent_count(), {});
  for (ExtentId e = kEveryItem; e < tape.extent_count(); ++e) {
    const std::vector<Extent::Bound>& bounds = tape.extent(e).bounds;
    for (const Extent::Bound& b : bounds)
      require(static_cast<std::size_t>(b.which) < context.lengths.size(),
              "the batch has no length number {}", b.which);
    for (std::int32_t item = 0; item < batch; ++item)
      if (std::all_of(bounds.begin(), bounds.end(), [&](const Extent::Bound& b) {
            return context.lengths[static_cast<std::size_t>(b.which)]
                                  [static_cast<std::size_t>(item)] >= b.at_least;
          }))
        context.items_of[e].push_back(item);
  }
}

}  // namespace taugrad
