#include <algorithm>

#include "base/fail.h"
#include "base/init.h"
#include "base/utf8.h"
#include "ops/kernel.h"
#include "ops/rules.h"

// Nodes without inputs. The values of `input` and `weight` come from outside.
namespace taugrad {
namespace {

struct Fill {
  template <class S>
  static void run(const Call<S>& c) {
    std::fill_n(c.out, c.items * c.shape->size(), S(c.attrs->real("value")));
  }
};

struct Diagonal {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = (*c.shape)[0];
    std::fill_n(c.out, c.items * n * n, S(0));
    each_item(c, [&](std::int64_t item) {
      for (std::int64_t i = 0; i < n; ++i) c.out[item * n * n + i * (n + 1)] = S(1);
    });
  }
};

struct OwnLength {
  template <class S>
  static void run(const Call<S>& c) {
    const auto which = static_cast<std::size_t>(c.attrs->integer("which"));
    require(which < c.batch->lengths.size(), "the batch has no length number {}", which);
    require(c.extent != kShared, "a length belongs to an item");
    const std::vector<std::int32_t>& items = c.batch->items_of[c.extent];
    each_item(c, [&](std::int64_t r) {
      const auto item = static_cast<std::size_t>(items[static_cast<std::size_t>(r)]);
      c.out[r] = S(static_cast<double>(c.batch->lengths[which][item]));
    });
  }
};

void check_symbols(const Proposal& p) {
  require(p.category == 0 || p.shape.is_scalar(), "a category is a number, not {}", p.shape);
}

void check_input(const Proposal& p) { check_symbols(p); }

void check_weight(const Proposal& p) {
  check_symbols(p);
  require(p.extent == kShared, "a weight is shared by all items");
  if (!p.attrs.has("init")) return;
  require(!p.attrs.text("init").empty(), "\"init\" is empty");
  const std::size_t values = init_from(p.attrs.text("init")).values.size();
  const bool fits = values <= 1 || static_cast<std::int64_t>(values) == p.shape.size();
  require(fits, "\"init\" has {} numbers for a weight of shape {}", values, p.shape);
}

void check_constant(const Proposal& p) {
  check_symbols(p);
  p.attrs.real("value");
}

void check_eye(const Proposal& p) {
  require(p.shape.rank() == 2 && p.shape[0] == p.shape[1], "is a square matrix, not {}", p.shape);
  require(p.category == 0, "gives numbers, not a category");
}

void check_own_length(const Proposal& p) {
  require(p.shape.is_scalar() && p.category == 0, "a length is a number");
  check_length(p);
}

}  // namespace

constinit const Op kInput{.name = "input",
                          .about = "data: a value for each example, or a category",
                          .attributes = "category position:flag",
                          .arity = 0,
                          .traits = {.leaf = true},
                          .check = check_input};
constinit const Op kWeight{.name = "weight",
                           .about = "a parameter, shared by all examples",
                           .attributes = "category init:text",
                           .arity = 0,
                           .traits = {.leaf = true},
                           .check = check_weight};
constinit const Op kConstant{.name = "constant",
                             .about = "a number in every element",
                             .attributes = "category value:real",
                             .arity = 0,
                             .forward = exact_forwards<Fill>(),
                             .traits = {.leaf = true, .discrete = true},
                             .check = check_constant};
constinit const Op kEye{.name = "eye",
                        .about = "1 on the diagonal of a square matrix, else 0",
                        .arity = 0,
                        .forward = exact_forwards<Diagonal>(),
                        .traits = {.leaf = true, .discrete = true},
                        .check = check_eye};
constinit const Op kLength{.name = "length",
                           .about = "the item's own length, as a number",
                           .attributes = "which:integer",
                           .arity = 0,
                           .forward = exact_forwards<OwnLength>(),
                           .traits = {.leaf = true, .discrete = true},
                           .check = check_own_length};

Var input(Tape& g, std::string_view name, const Shape& shape, std::span<const std::int32_t> index,
          ExtentId extent) {
  return g.named_leaf(kInput, shape, extent, {}, name, index);
}

Var category_input(Tape& g, std::string_view name, std::int64_t size,
                   std::span<const std::int32_t> index, ExtentId extent) {
  return g.named_leaf(kInput, {}, extent, {{"category", size}}, name, index);
}

Var weight(Tape& g, std::string_view name, const Shape& shape,
           std::span<const std::int32_t> index) {
  return g.named_leaf(kWeight, shape, kShared, {}, name, index);
}

Var constant(Tape& g, double value, const Shape& shape, ExtentId extent) {
  return g.leaf(kConstant, shape, extent, {{"value", value}});
}

Var eye(Tape& g, std::int64_t size) { return g.leaf(kEye, {size, size}, kShared); }

Var absent_category(Tape& g, std::int64_t size, ExtentId extent) {
  return g.leaf(kConstant, {}, extent, {{"category", size}, {"value", -1.0}});
}

Var length(Tape& g, std::int32_t which, ExtentId extent) {
  return g.leaf(kLength, {}, extent, {{"which", std::int64_t{which}}});
}

std::int64_t category_size(Var v) { return v.tape->category(v.id); }

}  // namespace taugrad
