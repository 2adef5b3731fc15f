#include "ops/kernel.h"
#include "ops/rules.h"

// Categories: numbers 0..size-1, or -1 where absent. Whatever is outside counts as absent, so that
// no rule reads beyond its operand.
namespace taugrad {
namespace {

void require_category(const Shape& s) {
  require(s.is_scalar(), "a category is a number, not {}", s);
}

std::int64_t elements_of_row(const Shape& table) {
  std::int64_t n = 1;
  for (int axis = 1; axis < table.rank(); ++axis) n *= table[axis];
  return n;
}

Shape argmax_shape(std::span<const Shape> in, const Attrs&) {
  require(in[0].rank() == 1 && in[0][0] >= 1, "wants a vector of one element or more, not {}",
          in[0]);
  return {};
}

struct Argmax {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.in[0].shape->size();
    each_item(c, [&](std::int64_t item) {
      c.out[item] = S(static_cast<double>(first_largest(row(c.in[0], item), n)));
    });
  }
};

void check_argmax(const Proposal& p) {
  require_number(p, 0);
  const std::int64_t size = p.tape.shape(p.in[0]).size();
  require(p.category == size, "gives a category of {}, its attribute says {}", size, p.category);
}

void check_one_hot(const Proposal& p) {
  require_symbol(p, 0, p.attrs.integer("size"));
  require(p.category == 0, "gives a vector, not a category");
}

void check_embed(const Proposal& p) {
  require_number(p, 0);
  require_symbol(p, 1, p.tape.shape(p.in[0])[0]);
  require(p.category == 0, "gives a row, not a category");
}

void check_scatter(const Proposal& p) {
  require_symbol(p, 0, p.attrs.integer("size"));
  require_number(p, 1);
  require(p.category == 0, "gives a table, not a category");
}

Shape one_hot_shape(std::span<const Shape> in, const Attrs& attrs) {
  require_category(in[0]);
  return {attrs.integer("size")};
}

struct OneHot {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.shape->size();
    each_item(c, [&](std::int64_t item) {
      S* const y = std::fill_n(c.out + item * n, n, S(0)) - n;
      const std::int64_t k = category_of(*row(c.in[0], item), n);
      if (k >= 0) y[k] = S(1);
    });
  }
};

Shape embed_shape(std::span<const Shape> in, const Attrs&) {
  require_category(in[1]);
  require(in[0].rank() >= 1, "a number is no table of rows");
  return Shape(in[0].dims().subspan(1));
}

struct Embed {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.shape->size(), size = (*c.in[0].shape)[0];
    each_item(c, [&](std::int64_t item) {
      const std::int64_t k = category_of(*row(c.in[1], item), size);
      if (k < 0)
        std::fill_n(c.out + item * n, n, S(0));
      else
        std::copy_n(row(c.in[0], item) + k * n, n, c.out + item * n);
    });
  }
};

// A table that all items share gathers their rows; one of an item's own has a single row that is
// not zero, e_y ybar^T.
void embed_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const Var table = p.in[0];
  if (!p.wants(0)) return;
  const std::int64_t size = table.shape()[0];
  if (!table.per_example()) {
    xbar[0] = scatter_rows(p.in[1], ybar, size);
    return;
  }
  const Var rows = reshape(ybar, {elements_of_row(table.shape())});
  xbar[0] = reshape(outer(one_hot(p.in[1], size), rows), table.shape());
}

Var embed_jvp(const Primal& p, std::span<const Var> xdot) {
  return xdot[0] ? embed(xdot[0], p.in[1]) : Var{};
}

Shape scatter_shape(std::span<const Shape> in, const Attrs& attrs) {
  require_category(in[0]);
  std::vector<std::int64_t> dims{attrs.integer("size")};
  dims.insert(dims.end(), in[1].dims().begin(), in[1].dims().end());
  return Shape(dims);
}

struct ScatterRows {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.in[1].shape->size(), size = (*c.shape)[0], items = summed_items(c);
    std::fill_n(c.out, size * n, S(0));
    for (std::int64_t item = 0; item < items; ++item) {
      const std::int64_t k = category_of(*row(c.in[0], item), size);
      if (k < 0) continue;
      const S* x = row(c.in[1], item);
      for (std::int64_t i = 0; i < n; ++i) c.out[k * n + i] += x[i];
    }
  }
};

void scatter_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  if (p.wants(1)) xbar[1] = embed(ybar, p.in[0]);
}

Var scatter_jvp(const Primal& p, std::span<const Var> xdot) {
  return xdot[1] ? scatter_rows(p.in[0], xdot[1], p.attrs().integer("size")) : Var{};
}

}  // namespace

constinit const Op kArgmax{.name = "argmax",
                           .about = "the category of the first largest element",
                           .attributes = "category",
                           .shape = argmax_shape,
                           .forward = forwards<Argmax>(),
                           .traits = {.discrete = true},
                           .check = check_argmax};
constinit const Op kOneHot{.name = "one_hot",
                           .about = "1 at a category, else 0; zeros where it is absent",
                           .attributes = "size:integer",
                           .shape = one_hot_shape,
                           .forward = forwards<OneHot>(),
                           .traits = {.discrete = true},
                           .check = check_one_hot};
constinit const Op kEmbed{.name = "embed",
                          .about = "the row of a table at a category; zeros where it is absent",
                          .arity = 2,
                          .shape = embed_shape,
                          .forward = forwards<Embed>(),
                          .vjp = embed_vjp,
                          .jvp = embed_jvp,
                          .traits = {.chooses = true},
                          .check = check_embed};
constinit const Op kScatterRows{.name = "scatter_rows",
                                .about = "adds each item's row into a table at its category",
                                .attributes = "size:integer",
                                .arity = 2,
                                .shape = scatter_shape,
                                .forward = forwards<ScatterRows>(),
                                .vjp = scatter_vjp,
                                .jvp = scatter_jvp,
                                .traits = {.chooses = true, .sums_items = true},
                                .check = check_scatter};

Var argmax(Var a) {
  const std::int64_t n = a.shape().rank() == 1 ? a.shape()[0] : 0;
  return append1(kArgmax, a, n > 0 ? Attrs{{"category", n}} : Attrs{});
}
Var one_hot(Var category, std::int64_t size) {
  return append1(kOneHot, category, {{"size", size}});
}
Var embed(Var table, Var category) { return append2(kEmbed, table, category); }
Var scatter_rows(Var category, Var rows, std::int64_t size) {
  return append2(kScatterRows, category, rows, {{"size", size}});
}

}  // namespace taugrad
