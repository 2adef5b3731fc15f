#include "ops/kernel.h"
#include "ops/positions/item_fault.h"
#include "ops/rules.h"

// One row of a tensor, at a place that is a number.
namespace taugrad {
namespace {

Shape at_shape(std::span<const Shape> in, const Attrs&) {
  require(in[0].rank() >= 1, "a number has no first axis");
  require(in[1].is_scalar(), "the place is a number, not {}", in[1]);
  return Shape(in[0].dims().subspan(1));
}

struct At {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.shape->size(), rows = (*c.in[0].shape)[0];
    each_item(c, [&](std::int64_t item) {
      const std::int64_t i = place(*row(c.in[1], item), rows, item);
      std::copy_n(row(c.in[0], item) + i * n, n, c.out + item * n);
    });
  }
  template <class S>
  static std::int64_t place(const S& x, std::int64_t rows, std::int64_t item) {
    const double wanted = std::nearbyint(static_cast<double>(scalar::real_part(x)));
    const std::int64_t i = category_of(wanted, rows);
    if (i < 0)
      throw ItemFault(Status::bad_input, "D019",
                      fmt::format("no element {} among {}", wanted, rows),
                      "elements are counted from 0", item);
    return i;
  }
};

// the row that was read, of zeros
void at_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  if (!p.wants(0)) return;
  const Shape& shape = p.in[0].shape();
  Ints dims(static_cast<std::size_t>(shape.rank()), 1);
  dims[0] = shape[0];
  const Var places = cumsum(constant(*ybar.tape, 1, Shape(dims)), 0) - 1.0;
  const Var here = equal(places, p.in[1]);
  xbar[0] = where(broadcast_to(here, shape), broadcast_to(ybar, shape), number_like(ybar, 0));
}
Var at_jvp(const Primal& p, std::span<const Var> xdot) {
  return xdot[0] ? at(xdot[0], p.in[1]) : Var{};
}

}  // namespace

constinit const Op kAt{
    .name = "at",
    .about = "row i, to the nearest, of the first axis, from 0; i has no gradient",
    .arity = 2,
    .shape = at_shape,
    .forward = forwards<At>(),
    .vjp = at_vjp,
    .jvp = at_jvp,
    .traits = {.chooses = true, .faults = true}};

Var at(Var a, Var i) { return append2(kAt, a, i); }

}  // namespace taugrad
