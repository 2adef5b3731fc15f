#include "ops/stacked.h"

#include <algorithm>

#include "ops/kernel.h"
#include "ops/rules.h"

// Products of stacks of matrices: the axes before the last two are those of the stack, and
// broadcast.
namespace taugrad {
namespace {

bool turned(const Attrs& attrs, std::string_view name) { return attrs.integer_or(name, 0) != 0; }

Shape stacked_shape(std::span<const Shape> in, const Attrs& attrs) {
  const Shape &a = in[0], &b = in[1];
  require(a.rank() >= 2 && b.rank() >= 2, "wants matrices or stacks of them: {} x {}", a, b);
  const StackedSizes s = stacked_sizes(a, b, attrs);
  require(s.k == s.inner_b, "inner sizes differ: {} x {} ({} != {})", a, b, s.k, s.inner_b);
  return followed_by(broadcast(leading(a, 2), leading(b, 2)), {s.m, s.n});
}

// Y = A B, each element one chain of multiply-adds in ascending k
struct StackedProduct {
  template <class S>
  static void run(const Call<S>& c) {
    each_matrix(c, [](const StackedSizes& s, const S* a, const S* b, S* y) {
      std::fill_n(y, s.m * s.n, S(0));
      // steps of rows and columns
      const std::int64_t ai = s.turned_a ? 1 : s.k, ak = s.turned_a ? s.m : 1;
      const std::int64_t bk = s.turned_b ? 1 : s.n, bj = s.turned_b ? s.k : 1;
      for (std::int64_t i = 0; i < s.m; ++i)
        for (std::int64_t l = 0; l < s.k; ++l)
          for (std::int64_t j = 0; j < s.n; ++j)
            y[i * s.n + j] += a[i * ai + l * ak] * b[l * bk + j * bj];
    });
  }
};

// Y = op(A) op(B):  d op(A) = dY op(B)^T,  d op(B) = op(A)^T dY
void stacked_vjp(const Primal& p, Var ybar, std::span<Var> xbar) {
  const Var a = p.in[0], b = p.in[1];
  const bool ta = turned(p.attrs(), "transpose_a"), tb = turned(p.attrs(), "transpose_b");
  if (p.wants(0))
    xbar[0] = sum_to(ta ? stacked_matmul(b, ybar, tb, true) : stacked_matmul(ybar, b, false, !tb),
                     a.shape());
  if (p.wants(1))
    xbar[1] = sum_to(tb ? stacked_matmul(ybar, a, true, ta) : stacked_matmul(a, ybar, !ta, false),
                     b.shape());
}

}  // namespace

StackedSizes stacked_sizes(const Shape& a, const Shape& b, const Attrs& attrs) {
  const bool ta = turned(attrs, "transpose_a"), tb = turned(attrs, "transpose_b");
  const int ra = a.rank(), rb = b.rank();
  return {ta ? a[ra - 1] : a[ra - 2],
          ta ? a[ra - 2] : a[ra - 1],
          tb ? b[rb - 2] : b[rb - 1],
          tb ? b[rb - 1] : b[rb - 2],
          ta,
          tb};
}

constinit const Op kStackedMatmul{
    .name = "stacked_matmul",
    .about = "Y = A B for stacks of matrices, leading axes broadcast (transpose_a, transpose_b)",
    .attributes = "transpose_a:flag transpose_b:flag",
    .arity = 2,
    .shape = stacked_shape,
    .forward = exact_forwards<StackedProduct>(),
    .vjp = stacked_vjp,
    .traits = {.bilinear = true}};

Var stacked_matmul(Var a, Var b, bool transpose_a, bool transpose_b) {
  Attrs attrs;
  if (transpose_a) attrs.set("transpose_a", std::int64_t{1});
  if (transpose_b) attrs.set("transpose_b", std::int64_t{1});
  return append2(kStackedMatmul, a, b, attrs);
}

namespace {

// a stack of matrices times one matrix or vector is one product of all their rows
Var rows_times(Var a, Var b) {
  const Shape& s = a.shape();
  const std::int64_t k = s[s.rank() - 1];
  const bool vector = b.shape().rank() == 1;
  const Shape lead = leading(s, 1);
  const Var y = append2(kMatmul, reshape(a, {lead.size(), k}), b);
  return reshape(y, vector ? lead : followed_by(lead, {b.shape()[1]}));
}

}  // namespace

Var matmul(Var a, Var b) {
  const int ra = a.shape().rank(), rb = b.shape().rank();
  if ((ra <= 2 && rb <= 2) || ra == 0 || rb == 0) return append2(kMatmul, a, b);
  if (rb <= 2) return rows_times(a, b);
  if (ra > 1) return stacked_matmul(a, b);
  const Var y = stacked_matmul(reshape(a, {1, a.shape()[0]}), b);
  const Shape lead = leading(y.shape(), 2);
  return reshape(y, followed_by(lead, {y.shape()[y.shape().rank() - 1]}));
}

Var outer(Var a, Var b) {
  const int ra = a.shape().rank(), rb = b.shape().rank();
  if (ra <= 1 && rb <= 1) return append2(kOuter, a, b);
  if (ra == 0 || rb == 0) return append2(kOuter, a, b);  // which says what is wrong
  const std::int64_t m = a.shape()[ra - 1], n = b.shape()[rb - 1];
  const Var row = reshape(b, followed_by(leading(b.shape(), 1), {1, n}));
  return reshape(a, followed_by(leading(a.shape(), 1), {m, 1})) * row;
}

Var matvec(Var a, Var x) {
  const int ra = a.shape().rank(), rx = x.shape().rank();
  require(ra >= 2 && rx >= 1, "matvec: wants a matrix and a vector: {} x {}", a.shape(), x.shape());
  if (rx == 1) return matmul(a, x);
  const Var y = stacked_matmul(a, reshape(x, followed_by(x.shape(), {1})));
  return reshape(y, leading(y.shape(), 1));
}

Var vecdot(Var a, Var b) {
  const int ra = a.shape().rank(), rb = b.shape().rank();
  require(ra >= 1 && rb >= 1, "vecdot: wants two vectors: {} . {}", a.shape(), b.shape());
  if (ra == 1 && rb == 1) return matmul(a, b);
  require(a.shape()[ra - 1] == b.shape()[rb - 1], "vecdot: the last axes differ: {} . {}",
          a.shape(), b.shape());
  return sum(a * b, Along{.axis = -1});
}

}  // namespace taugrad
