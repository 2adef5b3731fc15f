#include <utility>

#include "base/utf8.h"
#include "ops/axes.h"
#include "ops/kernel.h"
#include "ops/rules.h"

// Ops that move or repeat elements and compute nothing. Rows of the first axis are contiguous, so
// concat, slice, pad and stack copy runs.
namespace taugrad {
namespace {

Shape with_rows(const Shape& s, std::int64_t rows) {
  std::vector<std::int64_t> dims(s.dims().begin(), s.dims().end());
  dims[0] = rows;
  return Shape(dims);
}

std::int64_t row_size(const Shape& s) {
  std::int64_t n = 1;
  for (int axis = 1; axis < s.rank(); ++axis) n *= s[axis];
  return n;
}

Ints dims_of(const Shape& s) { return {s.dims().begin(), s.dims().end()}; }

// ---- transpose, reshape, broadcast ------------------------------------------------------------

// the axis of the input that each axis of the output is
std::vector<int> order_of(const Attrs& attrs, int rank) {
  std::vector<int> order;
  if (attrs.has("axes"))
    for (const std::int64_t axis : attrs.ints("axes")) order.push_back(static_cast<int>(axis));
  else
    for (int axis = rank; axis-- > 0;) order.push_back(axis);
  return order;
}

// of vectors and matrices an order says nothing: they are turned around, or stay as they are
Shape transpose_shape(std::span<const Shape> in, const Attrs& attrs) {
  const Shape& x = in[0];
  std::vector<std::int64_t> dims;
  std::array<bool, kMaxRank> taken{};
  require(!attrs.has("axes") || x.rank() > 2, "an order of axes is for three or more, not {}", x);
  if (attrs.has("axes")) {
    const Ints& axes = attrs.ints("axes");
    require(static_cast<int>(axes.size()) == x.rank(), "{} axes are named for {}", axes.size(), x);
    for (const std::int64_t axis : axes) {
      require(axis >= 0 && axis < x.rank(), "{} has no axis {}", x, axis);
      require(!std::exchange(taken[static_cast<std::size_t>(axis)], true), "axis {} stands twice",
              axis);
    }
  }
  for (const int axis : order_of(attrs, x.rank())) dims.push_back(x[axis]);
  return Shape(dims);
}

struct Transpose {
  template <class S>
  static void run(const Call<S>& c) {
    const Shape &x = *c.in[0].shape, &y = *c.shape;
    const std::vector<int> order = order_of(*c.attrs, x.rank());
    std::array<std::int64_t, kMaxRank> size{1, 1, 1, 1}, step{}, strides{};
    std::int64_t stride = 1;
    for (int axis = x.rank(); axis-- > 0; stride *= x[axis])
      strides[static_cast<std::size_t>(axis)] = stride;
    for (int axis = 0; axis < y.rank(); ++axis) {
      const auto at = static_cast<std::size_t>(kMaxRank - y.rank() + axis);
      size[at] = y[axis];
      step[at] = strides[static_cast<std::size_t>(order[static_cast<std::size_t>(axis)])];
    }
    each_item(c, [&](std::int64_t item) {
      const S* from = row(c.in[0], item);
      S* to = c.out + item * y.size();
      for (std::int64_t i = 0; i < size[0]; ++i)
        for (std::int64_t j = 0; j < size[1]; ++j)
          for (std::int64_t k = 0; k < size[2]; ++k) {
            const S* line = from + i * step[0] + j * step[1] + k * step[2];
            if (step[3] == 1)
              to = std::copy_n(line, size[3], to);
            else
              for (std::int64_t l = 0; l < size[3]; ++l) *to++ = line[l * step[3]];
          }
    });
  }
};

Shape attribute_shape(const Attrs& attrs) { return Shape(attrs.ints("shape")); }

Shape reshape_shape(std::span<const Shape> in, const Attrs& attrs) {
  const Shape to = attribute_shape(attrs);
  require(in[0].size() == to.size(), "{} has {} elements, {} has {}", in[0], in[0].size(), to,
          to.size());
  return to;
}

struct CopyRows {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.shape->size();
    each_item(c, [&](std::int64_t item) { std::copy_n(row(c.in[0], item), n, c.out + item * n); });
  }
};

Shape broadcast_shape(std::span<const Shape> in, const Attrs& attrs) {
  const Shape to = attribute_shape(attrs);
  require(broadcast(in[0], to) == to, "{} does not broadcast to {}", in[0], to);
  return to;
}

struct Broadcast {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.shape->size();
    each_item(c, [&](std::int64_t item) {
      const S* x = row(c.in[0], item);
      S* y = c.out + item * n;
      each_broadcast(*c.in[0].shape, *c.shape,
                     [&](std::int64_t i, std::int64_t j) { y[i] = x[j]; });
    });
  }
};

// ---- along the first axis ---------------------------------------------------------------------

Shape concat_shape(std::span<const Shape> in, const Attrs&) {
  std::int64_t rows = 0;
  for (const Shape& s : in) {
    require(s.rank() >= 1, "a number has no first axis to join along");
    require(s.rank() == in[0].rank() && with_rows(s, 0) == with_rows(in[0], 0),
            "shapes differ beyond the first axis: {} and {}", in[0], s);
    rows += s[0];
  }
  return with_rows(in[0], rows);
}

Shape stack_shape(std::span<const Shape> in, const Attrs& attrs) {
  one_shape(in, attrs);
  std::vector<std::int64_t> dims{static_cast<std::int64_t>(in.size())};
  dims.insert(dims.end(), in[0].dims().begin(), in[0].dims().end());
  return Shape(dims);
}

struct Join {
  template <class S>
  static void run(const Call<S>& c) {
    S* to = c.out;
    each_item(c, [&](std::int64_t item) {
      for (const Operand<S>& x : c.in) to = std::copy_n(row(x, item), x.shape->size(), to);
    });
  }
};

Shape slice_shape(std::span<const Shape> in, const Attrs& attrs) {
  const std::int64_t from = attrs.integer("from"), to = attrs.integer("to");
  require(in[0].rank() >= 1, "a number has no first axis to cut");
  require(0 <= from && from <= to && to <= in[0][0], "{}..{} is not within {}", from, to, in[0]);
  return with_rows(in[0], to - from);
}

struct Slice {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.shape->size(), skip = c.attrs->integer("from") * row_size(*c.shape);
    each_item(
        c, [&](std::int64_t item) { std::copy_n(row(c.in[0], item) + skip, n, c.out + item * n); });
  }
};

Shape pad_shape(std::span<const Shape> in, const Attrs& attrs) {
  const std::int64_t from = attrs.integer("from"), size = attrs.integer("size");
  require(in[0].rank() >= 1, "a number has no first axis to pad");
  require(from >= 0 && from <= size && in[0][0] <= size - from, "{} rows at {} do not fit into {}",
          in[0][0], from, size);
  return with_rows(in[0], size);
}

struct Pad {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.shape->size(), skip = c.attrs->integer("from") * row_size(*c.shape);
    std::fill_n(c.out, c.items * n, S(0));
    each_item(c, [&](std::int64_t item) {
      std::copy_n(row(c.in[0], item), c.in[0].shape->size(), c.out + item * n + skip);
    });
  }
};

// ---- cotangents -------------------------------------------------------------------------------

void transpose_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const std::vector<int> order = order_of(p.attrs(), ybar.shape().rank());
  std::vector<int> back(order.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    back[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
  xbar[0] = transpose(ybar, back);
}
void reshape_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  xbar[0] = reshape(ybar, p.in[0].shape());
}
void broadcast_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  xbar[0] = sum_to(ybar, p.in[0].shape());
}
void pad_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const std::int64_t from = p.attrs().integer("from");
  xbar[0] = slice(ybar, from, from + p.in[0].shape()[0]);
}
void slice_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  xbar[0] = pad(ybar, p.attrs().integer("from"), p.in[0].shape()[0]);
}
void concat_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  std::int64_t from = 0;
  for (std::size_t i = 0; i < xbar.size(); ++i) {
    const std::int64_t rows = p.in[i].shape()[0];
    if (p.wants(i)) xbar[i] = slice(ybar, from, from + rows);
    from += rows;
  }
}
void stack_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  for (std::size_t i = 0; i < xbar.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    if (p.wants(i)) xbar[i] = reshape(slice(ybar, at, at + 1), p.in[i].shape());
  }
}

}  // namespace

constinit const Op kTranspose{.name = "transpose",
                              .about = "the axes in reverse order, or in that of `axes`",
                              .attributes = "axes:integers",
                              .shape = transpose_shape,
                              .forward = exact_forwards<Transpose>(),
                              .vjp = transpose_vjp,
                              .traits = {.linear = true}};
constinit const Op kReshape{.name = "reshape",
                            .about = "the same elements in order, other axes",
                            .attributes = "shape:integers",
                            .shape = reshape_shape,
                            .forward = exact_forwards<CopyRows>(),
                            .vjp = reshape_vjp,
                            .traits = {.linear = true, .view = true}};
constinit const Op kBroadcastTo{.name = "broadcast_to",
                                .about = "repeats along axes of size 1 and new leading axes",
                                .attributes = "category shape:integers",
                                .shape = broadcast_shape,
                                .forward = exact_forwards<Broadcast>(),
                                .vjp = broadcast_vjp,
                                .traits = {.linear = true},
                                .check = carries_symbols};
constinit const Op kConcat{.name = "concat",
                           .about = "joins along the first axis",
                           .arity = kAnyArity,
                           .shape = concat_shape,
                           .forward = exact_forwards<Join>(),
                           .vjp = concat_vjp,
                           .traits = {.linear = true}};
constinit const Op kStack{.name = "stack",
                          .about = "joins along a new first axis",
                          .arity = kAnyArity,
                          .shape = stack_shape,
                          .forward = exact_forwards<Join>(),
                          .vjp = stack_vjp,
                          .traits = {.linear = true}};
constinit const Op kSlice{.name = "slice",
                          .about = "rows from..to-1 of the first axis",
                          .attributes = "from:integer to:integer",
                          .shape = slice_shape,
                          .forward = exact_forwards<Slice>(),
                          .vjp = slice_vjp,
                          .traits = {.linear = true, .chooses = true}};
constinit const Op kPad{.name = "pad",
                        .about = "zeros of `size` rows that hold x at row `from`",
                        .attributes = "from:integer size:integer",
                        .shape = pad_shape,
                        .forward = exact_forwards<Pad>(),
                        .vjp = pad_vjp,
                        .traits = {.linear = true}};

Var transpose(Var a) { return append1(kTranspose, a); }
Var transpose(Var a, std::span<const int> axes) {
  bool stays = static_cast<int>(axes.size()) == a.shape().rank(), turns = stays;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    stays = stays && axes[i] == static_cast<int>(i);
    turns = turns && axes[i] == static_cast<int>(axes.size() - 1 - i);
  }
  if (stays) return a;
  return turns ? transpose(a) : append1(kTranspose, a, {{"axes", Ints(axes.begin(), axes.end())}});
}
Var transpose(Var a, std::initializer_list<int> axes) { return transpose(a, std::span(axes)); }
Var reshape(Var a, const Shape& to) {
  return a.shape() == to ? a : append1(kReshape, a, {{"shape", dims_of(to)}});
}
Var broadcast_to(Var a, const Shape& to) {
  if (a.shape() == to) return a;
  Attrs attrs{{"shape", dims_of(to)}};
  if (const std::int64_t symbols = category_size(a); symbols > 0) attrs.set("category", symbols);
  return append1(kBroadcastTo, a, attrs);
}
Var concat(std::span<const Var> parts) { return taugrad::apply(kConcat, parts); }
Var concat(std::initializer_list<Var> parts) { return concat(std::span(parts)); }
Var stack(std::span<const Var> parts) { return taugrad::apply(kStack, parts); }
Var stack(std::initializer_list<Var> parts) { return stack(std::span(parts)); }
Var Var::operator[](std::int64_t i) const {
  const std::int64_t rows = shape().rank() > 0 ? shape()[0] : 0;
  if (i < 0 && rows > 0) {
    const std::string name = printable(tape->label(id), 80);
    Diagnostic d;
    d.code = "G020";
    d.message = fmt::format("{} {} has no row {}: rows count from 0", name, shape(), i);
    d.help = fmt::format(
        "the last row is number {}; a step before is a Var of its own, which a loop "
        "keeps, or at(\"h\", {{t - 1}})",
        rows - 1);
    fail(Status::bad_input, std::move(d));
  }
  const Var row = slice(*this, i, i < kMaxDim ? i + 1 : i);
  return reshape(row, Shape(row.shape().dims().subspan(1)));
}
Var slice(Var a, std::int64_t from, std::int64_t to) {
  return append1(kSlice, a, {{"from", from}, {"to", to}});
}
Var pad(Var a, std::int64_t from, std::int64_t size) {
  return append1(kPad, a, {{"from", from}, {"size", size}});
}

}  // namespace taugrad
