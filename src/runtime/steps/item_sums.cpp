// Sums over the items of a batch, what gradients of weights are made of, and over steps.
#include <algorithm>

#include "kernels/rows/row_math.h"
#include "runtime/steps/each_even.h"
#include "runtime/steps/kernels.h"

namespace taugrad::runtime {

namespace {

constexpr std::uint32_t kFewTerms = 8;  ///< of an addition: read side by side
constexpr std::size_t kMostApart = 2;   ///< groups of terms at one distance that are read in turn

template <class S>
void outer_sum(const Step<S>& step, std::span<const kernels::Segment<S>> segments,
               Runtime<S>& machine, Worker<S>& worker) {
  const std::int64_t m = machine.place(machine.operand(step, 0)).elements,
                     n = machine.place(machine.operand(step, 1)).elements;
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
void scatter_rows(const Step<S>& step, std::span<const kernels::Segment<S>> segments,
                  Runtime<S>& machine) {
  const Value& y = machine.place(step.out);
  const std::int64_t size = machine.shape(step.out)[0];
  const std::int64_t n = size == 0 ? 0 : y.elements / size;
  S* out = machine.data(step.out);
  if (!step.accumulate) std::fill_n(out, y.elements, S(0));
  for (const kernels::Segment<S>& s : segments)
    kernels::scatter_rows(s.rows, s.d, s.ldd, s.x, s.ldx, n, size, out);
}

/// Each worker sums columns of its own.
template <class S>
void sum_items(const Step<S>& step, std::span<const kernels::Segment<S>> segments,
               Runtime<S>& machine, Worker<S>& worker) {
  const std::int64_t n = machine.place(step.out).elements;
  const auto [from, to] = machine.columns(n, step, worker);
  bool accumulate = step.accumulate;
  for (const kernels::Segment<S>& s : segments) {
    kernels::sum_columns(s.rows, s.d + from, s.ldd, to - from, accumulate,
                         machine.data(step.out) + from);
    accumulate = true;
  }
}

/// Values that are one row each, their first one copied: additions as in add_rows.
template <class S>
void sum_terms(const Step<S>& step, std::span<const kernels::Segment<S>> segments,
               Runtime<S>& machine, Worker<S>& worker) {
  const Value& y = machine.place(step.out);
  const RowRange range = machine.range(y.extent, step, worker);
  const std::int64_t n = (range.last - range.first) * y.elements;
  S* const out = machine.data(step.out) + range.first * y.stride;
  if (segments[0].d != out) std::copy_n(segments[0].d, n, out);
  std::int64_t begin = 1;
  for (const kernels::Segment<S>& s : segments) {
    kernels::sum_columns(s.rows - begin, s.d + begin * s.ldd, s.ldd, n, true, out);
    begin = 0;
  }
}

}  // namespace

template <class S>
void Kernels<S>::sum(const Step<S>& step, const Known& known, Runtime<S>& machine,
                     Worker<S>& worker) {
  const auto segments =
      std::span<const kernels::Segment<S>>(worker.ready.segments).subspan(known.first, known.count);
  if (step.form == plan::Form::outer_sum)
    outer_sum(step, segments, machine, worker);
  else if (step.form == plan::Form::scatter_rows)
    scatter_rows(step, segments, machine);
  else if (step.form == plan::Form::sum_items)
    sum_items(step, segments, machine, worker);
  else
    sum_terms(step, segments, machine, worker);
}

namespace {

template <class S>
typename AddressCache<S>::Step keep_addition(const Step<S>& step, const Value& y, RowRange range,
                                             const Runtime<S>& machine, AddressCache<S>& ready) {
  const std::size_t first = ready.terms.size();
  for (std::uint32_t i = 0; i < step.operand_count; ++i) {
    const Value x = machine.place(machine.operand(step, i));
    ready.terms.push_back({machine.data(x) + range.first * x.stride, x.stride});
  }
  ready.additions.push_back({static_cast<std::uint32_t>(first), step.operand_count,
                             range.last - range.first, y.elements,
                             machine.data(y) + range.first * y.stride, y.stride});
  return {AddressCache<S>::Kind::additions, -1,
          static_cast<std::uint32_t>(ready.additions.size() - 1), 1};
}

}  // namespace

/// The operands of an addition as rows of `d`, where many lie at one distance.
template <class S>
typename AddressCache<S>::Step Kernels<S>::find_terms(const Step<S>& step, Runtime<S>& machine,
                                                      Worker<S>& worker) {
  AddressCache<S>& ready = worker.ready;
  const std::size_t first = ready.segments.size();
  const Value& y = machine.place(step.out);
  const RowRange range = machine.range(y.extent, step, worker);
  const auto one_row = [&](const Value& v) { return range.last == 1 || v.stride == y.elements; };
  bool keeps = step.operand_count > kFewTerms && one_row(y);
  const auto add_term = [&](std::uint32_t i) {
    if (!keeps) return false;
    const Value& x = machine.place(machine.operand(step, i));
    const S* const row = machine.data(x) + range.first * x.stride;
    keeps = one_row(x);
    return ready.add({row, 0, row, 0, 1}, first, false);
  };
  each_even_instance(step, 1, machine, add_term, [&](std::uint32_t times) {
    ready.repeat(kernels::Segment<S>{nullptr, 0, nullptr, 0, 1}, times);
  });
  const std::size_t count = ready.segments.size() - first;
  if (keeps && count <= kMostApart)
    return {AddressCache<S>::Kind::sums, -1, static_cast<std::uint32_t>(first),
            static_cast<std::uint32_t>(count)};
  ready.segments.resize(first);
  return keep_addition(step, y, range, machine, ready);
}

template <class S>
void Kernels<S>::add(const Known& known, Worker<S>& worker) {
  const AddressCache<S>& ready = worker.ready;
  const auto& sum = ready.additions[known.first];
  kernels::add_rows<S>(sum.rows, sum.elements, std::span(ready.terms).subspan(sum.first, sum.count),
                       sum.out, sum.stride);
}

/// The rows of all terms; those of sums over the items of one value stand in its `d`.
template <class S>
typename AddressCache<S>::Step Kernels<S>::find_segments(const Step<S>& step, Runtime<S>& machine,
                                                         Worker<S>& worker) {
  AddressCache<S>& ready = worker.ready;
  const std::size_t first = ready.segments.size();
  const std::uint32_t each = step.form == plan::Form::sum_items ? 1 : 2;
  kernels::Segment<S> segment{};
  const auto add_segment = [&](std::uint32_t i) {
    const ValueId a = machine.operand(step, i), b = machine.operand(step, i + each - 1);
    const Value &d = machine.place(a), &x = machine.place(b);
    const ExtentId extent = d.extent == kShared ? x.extent : d.extent;
    segment = {machine.data(d), d.stride, machine.data(x), x.stride, machine.rows(extent)};
    return ready.add(segment, first, machine.in_pairs(step.pairs));
  };
  each_even_instance(step, each, machine, add_segment,
                     [&](std::uint32_t times) { ready.repeat(segment, times); });
  return {AddressCache<S>::Kind::sums, -1, static_cast<std::uint32_t>(first),
          static_cast<std::uint32_t>(ready.segments.size() - first)};
}

// the members that are defined here
template struct Kernels<float>;
template struct Kernels<double>;

}  // namespace taugrad::runtime
