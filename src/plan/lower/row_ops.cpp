#include "plan/lower/row_ops.h"

#include <type_traits>

#include "kernels/gemm/gemm.h"
#include "kernels/rows/row_gates.h"
#include "kernels/rows/row_math.h"
#include "kernels/rows/row_solve.h"
#include "ops/gated.h"
#include "ops/stacked.h"
#include "ops/triangular.h"
#include "taugrad/ops/gated.h"
#include "taugrad/ops/records.h"
#include "taugrad/ops/triangular.h"

namespace taugrad::plan {
namespace {

template <class S>
using RowsToRows = void (*)(std::int64_t, const S*, std::int64_t, std::int64_t, S*, std::int64_t);

/// Along the last axis: a row of a matrix is a row of its own.
template <class S, RowsToRows<S> kernel>
void last_axis(const Call<S>& c) {
  const Operand<S>& x = c.in[0];
  const std::int64_t n = (*c.shape)[c.shape->rank() - 1], size = c.shape->size();
  if (n == 0) return;
  if (size == n) return kernel(c.items, x.data, x.stride, n, c.out, n);
  for (std::int64_t item = 0; item < c.items; ++item)
    kernel(size / n, x.data + item * x.stride, n, n, c.out + item * size, n);
}

/// Of a whole example.
template <class S, RowsToRows<S> kernel>
void to_number(const Call<S>& c) {
  kernel(c.items, c.in[0].data, c.in[0].stride, c.in[0].shape->size(), c.out, 1);
}

template <class S>
using Likelihood = void (*)(std::int64_t, const S*, std::int64_t, std::int64_t, const S*,
                            std::int64_t, S*, std::int64_t);

template <class S, Likelihood<S> kernel>
void likelihood(const Call<S>& c) {
  const Operand<S>&x = c.in[0], &y = c.in[1];
  kernel(c.items, x.data, x.stride, x.shape->size(), y.data, y.stride, c.out, 1);
}

/// Small matrices by the op's own rule: calling BLAS takes longer.
template <class S>
void stacked(const Call<S>& c) {
  constexpr std::int64_t kSmall = 256;
  const StackedSizes sizes = stacked_sizes(*c.in[0].shape, *c.in[1].shape, *c.attrs);
  if (sizes.m * sizes.n * sizes.k < kSmall) {
    if constexpr (std::is_same_v<S, float>)
      return kStackedMatmul.forward.f32(c);
    else
      return kStackedMatmul.forward.f64(c);
  }
  each_matrix(c, [](const StackedSizes& s, const S* a, const S* b, S* y) {
    kernels::gemm<S>(s.m, s.n, s.k, {a, s.turned_a ? s.m : s.k, s.turned_a},
                     {b, s.turned_b ? s.k : s.n, s.turned_b}, false, y, s.n);
  });
}

kernels::GatedSizes head_of(const ChunkSizes& s) { return {s.steps, s.width}; }

template <class S>
void gated_scores(const Call<S>& c) {
  each_head(c, [](const ChunkSizes& s, const auto& x, S* y) {
    kernels::gated_rows<S>().scores(head_of(s), x[0], x[1], x[2], y);
  });
}
template <class S>
void gated_sums(const Call<S>& c) {
  const kernels::GatedRows<S>& rows = kernels::gated_rows<S>();
  const auto sums = c.attrs->integer_or("reverse", 0) != 0 ? rows.sums_back : rows.sums;
  each_head(
      c, [&](const ChunkSizes& s, const auto& x, S* y) { sums(head_of(s), x[0], x[1], x[2], y); });
}
template <class S>
void gated_slopes(const Call<S>& c) {
  each_head(c, [](const ChunkSizes& s, const auto& x, S* y) {
    kernels::gated_rows<S>().slopes(head_of(s), x[0], x[1], x[2], x[3], y);
  });
}

template <class S>
void solve_unit_lower(const Call<S>& c) {
  const bool transposed = c.attrs->integer_or("transposed", 0) != 0;
  each_system(c, [&](const TriangularSizes& s, const S* a, const S* b, S* x) {
    kernels::solve_unit_lower(s.size, s.columns, a, transposed, b, x);
  });
}

template <class S>
struct RowOp {
  const Op* op;
  Forward<S> forward;
};

template <class S>
constexpr RowOp<S> kRowOps[] = {
    {&kSoftmax, &last_axis<S, kernels::softmax_rows<S>>},
    {&kLogSoftmax, &last_axis<S, kernels::log_softmax_rows<S>>},
    {&kCentre, &last_axis<S, kernels::centre_rows<S>>},
    {&kNormalize, &last_axis<S, kernels::normalize_rows<S>>},
    {&kSum, &to_number<S, kernels::sum_rows<S>>},
    {&kMean, &to_number<S, kernels::mean_rows<S>>},
    {&kMax, &to_number<S, kernels::max_rows<S>>},
    {&kStackedMatmul, &stacked<S>},
    {&kGatedScores, &gated_scores<S>},
    {&kGatedSums, &gated_sums<S>},
    {&kGatedSlopes, &gated_slopes<S>},
    {&kSolveUnitLower, &solve_unit_lower<S>},
    {&kNllCategorical, &likelihood<S, kernels::nll_rows<S>>},
    {&kNllCategoricalP, &likelihood<S, kernels::nll_p_rows<S>>},
};

}  // namespace

template <class S>
Forward<S> forward_of(const Op& op, const Attrs& attrs) {
  for (const RowOp<S>& row : kRowOps<S>)
    if (row.op == &op && !attrs.has("axis")) return row.forward;  // of whole rows only
  if constexpr (std::is_same_v<S, float>)
    return op.forward.f32;
  else
    return op.forward.f64;
}

template Forward<float> forward_of(const Op&, const Attrs&);
template Forward<double> forward_of(const Op&, const Attrs&);

}  // namespace taugrad::plan
