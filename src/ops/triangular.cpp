#include "ops/triangular.h"

#include "ops/kernel.h"
#include "taugrad/ops/decays.h"
#include "taugrad/ops/triangular.h"

namespace taugrad {
namespace {

Shape system_shape(std::span<const Shape> in, const Attrs&) {
  const Shape &a = in[0], &b = in[1];
  require(b.rank() >= 2, "wants a matrix on the right or a stack of them, not {}", b);
  const std::int64_t n = b[b.rank() - 2];
  const Shape wanted = followed_by(leading(b, 2), {n, n});
  require(a == wanted, "wants {} for a right side of {}, not {}", wanted, b, a);
  return b;
}

// Row after row, of the transpose from the last one on.
struct Substitution {
  template <class S>
  static void run(const Call<S>& c) {
    const bool back = turned(*c.attrs);
    each_system(c, [&](const TriangularSizes& s, const S* a, const S* b, S* x) {
      std::copy_n(b, s.size * s.columns, x);
      for (std::int64_t done = 0; done < s.size; ++done) {
        const std::int64_t i = back ? s.size - 1 - done : done;
        for (std::int64_t before = 0; before < done; ++before) {
          const std::int64_t j = back ? s.size - 1 - before : before;
          const S& by = back ? a[j * s.size + i] : a[i * s.size + j];
          for (std::int64_t l = 0; l < s.columns; ++l)
            x[i * s.columns + l] -= by * x[j * s.columns + l];
        }
      }
    });
  }
};

/// What stands below the diagonals of [..,C,C].
Var below_diagonal(Var a) {
  const std::int64_t n = a.shape()[a.shape().rank() - 1];
  return a * decays(constant(*a.tape, 1, {n}), 1);
}

// op(I + A) X = B:  dB = op(I + A)^-T dX,  d op(A) = -dB X^T below the diagonal
void system_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const bool back = turned(p.attrs());
  const Var g = solve_unit_lower(p.in[0], ybar, !back);
  if (p.wants(0))
    xbar[0] = below_diagonal(
        -(back ? stacked_matmul(p.out, g, false, true) : stacked_matmul(g, p.out, false, true)));
  if (p.wants(1)) xbar[1] = g;
}

// X' = op(I + A)^-1 (B' - op(A') X)
Var system_jvp(const Primal& p, std::span<const Var> xdot) {
  const bool back = turned(p.attrs());
  Var right = xdot[1];
  if (xdot[0]) {
    const Var by = stacked_matmul(below_diagonal(xdot[0]), p.out, back);
    right = right ? right - by : -by;
  }
  return right ? solve_unit_lower(p.in[0], right, back) : Var{};
}

}  // namespace

constinit const Op kSolveUnitLower{
    .name = "solve_unit_lower",
    .about = "X with (I + A) X = B, of A what is below its diagonal ((I + A)^T X = B: transposed)",
    .attributes = "transposed:flag",
    .arity = 2,
    .shape = system_shape,
    .forward = exact_forwards<Substitution>(),
    .vjp = system_vjp,
    .jvp = system_jvp};

Var solve_unit_lower(Var a, Var b, bool transposed) {
  return append2(kSolveUnitLower, a, b,
                 transposed ? Attrs{{"transposed", std::int64_t{1}}} : Attrs{});
}

}  // namespace taugrad
