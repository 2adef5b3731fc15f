#include <optional>
#include <utility>

#include "base/index.h"
#include "kernels/gemm/lu.h"
#include "ops/kernel.h"
#include "ops/positions/item_fault.h"
#include "ops/rules.h"
#include "ops/stacked.h"

// Systems of linear equations, by LU with row pivots: LAPACK's in float and double; in complex and
// rational numbers the same by hand.
namespace taugrad {
namespace {

template <class S>
constexpr bool kLapack = std::is_floating_point_v<S>;

/// Whether |a| > |b|: the pivot is the largest.
template <class S>
bool larger(const S& a, const S& b) {
  return scalar::below(scalar::abs(S(scalar::real_part(b))), scalar::abs(S(scalar::real_part(a))));
}

/// A matrix [n,n] factored, P A = L U. It stands column by column.
template <class S>
class Factors {
 public:
  Factors(const S* a, std::int64_t n) : n_(n), a_(at(n * n)), pivots_(at(n)) {
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < n; ++j) entry(i, j) = a[i * n + j];
    if constexpr (kLapack<S>)
      regular_ = kernels::factor(n, a_.data(), pivots_.data());
    else
      factor();
  }
  bool regular() const { return regular_; }

  /// X with A X = b, or A^T X = b; b is row-major [n,columns], and so is X.
  void solve(const S* b, std::int64_t columns, bool transposed, S* x) {
    std::vector<S> y(at(n_ * columns));
    for (std::int64_t i = 0; i < n_; ++i)
      for (std::int64_t j = 0; j < columns; ++j) y[at(j * n_ + i)] = b[i * columns + j];
    if constexpr (kLapack<S>)
      kernels::solve_factored(n_, columns, a_.data(), pivots_.data(), transposed, y.data());
    else
      for (std::int64_t j = 0; j < columns; ++j)
        transposed ? backwards(y.data() + j * n_) : forwards(y.data() + j * n_);
    for (std::int64_t i = 0; i < n_; ++i)
      for (std::int64_t j = 0; j < columns; ++j) x[i * columns + j] = y[at(j * n_ + i)];
  }

  S log_magnitude() const {
    S total(0);
    for (std::int64_t i = 0; i < n_; ++i) total += scalar::log(scalar::abs(a_[at(i * n_ + i)]));
    return total;
  }

 private:
  S& entry(std::int64_t i, std::int64_t j) { return a_[at(j * n_ + i)]; }

  void factor() {
    for (std::int64_t k = 0; k < n_; ++k) {
      std::int64_t pivot = k;
      for (std::int64_t i = k + 1; i < n_; ++i)
        if (larger(entry(i, k), entry(pivot, k))) pivot = i;
      pivots_[at(k)] = static_cast<std::int32_t>(pivot + 1);
      regular_ = regular_ && !scalar::is_zero(S(scalar::real_part(entry(pivot, k))));
      if (!regular_) return;
      for (std::int64_t j = 0; j < n_ && pivot != k; ++j) std::swap(entry(k, j), entry(pivot, j));
      for (std::int64_t i = k + 1; i < n_; ++i) {
        entry(i, k) /= entry(k, k);
        for (std::int64_t j = k + 1; j < n_; ++j) entry(i, j) -= entry(i, k) * entry(k, j);
      }
    }
  }
  void forwards(S* y) {
    for (std::int64_t k = 0; k < n_; ++k) std::swap(y[k], y[pivots_[at(k)] - 1]);
    for (std::int64_t i = 0; i < n_; ++i)
      for (std::int64_t j = 0; j < i; ++j) y[i] -= entry(i, j) * y[j];
    for (std::int64_t i = n_; i-- > 0; y[i] /= entry(i, i))
      for (std::int64_t j = i + 1; j < n_; ++j) y[i] -= entry(i, j) * y[j];
  }
  void backwards(S* y) {
    for (std::int64_t i = 0; i < n_; ++i) {
      for (std::int64_t j = 0; j < i; ++j) y[i] -= entry(j, i) * y[j];
      y[i] /= entry(i, i);
    }
    for (std::int64_t i = n_; i-- > 0;)
      for (std::int64_t j = i + 1; j < n_; ++j) y[i] -= entry(j, i) * y[j];
    for (std::int64_t k = n_; k-- > 0;) std::swap(y[k], y[pivots_[at(k)] - 1]);
  }

  std::int64_t n_;
  std::vector<S> a_;
  std::vector<std::int32_t> pivots_;
  bool regular_ = true;
};

void require_regular(bool regular, std::int64_t item) {
  if (!regular)
    throw ItemFault(Status::numerical, "N005", "a singular matrix",
                    "add a small multiple of eye(m) where it may be singular", item);
}

/// Of a vector [..,m] or a matrix [..,m,n] on the right.
struct Right {
  int core;
  std::int64_t columns;
};
Right right_of(const Shape& a, const Shape& b) {
  if (b.rank() < a.rank()) return {1, 1};
  return {2, b[b.rank() - 1]};
}

void require_square(const Shape& a) {
  require(a.rank() >= 2 && a[a.rank() - 1] == a[a.rank() - 2], "wants a square matrix, not {}", a);
}

Shape solve_shape(std::span<const Shape> in, const Attrs&) {
  const Shape &a = in[0], &b = in[1];
  require_square(a);
  require(b.rank() >= 1, "wants a vector or a matrix on the right, not {}", b);
  const Right right = right_of(a, b);
  const std::int64_t m = a[a.rank() - 1];
  require(b[b.rank() - right.core] == m, "{} equations do not fit a right side of {}", m, b);
  const Shape lead = broadcast(leading(a, 2), leading(b, right.core));
  return right.core == 1 ? followed_by(lead, {m}) : followed_by(lead, {m, right.columns});
}

/// Matrices that several right sides share are factored once.
struct Solve {
  template <class S>
  static void run(const Call<S>& c) {
    const Shape &a = *c.in[0].shape, &b = *c.in[1].shape;
    const Right right = right_of(a, b);
    const std::int64_t m = a[a.rank() - 1], size = m * right.columns;
    const Shape lead = leading(*c.shape, right.core);
    const StackPlaces in_a(a, 2, lead), in_b(b, right.core, lead);
    const S* factored = nullptr;
    std::optional<Factors<S>> factors;
    for (std::int64_t item = 0; item < c.items; ++item)
      for (std::int64_t place = 0; place < in_a.count(); ++place) {
        const S* matrix = row(c.in[0], item) + in_a[place] * m * m;
        if (matrix != factored) factors.emplace(factored = matrix, m);
        require_regular(factors->regular(), item);
        factors->solve(row(c.in[1], item) + in_b[place] * size, right.columns, turned(*c.attrs),
                       c.out + (item * in_a.count() + place) * size);
      }
  }
};

/// The last two axes change places.
Var turn(Var a) {
  std::vector<int> axes;
  for (int i = 0; i < a.shape().rank(); ++i) axes.push_back(i);
  std::swap(axes.end()[-1], axes.end()[-2]);
  return transpose(a, axes);
}

/// a b^T of vectors of an item; of a shared matrix summed over the items at once.
Var product(Var of, Var a, Var b, bool vectors) {
  if (!vectors)
    return a.shape().rank() == 2 ? matmul(a, transpose(b)) : stacked_matmul(a, b, false, true);
  const bool sums = !of.per_example() && (a.per_example() || b.per_example());
  return sums && a.shape().rank() == 1 ? outer_sum(a, b) : outer(a, b);
}

// op(A) X = b:  db = op(A)^-T dX,  d op(A) = -db X^T
void solve_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const Var a = p.in[0], b = p.in[1];
  const bool vectors = b.shape().rank() < a.shape().rank();
  const Var g = solve(a, ybar, !turned(p.attrs()));
  if (p.wants(0))
    xbar[0] =
        sum_to(turned(p.attrs()) ? product(a, -p.out, g, vectors) : product(a, -g, p.out, vectors),
               a.shape());
  if (p.wants(1)) xbar[1] = sum_to(g, b.shape());
}

// X' = op(A)^-1 (b' - op(A') X)
Var solve_jvp(const Primal& p, std::span<const Var> xdot) {
  const Var a = p.in[0];
  Var right = xdot[1];
  if (xdot[0]) {
    const Var moved = turned(p.attrs()) ? turn(xdot[0]) : xdot[0];
    const bool vectors = p.in[1].shape().rank() < a.shape().rank();
    const Var by = vectors ? matvec(moved, p.out) : matmul(moved, p.out);
    right = right ? right - by : -by;
  }
  return right ? solve(a, right, turned(p.attrs())) : Var{};
}

Shape logdet_shape(std::span<const Shape> in, const Attrs&) {
  require_square(in[0]);
  return leading(in[0], 2);
}

struct Logdet {
  template <class S>
  static void run(const Call<S>& c) {
    const Shape& a = *c.in[0].shape;
    const std::int64_t m = a[a.rank() - 1], count = c.shape->size();
    for (std::int64_t item = 0; item < c.items; ++item)
      for (std::int64_t place = 0; place < count; ++place) {
        const Factors<S> factors(row(c.in[0], item) + place * m * m, m);
        require_regular(factors.regular(), item);
        c.out[item * count + place] = factors.log_magnitude();
      }
  }
};

/// A^-T
Var inverse_turned(Var a) {
  const std::int64_t m = a.shape()[a.shape().rank() - 1];
  return solve(a, broadcast_to(eye(*a.tape, m), a.shape()), true);
}
Var with_core(Var number) { return reshape(number, followed_by(number.shape(), {1, 1})); }
void logdet_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const Var inverse = inverse_turned(p.in[0]);
  xbar[0] = broadcast_to(with_core(ybar), p.in[0].shape()) * inverse;
}
Var logdet_jvp(const Primal& p, std::span<const Var> xdot) {
  const Var moved = xdot[0] * inverse_turned(p.in[0]);
  return reshape(sum_to(moved, followed_by(p.out.shape(), {1, 1})), p.out.shape());
}

}  // namespace

constinit const Op kSolve{.name = "solve",
                          .about = "X with A X = b (A^T X = b: transposed), by LU with pivots",
                          .attributes = "transposed:flag",
                          .arity = 2,
                          .shape = solve_shape,
                          .forward = exact_forwards<Solve>(),
                          .vjp = solve_vjp,
                          .jvp = solve_jvp,
                          .traits = {.faults = true}};
constinit const Op kLogdet{.name = "logdet",
                           .about = "y = ln |det A|, by LU with pivots;  y' = A^-T",
                           .shape = logdet_shape,
                           .forward = forwards<Logdet>(),
                           .vjp = logdet_vjp,
                           .jvp = logdet_jvp,
                           .traits = {.faults = true}};

Var solve(Var a, Var b, bool transposed) {
  return append2(kSolve, a, b, transposed ? Attrs{{"transposed", std::int64_t{1}}} : Attrs{});
}
Var logdet(Var a) { return append1(kLogdet, a); }

}  // namespace taugrad
