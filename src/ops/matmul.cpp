#include "ops/kernel.h"
#include "ops/rules.h"

// Products of matrices and vectors, each side per example or not.
namespace taugrad {
namespace {

// NumPy's matmul: a vector on the left is a row, on the right a column, and loses its axis again.
struct Sizes {
  std::int64_t m, k, n;
};
Sizes sizes_of(const Shape& a, const Shape& b) {
  return {a.rank() == 2 ? a[0] : 1, b[0], b.rank() == 2 ? b[1] : 1};
}

Shape matmul_shape(std::span<const Shape> in, const Attrs&) {
  const Shape &a = in[0], &b = in[1];
  require(a.rank() >= 1 && a.rank() <= 2 && b.rank() >= 1 && b.rank() <= 2,
          "wants vectors or matrices: {} x {}", a, b);
  const std::int64_t inner = a[a.rank() - 1];
  require(inner == b[0], "inner sizes differ: {} x {} ({} != {})", a, b, inner, b[0]);
  if (a.rank() == 2) return b.rank() == 2 ? Shape{a[0], b[1]} : Shape{a[0]};
  return b.rank() == 2 ? Shape{b[1]} : Shape{};
}

// Y = A B, each element one chain of multiply-adds in ascending k
struct Product {
  template <class S>
  static void run(const Call<S>& c) {
    const auto [m, k, n] = sizes_of(*c.in[0].shape, *c.in[1].shape);
    each_item(c, [&, m = m, k = k, n = n](std::int64_t item) {
      const S *a = row(c.in[0], item), *b = row(c.in[1], item);
      S* y = c.out + item * m * n;
      std::fill_n(y, m * n, S(0));
      for (std::int64_t i = 0; i < m; ++i)
        for (std::int64_t l = 0; l < k; ++l)
          for (std::int64_t j = 0; j < n; ++j) y[i * n + j] += a[i * k + l] * b[l * n + j];
    });
  }
};

struct Outer {
  template <class S>
  static void add(const S* a, std::int64_t m, const S* b, std::int64_t n, S* y) {
    for (std::int64_t i = 0; i < m; ++i)
      for (std::int64_t j = 0; j < n; ++j) y[i * n + j] += a[i] * b[j];
  }
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t m = (*c.shape)[0], n = (*c.shape)[1];
    std::fill_n(c.out, c.items * m * n, S(0));
    each_item(c, [&](std::int64_t item) {
      add(row(c.in[0], item), m, row(c.in[1], item), n, c.out + item * m * n);
    });
  }
};

struct OuterSum {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t m = (*c.shape)[0], n = (*c.shape)[1], items = summed_items(c);
    std::fill_n(c.out, m * n, S(0));
    for (std::int64_t item = 0; item < items; ++item)
      Outer::add(row(c.in[0], item), m, row(c.in[1], item), n, c.out);
  }
};

Shape outer_shape(std::span<const Shape> in, const Attrs&) {
  require(in[0].rank() == 1 && in[1].rank() == 1, "wants two vectors, not {} and {}", in[0], in[1]);
  return {in[0][0], in[1][0]};
}

// Cotangent of a matrix from two vectors; of a shared matrix summed over the items at once (eq
// 23-25)
Var matrix_cotangent(Var of, Var a, Var b) {
  return !of.per_example() && (a.per_example() || b.per_example()) ? outer_sum(a, b) : outer(a, b);
}

// Y = A B:  dA = dY B^T,  dB = A^T dY, in the ranks at hand
Var matmul_cotangent(const Primal& p, std::size_t i, Var ybar) {
  const Var a = p.in[0], b = p.in[1];
  if (a.shape().rank() == 1 && b.shape().rank() == 1)
    return broadcast_to(ybar, a.shape()) * (i == 0 ? b : a);
  if (b.shape().rank() == 1) return i == 0 ? matrix_cotangent(a, ybar, b) : matmul(ybar, a);
  if (a.shape().rank() == 1) return i == 0 ? matmul(b, ybar) : matrix_cotangent(b, a, ybar);
  return i == 0 ? matmul(ybar, transpose(b)) : matmul(transpose(a), ybar);
}

Var outer_cotangent(const Primal& p, std::size_t i, Var ybar) {
  return i == 0 ? matmul(ybar, p.in[1]) : matmul(p.in[0], ybar);
}

template <Var (*cotangent)(const Primal&, std::size_t, Var)>
void product_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  for (std::size_t i = 0; i < 2; ++i)
    if (p.wants(i)) xbar[i] = cotangent(p, i, ybar);
}

}  // namespace

constinit const Op kMatmul{.name = "matmul",
                           .about = "Y = A B for vectors and matrices;  dA = dY B^T, dB = A^T dY",
                           .arity = 2,
                           .shape = matmul_shape,
                           .forward = exact_forwards<Product>(),
                           .vjp = product_vjp<matmul_cotangent>,
                           .traits = {.bilinear = true}};
constinit const Op kOuter{.name = "outer",
                          .about = "Y = a b^T",
                          .arity = 2,
                          .shape = outer_shape,
                          .forward = exact_forwards<Outer>(),
                          .vjp = product_vjp<outer_cotangent>,
                          .traits = {.bilinear = true}};
constinit const Op kOuterSum{.name = "outer_sum",
                             .about = "Y = sum over the items of a b^T (eq 23-25)",
                             .arity = 2,
                             .shape = outer_shape,
                             .forward = exact_forwards<OuterSum>(),
                             .vjp = product_vjp<outer_cotangent>,
                             .traits = {.bilinear = true, .sums_items = true}};

Var outer_sum(Var a, Var b) { return append2(kOuterSum, a, b); }

}  // namespace taugrad
