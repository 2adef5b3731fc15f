// Sums over the items of a batch: what gradients of weights are made of.
#include <algorithm>

#include "exec/kernels.h"
#include "kernels/gemm.h"
#include "ops/kernel.h"

namespace taugrad::exec {

template <class S>
void Kernels<S>::outer_sum(const Step<S>& step, Machine<S>& machine) {
  const ValueId a = machine.operand(step, 0), b = machine.operand(step, 1);
  const Value &x = machine.place(a), &w = machine.place(b);
  const std::int64_t m = x.elements, n = w.elements, items = machine.rows(step.work_extent);
  S* out = machine.data(step.out);
  if (x.stride > 0 && w.stride > 0) {
    kernels::gemm<S>(m, n, items, {machine.data(a), x.stride, true},
                     {machine.data(b), w.stride, false}, step.accumulate, out, n);
    return;
  }
  // the same row for every item: not a matrix as BLAS sees them
  if (!step.accumulate) std::fill_n(out, m * n, S(0));
  for (std::int64_t i = 0; i < items; ++i)
    kernels::gemm<S>(m, n, 1, {machine.data(a) + i * x.stride, m, true},
                     {machine.data(b) + i * w.stride, n, false}, true, out, n);
}

template <class S>
void Kernels<S>::scatter_rows(const Step<S>& step, Machine<S>& machine) {
  const ValueId category = machine.operand(step, 0), rows = machine.operand(step, 1);
  const Value &c = machine.place(category), &x = machine.place(rows), &y = machine.place(step.out);
  const std::int64_t n = x.elements, size = machine.shape(step.out)[0];
  S* out = machine.data(step.out);
  if (!step.accumulate) std::fill_n(out, y.elements, S(0));
  for (std::int64_t i = 0; i < machine.rows(step.work_extent); ++i) {
    const std::int64_t k = category_of(machine.data(category)[i * c.stride], size);
    if (k < 0) continue;
    const S* from = machine.data(rows) + i * x.stride;
    S* to = out + k * n;
    for (std::int64_t j = 0; j < n; ++j) to[j] += from[j];
  }
}

template <class S>
void Kernels<S>::sum_items(const Step<S>& step, Machine<S>& machine) {
  const ValueId rows = machine.operand(step, 0);
  const Value& x = machine.place(rows);
  S* out = machine.data(step.out);
  if (!step.accumulate) std::fill_n(out, x.elements, S(0));
  for (std::int64_t i = 0; i < machine.rows(step.work_extent); ++i) {
    const S* from = machine.data(rows) + i * x.stride;
    for (std::int64_t j = 0; j < x.elements; ++j) out[j] += from[j];
  }
}

// the members that are defined here
template struct Kernels<float>;
template struct Kernels<double>;

}  // namespace taugrad::exec
