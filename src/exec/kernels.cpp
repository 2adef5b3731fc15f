#include "exec/kernels.h"

#include <algorithm>

#include "kernels/gemm.h"

namespace taugrad::exec {
namespace {

/// out (+)= a B for all rows of `a`, each of them some rows of length K.
template <class S>
void rows_times(Machine<S>& machine, ValueId a, std::int32_t panels, ValueId out, bool accumulate) {
  const kernels::Panels<S>& b = machine.panels(panels);
  const Value& x = machine.place(a);
  const Value& y = machine.place(out);
  const std::int64_t k = b.rows(), n = b.columns(), items = machine.rows(y.extent);
  const std::int64_t inner = n == 0 ? 0 : y.elements / n;  // rows of one item
  const S* from = machine.data(a);
  S* to = machine.data(out);
  if (inner == 1 || x.stride == inner * k) {
    kernels::multiply_rows(items * inner, from, inner == 1 ? x.stride : k, b, accumulate, to, n);
    return;
  }
  for (std::int64_t i = 0; i < items; ++i)
    kernels::multiply_rows(inner, from + i * x.stride, k, b, accumulate, to + i * y.stride, n);
}

}  // namespace

template <class S>
void Kernels<S>::forward(const Step<S>& step, Machine<S>& machine) {
  const Plan<S>& plan = machine.plan();
  std::vector<Operand<S>>& in = machine.scratch();
  for (std::uint32_t i = 0; i < step.operand_count; ++i) {
    const ValueId id = machine.operand(step, i);
    const Value& x = machine.place(id);
    in[i] = {machine.data(id), &machine.shape(id), x.stride, x.extent, machine.rows(x.extent)};
  }
  const Value& y = machine.place(step.out);
  Call<S> call{.in = {in.data(), step.operand_count},
               .out = machine.data(step.out),
               .shape = &machine.shape(step.out),
               .items = machine.rows(y.extent),
               .extent = y.extent,
               .attrs = &plan.attrs[step.attrs],
               .batch = &machine.context()};
  if (step.owner >= 0) {
    const Owner& owner = plan.owners[static_cast<std::size_t>(step.owner)];
    call.name = owner.name;
    call.index = owner.index;
  }
  step.forward(call);
}

template <class S>
void Kernels<S>::pack(const Step<S>& step, Machine<S>& machine) {
  const PackedMatrix& m = machine.plan().panels[static_cast<std::size_t>(step.panels)];
  machine.panels(step.panels)
      .fill(machine.data(machine.operand(step, 0)) + m.offset, m.row_step, m.column_step);
}

template <class S>
void Kernels<S>::rows(const Step<S>& step, Machine<S>& machine) {
  rows_times(machine, machine.operand(step, 0), step.panels, step.out, false);
}

template <class S>
void Kernels<S>::taps(const Step<S>& step, Machine<S>& machine) {
  for (std::uint32_t d = 0; d < step.operand_count; ++d)
    rows_times(machine, machine.operand(step, d), step.panels + static_cast<std::int32_t>(d),
               step.out, d > 0);
}

template <class S>
void Kernels<S>::each(const Step<S>& step, Machine<S>& machine) {
  const ValueId a = machine.operand(step, 0), b = machine.operand(step, 1);
  const Value &x = machine.place(a), &w = machine.place(b), &y = machine.place(step.out);
  const bool ta = (step.transposed & 1) != 0, tb = (step.transposed & 2) != 0;
  const Shape &s = machine.shape(a), &r = machine.shape(b), &out = machine.shape(step.out);
  for (std::int64_t i = 0; i < machine.rows(y.extent); ++i)
    kernels::gemm<S>(out[0], out[1], ta ? s[0] : s[1], {machine.data(a) + i * x.stride, s[1], ta},
                     {machine.data(b) + i * w.stride, r[1], tb}, false,
                     machine.data(step.out) + i * y.stride, out[1]);
}

template <class S>
void Kernels<S>::add(const Step<S>& step, Machine<S>& machine) {
  constexpr std::int64_t kTile = 512;
  S sum[kTile];  // all operands are read before the result is written: it may lie on any of them
  const Value& y = machine.place(step.out);
  bool flat = true;  // rows that follow one another are one long row
  for (std::uint32_t i = 0; i < step.operand_count; ++i)
    flat = flat && machine.place(machine.operand(step, i)).stride == y.stride;
  const std::int64_t items = machine.rows(y.extent);
  const std::int64_t rows = flat ? 1 : items, length = flat ? y.elements * items : y.elements;
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t from = 0; from < length; from += kTile) {
      const std::int64_t n = std::min(kTile, length - from);
      for (std::uint32_t k = 0; k < step.operand_count; ++k) {
        const ValueId id = machine.operand(step, k);
        const S* x = machine.data(id) + r * machine.place(id).stride + from;
        for (std::int64_t i = 0; i < n; ++i) sum[i] = k == 0 ? x[i] : sum[i] + x[i];
      }
      std::copy_n(sum, n, machine.data(step.out) + r * length + from);
    }
}

// the members that are defined here; sums over items are in item_sums.cpp
template struct Kernels<float>;
template struct Kernels<double>;

}  // namespace taugrad::exec
