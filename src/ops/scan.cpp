#include "ops/gated.h"
#include "ops/kernel.h"
#include "taugrad/ops/gated.h"

// Recurrences of each number by itself, linear, along the first axis.
namespace taugrad {
namespace {

Shape scan_shape(std::span<const Shape> in, const Attrs&) {
  require(in[0].rank() >= 1 && in[0] == in[1], "wants steps of one shape: {} and {}", in[0], in[1]);
  return in[0];
}

struct Scan {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t steps = (*c.shape)[0], size = c.shape->size();
    if (size == 0) return;
    for (std::int64_t item = 0; item < c.items; ++item) {
      const S *a = row(c.in[0], item), *x = row(c.in[1], item);
      S* y = c.out + item * size;
      way_of(*c.attrs) == Way::forwards ? forwards(a, x, y, steps, size / steps)
                                        : backwards(a, x, y, steps, size / steps);
    }
  }
  template <class S>
  static void forwards(const S* a, const S* x, S* y, std::int64_t steps, std::int64_t n) {
    std::copy_n(x, n, y);
    for (std::int64_t at = n; at < steps * n; ++at) y[at] = a[at] * y[at - n] + x[at];
  }
  template <class S>
  static void backwards(const S* a, const S* x, S* y, std::int64_t steps, std::int64_t n) {
    std::copy_n(x + (steps - 1) * n, n, y + (steps - 1) * n);
    for (std::int64_t at = (steps - 1) * n; at-- > 0;) y[at] = x[at] + a[at + n] * y[at + n];
  }
};

/// Row i is row i - 1, the first one 0.
Var later(Var v) {
  const std::int64_t steps = v.shape()[0];
  return steps == 0 ? v : pad(slice(v, 0, steps - 1), 1, steps);
}
/// Row i is row i + 1, the last one 0.
Var earlier(Var v) {
  const std::int64_t steps = v.shape()[0];
  return steps == 0 ? v : pad(slice(v, 1, steps), 0, steps);
}

// X' goes the other way: X[i] = dY[i] + a[i+1] X[i+1];  da[i] = X[i] H[i-1]
void scan_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const bool forwards = way_of(p.attrs()) == Way::forwards;
  const Var back = scan(p.in[0], ybar, forwards ? Way::backwards : Way::forwards);
  if (p.wants(0)) xbar[0] = forwards ? back * later(p.out) : p.out * later(back);
  if (p.wants(1)) xbar[1] = back;
}

// H'[i] = a[i] H'[i-1] + a'[i] H[i-1] + x'[i]
Var scan_jvp(const Primal& p, std::span<const Var> xdot) {
  const Way way = way_of(p.attrs());
  Var moved = xdot[1];
  if (xdot[0]) {
    const Var by = way == Way::forwards ? xdot[0] * later(p.out) : earlier(xdot[0] * p.out);
    moved = moved ? moved + by : by;
  }
  return moved ? scan(p.in[0], moved, way) : Var{};
}

}  // namespace

constinit const Op kScan{
    .name = "scan",
    .about =
        "H[i] = a[i] H[i-1] + x[i], of the first axis, or H[i] = x[i] + a[i+1] H[i+1] (reverse)",
    .attributes = "reverse:flag",
    .arity = 2,
    .shape = scan_shape,
    .forward = exact_forwards<Scan>(),
    .vjp = scan_vjp,
    .jvp = scan_jvp};

Var scan(Var a, Var x, Way way) {
  return append2(kScan, a, x, way == Way::forwards ? Attrs{} : Attrs{{"reverse", std::int64_t{1}}});
}

}  // namespace taugrad
