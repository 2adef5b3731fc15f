#include "taugrad/ops/decays.h"

#include "ops/kernel.h"
#include "ops/rules.h"

// What the steps of a chunk forget of each other: products of gates that lie between two of them.
namespace taugrad {
namespace {

std::int64_t lag_of(const Attrs& attrs) { return attrs.integer_or("lag", 0); }

Shape decays_shape(std::span<const Shape> in, const Attrs& attrs) {
  const Shape& a = in[0];
  require(a.rank() >= 1, "wants a vector of gates, not a number");
  require(lag_of(attrs) == 0 || lag_of(attrs) == 1, "the attribute \"lag\" is 0 or 1");
  const std::int64_t n = a[a.rank() - 1];
  return followed_by(leading(a, 1), {n, n});
}

// Row after row: Y[i][j] = a[i - lag] Y[i-1][j], and 1 where no gate lies between.
struct Decays {
  template <class S>
  static void run(const Call<S>& c) {
    const Shape& shape = *c.in[0].shape;
    const std::int64_t n = shape[shape.rank() - 1], size = shape.size(), lag = lag_of(*c.attrs);
    for (std::int64_t item = 0; item < c.items; ++item)
      for (std::int64_t at = 0; at < size; at += n)
        rows(row(c.in[0], item) + at, n, lag, c.out + (item * size + at) * n);
  }
  template <class S>
  static void rows(const S* a, std::int64_t n, std::int64_t lag, S* y) {
    for (std::int64_t i = 0; i < n; ++i, y += n) {
      const std::int64_t last = i - lag;
      for (std::int64_t j = 0; j < last; ++j) y[j] = a[last] * (y - n)[j];
      if (last >= 0) y[last] = S(1);
      std::fill(y + last + 1, y + n, S(0));
    }
  }
};

/// The products that end before a step.
Var before(const Primal& p) { return lag_of(p.attrs()) == 1 ? p.out : decays(p.in[0], 1); }

// a[l] stands in Y[i][j] between Y[i][l] and N[l][j], where N has lag 1:
//   dY[i][j] / da[l] = Y[i][l] N[l][j]
void decays_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const Var met = stacked_matmul(p.out, ybar, true);
  xbar[0] = sum(met * before(p), Along{.axis = -1});
}

Var decays_jvp(const Primal& p, std::span<const Var> xdot) {
  const Shape& s = xdot[0].shape();
  const Var row = reshape(xdot[0], followed_by(leading(s, 1), {1, s[s.rank() - 1]}));
  return stacked_matmul(p.out * row, before(p));
}

}  // namespace

constinit const Op kDecays{
    .name = "decays",
    .about = "Y[i,j] = a[j+1] .. a[i-lag], 1 for i - lag = j, 0 for i - lag < j, of the last axis",
    .attributes = "lag:integer",
    .shape = decays_shape,
    .forward = exact_forwards<Decays>(),
    .vjp = decays_vjp,
    .jvp = decays_jvp};

Var decays(Var a, std::int64_t lag) {
  return append1(kDecays, a, lag == 0 ? Attrs{} : Attrs{{"lag", lag}});
}

}  // namespace taugrad
