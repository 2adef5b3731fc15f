#include <algorithm>

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

Var named(Var v, std::string_view name, std::span<const std::int32_t> index) {
  v.tape->set_value(v.id, v.tape->intern_name(name), v.tape->intern_index(index));
  return v;
}

}  // namespace

constinit const Op kInput{.name = "input",
                          .about = "data: a value for each example, or a category",
                          .arity = 0,
                          .traits = {.leaf = true}};
constinit const Op kWeight{.name = "weight",
                           .about = "a parameter, shared by all examples",
                           .arity = 0,
                           .traits = {.leaf = true}};
constinit const Op kConstant{.name = "constant",
                             .about = "a number in every element",
                             .arity = 0,
                             .forward = exact_forwards<Fill>(),
                             .traits = {.leaf = true, .discrete = true}};
constinit const Op kLength{.name = "length",
                           .about = "the item's own length, as a number",
                           .arity = 0,
                           .forward = exact_forwards<OwnLength>(),
                           .traits = {.leaf = true, .discrete = true}};

Var input(Tape& g, std::string_view name, const Shape& shape, std::span<const std::int32_t> index,
          ExtentId extent) {
  return named(g.leaf(kInput, shape, extent), name, index);
}

Var category_input(Tape& g, std::string_view name, std::int64_t size,
                   std::span<const std::int32_t> index, ExtentId extent) {
  require(size >= 1, "{}: a category has at least one symbol, not {}", name, size);
  return named(g.leaf(kInput, {}, extent, {{"category", size}}), name, index);
}

Var weight(Tape& g, std::string_view name, const Shape& shape,
           std::span<const std::int32_t> index) {
  return named(g.leaf(kWeight, shape, kShared), name, index);
}

Var constant(Tape& g, double value, const Shape& shape, ExtentId extent) {
  return g.leaf(kConstant, shape, extent, {{"value", value}});
}

Var absent_category(Tape& g, std::int64_t size, ExtentId extent) {
  return g.leaf(kConstant, {}, extent, {{"category", size}, {"value", -1.0}});
}

Var length(Tape& g, std::int32_t which, ExtentId extent) {
  require(which >= 0 && static_cast<std::size_t>(which) < g.length_names.size(),
          "the graph has no length number {}", which);
  require(extent != kShared, "a length belongs to an item");
  return g.leaf(kLength, {}, extent, {{"which", std::int64_t{which}}});
}

std::int64_t category_size(Var v) {
  // a comparison of categories knows that they are, but is itself 0 or 1
  if (&v.op() == &kEqual || &v.op() == &kNotEqual) return 0;
  return v.tape->attrs(v.id).integer_or("category", 0);
}

Var Graph::input(std::string_view name, const Shape& shape) {
  return taugrad::input(*tape_, name, shape);
}
Var Graph::category(std::string_view name, std::int64_t size) {
  return category_input(*tape_, name, size);
}
Var Graph::weight(std::string_view name, const Shape& shape) {
  return taugrad::weight(*tape_, name, shape);
}
Var Graph::constant(double value, const Shape& shape) {
  return taugrad::constant(*tape_, value, shape);
}

}  // namespace taugrad
