// Sums over the items of a batch: what gradients of weights are made of.
#include <algorithm>

#include "exec/kernels.h"
#include "kernels/row_math.h"

namespace taugrad::exec {

template <class S>
void Kernels<S>::outer_sum(const Step<S>& step, Machine<S>& machine, Worker<S>& worker) {
  auto& segments = worker.segments;
  segments.clear();
  std::int64_t m = 0, n = 0;
  for (std::uint32_t i = 0; i < step.operand_count; i += 2) {
    const ValueId a = machine.operand(step, i), b = machine.operand(step, i + 1);
    const Value &x = machine.place(a), &w = machine.place(b);
    m = x.elements;
    n = w.elements;
    const ExtentId extent = x.extent == kShared ? w.extent : x.extent;
    segments.push_back(
        {machine.data(a), x.stride, machine.data(b), w.stride, machine.rows(extent)});
  }
  const std::int64_t panels = (n + kernels::Panels<S>::kWidth - 1) / kernels::Panels<S>::kWidth;
  const auto [from, to] = machine.columns(panels, step, worker);
  const kernels::InstructionSet set = machine.in_pairs(step.pairs)
                                          ? kernels::InstructionSet::avx512_pairs
                                          : kernels::best_instruction_set();
  kernels::Carry<S> carry;
  if (step.carry >= 0) carry = {machine.data(step.carry), machine.places_before(step), step.more};
  // parts say themselves whether something has been added
  const bool accumulate = step.accumulate && step.previous < 0;
  kernels::outer_rows<S>(segments, m, n, from, to, accumulate, machine.data(step.out), n,
                         worker.outer, set, carry);
}

template <class S>
void Kernels<S>::scatter_rows(const Step<S>& step, Machine<S>& machine, Worker<S>&) {
  const Value& y = machine.place(step.out);
  const std::int64_t size = machine.shape(step.out)[0];
  const std::int64_t n = size == 0 ? 0 : y.elements / size;
  S* out = machine.data(step.out);
  if (!step.accumulate) std::fill_n(out, y.elements, S(0));
  for (std::uint32_t i = 0; i < step.operand_count; i += 2) {
    const ValueId category = machine.operand(step, i), rows = machine.operand(step, i + 1);
    const Value &c = machine.place(category), &x = machine.place(rows);
    const ExtentId extent = c.extent == kShared ? x.extent : c.extent;
    kernels::scatter_rows(machine.rows(extent), machine.data(category), c.stride,
                          machine.data(rows), x.stride, n, size, out);
  }
}

/// Each worker sums columns of its own.
template <class S>
void Kernels<S>::sum_items(const Step<S>& step, Machine<S>& machine, Worker<S>& worker) {
  const std::int64_t n = machine.place(step.out).elements;
  const auto [from, to] = machine.columns(n, step, worker);
  for (std::uint32_t i = 0; i < step.operand_count; ++i) {
    const ValueId rows = machine.operand(step, i);
    const Value& x = machine.place(rows);
    kernels::sum_columns(machine.rows(x.extent), machine.data(rows) + from, x.stride, to - from,
                         step.accumulate || i > 0, machine.data(step.out) + from);
  }
}

// the members that are defined here
template struct Kernels<float>;
template struct Kernels<double>;

}  // namespace taugrad::exec
