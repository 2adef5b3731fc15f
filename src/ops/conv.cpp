#include "ops/kernel.h"
#include "ops/rules.h"

// Convolution at one position: a kernel K of taps, each a matrix, and one vector a tap.
namespace taugrad {
namespace {

// K is [w,m,n] or [w,w',m,n]: a row of matrices [m,n]
struct KernelSizes {
  std::int64_t taps, m, n;
};
KernelSizes sizes_of(const Shape& k) {
  const int r = k.rank();
  return {r == 4 ? k[0] * k[1] : k[0], k[r - 2], k[r - 1]};
}

Shape conv_shape(std::span<const Shape> in, const Attrs&) {
  require(in[0].rank() == 3 || in[0].rank() == 4, "wants a kernel [w,m,n] or [w,w',m,n], not {}",
          in[0]);
  const auto [taps, m, n] = sizes_of(in[0]);
  require(static_cast<std::int64_t>(in.size()) == taps + 1, "kernel {} has {} taps, {} were given",
          in[0], taps, in.size() - 1);
  for (const Shape& tap : in.subspan(1))
    require(tap == Shape{n}, "each tap of kernel {} is a vector [{}], not {}", in[0], n, tap);
  return {m};
}

// y = sum_d K[d] x_d, taps in row-major order
struct Convolution {
  template <class S>
  static void run(const Call<S>& c) {
    const auto [taps, m, n] = sizes_of(*c.in[0].shape);
    std::fill_n(c.out, c.items * m, S(0));
    for (std::int64_t item = 0; item < c.items; ++item)
      for (std::int64_t d = 0; d < taps; ++d) {
        const S* k = row(c.in[0], item) + d * m * n;
        const S* x = row(c.in[static_cast<std::size_t>(d) + 1], item);
        for (std::int64_t i = 0; i < m; ++i)
          for (std::int64_t j = 0; j < n; ++j) c.out[item * m + i] += k[i * n + j] * x[j];
      }
  }
};

// dK[d] = sum over items of ybar x_d^T
Var kernel_cotangent(const Primal& p, Var ybar) {
  const Var k = p.in[0];
  Vars parts;
  for (const Var& x : std::span(p.in).subspan(1))
    parts.push_back(!k.per_example() && (ybar.per_example() || x.per_example()) ? outer_sum(ybar, x)
                                                                                : outer(ybar, x));
  return reshape(stack(parts), k.shape());
}

// K with its taps along one axis, then the matrix of one of them
Var tap_matrix(Var k, std::int64_t d) {
  const auto [taps, m, n] = sizes_of(k.shape());
  const Var row = k.shape().rank() == 4 ? reshape(k, {taps, m, n}) : k;
  return reshape(slice(row, d, d + 1), {m, n});
}

void conv_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  if (sizes_of(p.in[0].shape()).taps == 0) return;
  if (p.wants(0)) xbar[0] = kernel_cotangent(p, ybar);
  for (std::size_t d = 1; d < xbar.size(); ++d)
    if (p.wants(d)) xbar[d] = matmul(ybar, tap_matrix(p.in[0], static_cast<std::int64_t>(d) - 1));
}

// linear in K, and jointly linear in the taps
Var conv_jvp(const Primal& p, std::span<const Var> xdot) {
  const std::span<const Var> taps = std::span(p.in).subspan(1);
  Vars terms, moved;
  if (xdot[0]) terms.push_back(conv(xdot[0], taps));
  for (std::size_t d = 1; d < xdot.size(); ++d)
    moved.push_back(xdot[d] ? xdot[d] : zeros_like(p.in[d]));
  if (std::any_of(xdot.begin() + 1, xdot.end(), [](Var v) { return static_cast<bool>(v); }))
    terms.push_back(conv(p.in[0], moved));
  return terms.size() == 1 ? terms[0] : add_n(terms);
}

}  // namespace

constinit const Op kConv{.name = "conv",
                         .about = "y = sum_d K[d] x_d: a convolution's value at one position",
                         .arity = kAnyArity,
                         .shape = conv_shape,
                         .forward = exact_forwards<Convolution>(),
                         .vjp = conv_vjp,
                         .jvp = conv_jvp,
                         .traits = {.bilinear = true}};

Var conv(Var k, std::span<const Var> taps) {
  Vars in{k};
  in.insert(in.end(), taps.begin(), taps.end());
  return taugrad::apply(kConv, in);
}

}  // namespace taugrad
