#include "ops/kernel.h"
#include "ops/rules.h"

// The largest element, of all or along an axis; the first of equal ones has the gradient.
namespace taugrad {
namespace {

struct Max {
  template <class S>
  static void run(const Call<S>& c) {
    each_line(c, [&](const S* x, std::int64_t n, std::int64_t step, std::int64_t line) {
      c.out[line] = n == 0 ? S(0) : x[first_largest(x, n, step) * step];
    });
  }
};

struct FirstMax {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t size = c.shape->size();
    std::fill_n(c.out, c.items * size, S(0));
    const auto [outer, n, inner] = lines_of(*c.shape, *c.attrs);
    if (n == 0) return;
    each_line(c, [&, lines = outer * inner, length = n, apart = inner](
                     const S* x, std::int64_t, std::int64_t step, std::int64_t line) {
      const std::int64_t o = line % lines / apart, i = line % lines % apart;
      S* y = c.out + line / lines * size + o * length * apart + i;
      y[first_largest(x, length, step) * step] = S(1);
    });
  }
};

Var of_first_max(const Primal& p, Var d) {
  const Var first = append1(kFirstMax, p.in[0], Attrs(p.attrs()));
  return where(first, d, number_like(d, 0));
}
void max_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  xbar[0] = of_first_max(p, broadcast_to(ybar, p.in[0].shape()));
}
Var max_jvp(const Primal& p, std::span<const Var> xdot) {
  return sum_to(of_first_max(p, xdot[0]), p.out.shape());
}

}  // namespace

constinit const Op kMax{.name = "max",
                        .about =
                            "y = largest element, or along an axis; ties: the first has the "
                            "gradient",
                        .attributes = "axis:integer",
                        .shape = reduced_shape,
                        .forward = exact_forwards<Max>(),
                        .vjp = max_vjp,
                        .jvp = max_jvp,
                        .traits = {.chooses = true}};
constinit const Op kFirstMax{.name = "first_max",
                             .about = "1 at the first largest element, or along an axis, else 0",
                             .attributes = "axis:integer",
                             .shape = along_axis_shape,
                             .forward = exact_forwards<FirstMax>(),
                             .traits = {.discrete = true}};

Var max(Var a) { return append1(kMax, a); }
Var first_max(Var a) { return append1(kFirstMax, a); }

Var max(Var a, const Along& along) {
  if (along.axis == Along::kAll) return shaped(max(a), a, along);
  const int axis = checked_axis(kMax, a, along.axis);
  const Var kept = append1(kMax, a, {{"axis", std::int64_t{axis}}});
  return along.keep ? kept : reshape(kept, without_axis(a.shape(), axis, false));
}

// over nothing it is 0, and not -0
Var min(Var a, const Along& along) {
  if (along.axis != Along::kAll) checked_axis("min", a, along.axis);
  return a.shape().size() == 0 ? max(a, along) : -max(-a, along);
}
Var min(Var a) { return min(a, Along{}); }

}  // namespace taugrad
