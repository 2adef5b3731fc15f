#include "ops/gated.h"

#include <vector>

#include "ops/gated_derivatives.h"
#include "ops/kernel.h"
#include "taugrad/ops/gated.h"

// All of these are derivatives of one number,
//   T = sum over j <= i and d of  m[i,j] q[i,d] k[j,d] L[i,j,d],
// by m, by q, by k and by a, so that the derivatives of the first three are among them.
namespace taugrad {
namespace {

/// Lines of the gates' shape, and before them weights between the steps.
void require_lines(std::span<const Shape> in, std::size_t weights) {
  const Shape& a = in.back();
  require(a.rank() == 2 || a.rank() == 3, "wants lines [C,d] or stacks of them, not {}", a);
  const std::int64_t steps = a[a.rank() - 2];
  for (std::size_t i = 0; i < in.size(); ++i) {
    const Shape wanted = i < weights ? followed_by(leading(a, 2), {steps, steps}) : a;
    require(in[i] == wanted, "wants {} for gates {}, not {}", wanted, a, in[i]);
  }
}

Shape scores_shape(std::span<const Shape> in, const Attrs&) {
  require_lines(in, 0);
  const Shape& a = in[2];
  return followed_by(leading(a, 2), {a[a.rank() - 2], a[a.rank() - 2]});
}

Shape lines_shape(std::span<const Shape> in, const Attrs&) {
  require_lines(in, 1);
  return in.back();
}

// Line i of q goes back through the gates, from step to step.
struct Scores {
  template <class S>
  static void run(const Call<S>& c) {
    std::vector<S> left(static_cast<std::size_t>(chunk_sizes(*c.in[2].shape).width));
    each_head(c, [&](const ChunkSizes& s, const auto& x, S* y) {
      for (std::int64_t i = 0; i < s.steps; ++i, y += s.steps) {
        std::copy_n(x[0] + i * s.width, s.width, left.data());
        for (std::int64_t j = i + 1; j-- > 0;)
          y[j] = meet(left.data(), x[1] + j * s.width, x[2] + j * s.width, s.width);
        std::fill(y + i + 1, y + s.steps, S(0));
      }
    });
  }
  /// The sum of products, in chains side by side; then q passes the gates.
  template <class S>
  static S meet(S* q, const S* k, const S* a, std::int64_t n) {
    constexpr std::int64_t kChains = 8;
    S sums[kChains]{};
    std::int64_t at = 0;
    for (; at + kChains <= n; at += kChains)
      for (std::int64_t l = 0; l < kChains; ++l) {
        sums[l] += q[at + l] * k[at + l];
        q[at + l] *= a[at + l];
      }
    for (; at < n; ++at) {
      sums[0] += q[at] * k[at];
      q[at] *= a[at];
    }
    return ((sums[0] + sums[4]) + (sums[2] + sums[6])) +
           ((sums[1] + sums[5]) + (sums[3] + sums[7]));
  }
};

// By Horner's rule, from the farthest step on.
struct Sums {
  template <class S>
  static void run(const Call<S>& c) {
    const bool forwards = way_of(*c.attrs) == Way::forwards;
    each_head(c, [&](const ChunkSizes& s, const auto& x, S* y) {
      for (std::int64_t i = 0; i < s.steps; ++i, y += s.width)
        forwards ? before(s, i, x[0] + i * s.steps, x[1], x[2], y)
                 : after(s, i, x[0] + i, x[1], x[2], y);
    });
  }
  template <class S>
  static void before(const ChunkSizes& s, std::int64_t i, const S* m, const S* x, const S* a,
                     S* y) {
    weigh(y, m[0], x, s.width);
    for (std::int64_t j = 1; j <= i; ++j)
      pass(y, a + j * s.width, m[j], x + j * s.width, y, s.width);
  }
  template <class S>
  static void after(const ChunkSizes& s, std::int64_t j, const S* m, const S* x, const S* a, S* y) {
    weigh(y, m[(s.steps - 1) * s.steps], x + (s.steps - 1) * s.width, s.width);
    for (std::int64_t i = s.steps - 1; i-- > j;)
      pass(y, a + (i + 1) * s.width, m[i * s.steps], x + i * s.width, y, s.width);
  }
  template <class S>
  static void weigh(S* y, const S& m, const S* x, std::int64_t n) {
    for (std::int64_t at = 0; at < n; ++at) y[at] = m * x[at];
  }
  /// y = a r + m x
  template <class S>
  static void pass(const S* r, const S* a, const S& m, const S* x, S* y, std::int64_t n) {
    for (std::int64_t at = 0; at < n; ++at) y[at] = a[at] * r[at] + m * x[at];
  }
};

// With r[i,l] = sum over j < l of m[i,j] k[j] a[j+1] .. a[l-1], by Horner's rule, and
// p[i,l] = q[i] a[l+1] .. a[i]:  y[l] = sum over i >= l of p[i,l] r[i,l].
struct Slopes {
  template <class S>
  static void run(const Call<S>& c) {
    const ChunkSizes sizes = chunk_sizes(*c.in[3].shape);
    std::vector<S> sums(static_cast<std::size_t>(sizes.steps * sizes.width));
    std::vector<S> left(static_cast<std::size_t>(sizes.width));
    each_head(c, [&](const ChunkSizes& s, const auto& x, S* y) {
      std::fill_n(y, s.steps * s.width, S(0));
      for (std::int64_t i = 1; i < s.steps; ++i) {
        collect(s, i, x[0] + i * s.steps, x[2], x[3], sums.data());
        std::copy_n(x[1] + i * s.width, s.width, left.data());
        for (std::int64_t l = i; l > 0; --l)
          meet(left.data(), sums.data() + l * s.width, x[3] + l * s.width, y + l * s.width,
               s.width);
      }
    });
  }
  /// r[i,1] to r[i,i]
  template <class S>
  static void collect(const ChunkSizes& s, std::int64_t i, const S* m, const S* k, const S* a,
                      S* r) {
    Sums::weigh(r + s.width, m[0], k, s.width);
    for (std::int64_t l = 2; l <= i; ++l) {
      const std::int64_t at = (l - 1) * s.width;
      Sums::pass(r + at, a + at, m[l - 1], k + at, r + at + s.width, s.width);
    }
  }
  /// y += p r, and p passes the gates.
  template <class S>
  static void meet(S* p, const S* r, const S* a, S* y, std::int64_t n) {
    for (std::int64_t at = 0; at < n; ++at) {
      y[at] += p[at] * r[at];
      p[at] *= a[at];
    }
  }
};

Var added(Var sum, Var term) { return sum ? sum + term : term; }

// ---- derivatives

void scores_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const Var q = p.in[0], k = p.in[1], a = p.in[2];
  if (p.wants(0)) xbar[0] = gated_sums(ybar, k, a);
  if (p.wants(1)) xbar[1] = gated_sums(ybar, q, a, Way::backwards);
  if (p.wants(2)) xbar[2] = gated_slopes(ybar, q, k, a);
}
Var scores_jvp(const Primal& p, std::span<const Var> xdot) {
  const Var q = p.in[0], k = p.in[1], a = p.in[2];
  Var moved;
  if (xdot[0]) moved = gated_scores(xdot[0], k, a);
  if (xdot[1]) moved = added(moved, gated_scores(q, xdot[1], a));
  if (xdot[2]) moved = added(moved, Between(a).moved(xdot[2]).scores(q, k));
  return moved;
}

void sums_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const Var m = p.in[0], a = p.in[2];
  const bool forwards = way_of(p.attrs()) == Way::forwards;
  const Var q = forwards ? ybar : p.in[1], k = forwards ? p.in[1] : ybar;
  if (p.wants(0)) xbar[0] = gated_scores(q, k, a);
  if (p.wants(1)) xbar[1] = gated_sums(m, ybar, a, forwards ? Way::backwards : Way::forwards);
  if (p.wants(2)) xbar[2] = gated_slopes(m, q, k, a);
}
Var sums_jvp(const Primal& p, std::span<const Var> xdot) {
  const Var m = p.in[0], x = p.in[1], a = p.in[2];
  const Way way = way_of(p.attrs());
  Var moved;
  if (xdot[0]) moved = gated_sums(xdot[0], x, a, way);
  if (xdot[1]) moved = added(moved, gated_sums(m, xdot[1], a, way));
  if (xdot[2]) moved = added(moved, Between(a).moved(xdot[2]).sums(m, x, way));
  return moved;
}

// T is linear in m, q and k, and so are the slopes: with a' for ybar they are those of T'.
void slopes_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const Var m = p.in[0], q = p.in[1], k = p.in[2];
  const Between between(p.in[3]);
  const Stretches moved = between.moved(ybar);
  if (p.wants(0)) xbar[0] = moved.scores(q, k);
  if (p.wants(1)) xbar[1] = moved.sums(m, k, Way::forwards);
  if (p.wants(2)) xbar[2] = moved.sums(m, q, Way::backwards);
  if (p.wants(3)) xbar[3] = between.slopes_moved(ybar, weighed(m, q, k));
}
Var slopes_jvp(const Primal& p, std::span<const Var> xdot) {
  const Var m = p.in[0], q = p.in[1], k = p.in[2], a = p.in[3];
  Var moved;
  if (xdot[0]) moved = gated_slopes(xdot[0], q, k, a);
  if (xdot[1]) moved = added(moved, gated_slopes(m, xdot[1], k, a));
  if (xdot[2]) moved = added(moved, gated_slopes(m, q, xdot[2], a));
  if (xdot[3]) moved = added(moved, Between(a).slopes_moved(xdot[3], weighed(m, q, k)));
  return moved;
}

Attrs attrs_of(Way way) {
  return way == Way::forwards ? Attrs{} : Attrs{{"reverse", std::int64_t{1}}};
}

}  // namespace

constinit const Op kGatedScores{
    .name = "gated_scores",
    .about = "Y[i,j] = sum over d of q[i,d] k[j,d] a[j+1,d] .. a[i,d], 0 for j > i",
    .arity = 3,
    .shape = scores_shape,
    .forward = exact_forwards<Scores>(),
    .vjp = scores_vjp,
    .jvp = scores_jvp};

constinit const Op kGatedSums{.name = "gated_sums",
                              .about =
                                  "Y[i] = sum over j <= i of m[i,j] a[j+1] .. a[i] x[j], or Y[j] "
                                  "over i >= j of x[i] (reverse)",
                              .attributes = "reverse:flag",
                              .arity = 3,
                              .shape = lines_shape,
                              .forward = exact_forwards<Sums>(),
                              .vjp = sums_vjp,
                              .jvp = sums_jvp};

constinit const Op kGatedSlopes{
    .name = "gated_slopes",
    .about =
        "Y = the derivative by a of the sum of m[i,j] q[i,d] k[j,d] a[j+1,d] .. a[i,d], j <= i",
    .arity = 4,
    .shape = lines_shape,
    .forward = exact_forwards<Slopes>(),
    .vjp = slopes_vjp,
    .jvp = slopes_jvp};

Var gated_scores(Var q, Var k, Var a) { return a.tape->append(kGatedScores, Vars{q, k, a}); }
Var gated_sums(Var m, Var x, Var a, Way way) {
  return a.tape->append(kGatedSums, Vars{m, x, a}, attrs_of(way));
}
Var gated_slopes(Var m, Var q, Var k, Var a) {
  return a.tape->append(kGatedSlopes, Vars{m, q, k, a});
}

}  // namespace taugrad
