// Rows times packed matrices.
#include <algorithm>

#include "kernels/gemm/gemm.h"
#include "runtime/steps/each_even.h"
#include "runtime/steps/kernels.h"

namespace taugrad::runtime {
namespace {

/// out (+)= a B for rows of `a`, each of them some rows of length K; a block, or one for each item.
template <class S>
void each_block(const Runtime<S>& machine, ValueId a, ValueId out, const kernels::Panels<S>& b,
                RowRange range, const auto& add) {
  const Value& x = machine.place(a);
  const Value& y = machine.place(out);
  const std::int64_t k = b.rows(), n = b.columns();
  // a product that adds to a place with more rows has fewer
  const std::int64_t last = std::min(range.last, machine.rows(x.extent));
  const std::int64_t items = last - range.first;
  const std::int64_t inner = n == 0 ? 0 : y.elements / n;  // rows of one item
  const S* from = machine.data(x) + range.first * x.stride;
  S* to = machine.data(y) + range.first * y.stride;
  if (items <= 0) return;
  if (inner == 1 || (x.stride == inner * k && y.stride == inner * n)) {
    const std::int64_t lda = inner == 1 ? x.stride : k, ldc = inner == 1 ? y.stride : n;
    return add({from, lda, to, ldc, items * inner});
  }
  for (std::int64_t i = 0; i < items; ++i)
    add({from + i * x.stride, k, to + i * y.stride, n, inner});
}

/// Few rows of one place times several matrices whose panels lie side by side: one product, whose
/// columns then go each to its own place.
template <class S>
void multiply_beside(std::span<const typename AddressCache<S>::Group> groups,
                     const AddressCache<S>& ready, const Runtime<S>& machine, S* scratch) {
  const kernels::Panels<S>& all = ready.wide[groups[0].wide];
  kernels::RowBlock<S> rows = ready.blocks[groups[0].first];
  rows.c = scratch;
  rows.ldc = all.columns();
  if (rows.m == 1)
    kernels::multiply_row<S>(rows, all, 0, all.count(), false);
  else
    kernels::multiply_blocks<S>({&rows, 1}, all, 0, all.count(), false);
  for (const auto& group : groups) {
    const kernels::Panels<S>& own = machine.panels(group.panels);
    const kernels::RowBlock<S>& to = ready.blocks[group.first];
    for (std::int64_t i = 0; i < rows.m; ++i)
      std::copy_n(scratch + i * rows.ldc, own.columns(), to.c + i * to.ldc);
    scratch += own.count() * kernels::Panels<S>::kWidth;
  }
}

}  // namespace

template <class S>
void Kernels<S>::products(const Known& known, Runtime<S>& machine, Worker<S>& worker) {
  const AddressCache<S>& ready = worker.ready;
  const std::span all = std::span(ready.groups).subspan(known.first, known.count);
  for (std::size_t i = 0; i < all.size(); i += all[i].beside) {
    const auto& group = all[i];
    if (group.beside > 1)
      multiply_beside<S>(all.subspan(i, group.beside), ready, machine, worker.beside.data());
    else if (group.count == 1 && ready.blocks[group.first].m == 1)
      kernels::multiply_row<S>(ready.blocks[group.first], machine.panels(group.panels), group.from,
                               group.to, group.accumulate);
    else
      kernels::multiply_blocks<S>(std::span(ready.blocks).subspan(group.first, group.count),
                                  machine.panels(group.panels), group.from, group.to,
                                  group.accumulate);
  }
}

/// Jobs that read one matrix run together.
template <class S>
typename AddressCache<S>::Step Kernels<S>::find_products(const Step<S>& step, Runtime<S>& machine,
                                                         Worker<S>& worker) {
  AddressCache<S>& ready = worker.ready;
  const auto number = [](std::size_t n) { return static_cast<std::uint32_t>(n); };
  typename AddressCache<S>::Step known{AddressCache<S>::Kind::products, -1,
                                       number(ready.groups.size()), 0};
  kernels::RowBlock<S> last{};
  const auto add = [&](std::uint32_t i) {
    const plan::Job job = machine.plan().jobs[step.first_job + i];
    const kernels::Panels<S>& b = machine.panels(job.panels);
    if (known.count == 0 || ready.groups.back().panels != job.panels ||
        ready.groups.back().accumulate != job.accumulate) {
      const auto [from, to] = machine.columns(b.count(), step, worker);
      ready.groups.push_back({number(ready.blocks.size()), 0, job.panels,
                              static_cast<std::int32_t>(from), static_cast<std::int32_t>(to),
                              job.accumulate});
      ++known.count;
    }
    auto& group = ready.groups.back();
    int blocks = 0;
    bool joins = false;
    each_block(machine, job.a, job.out, b,
               machine.range(machine.place(job.out).extent, step, worker),
               [&](const kernels::RowBlock<S>& block) {
                 ++blocks;
                 joins = ready.add(last = block, group.first) && blocks == 1;
               });
    group.count = number(ready.blocks.size()) - group.first;
    return joins;
  };
  each_even(
      step.job_count,
      [&](std::uint32_t i) { return machine.even_jobs(step.first_job + i, step.job_count - i); },
      add, [&](std::uint32_t times) { ready.repeat(last, times); });
  join_beside(known, machine, worker);
  return known;
}

/// Products of the same few rows whose matrices lie side by side become one: each of them alone has
/// too few chains of sums to hide the latency of a multiply-add. A product that writes to its place
/// may run before others of its step, which read none of their results.
template <class S>
void Kernels<S>::join_beside(const Known& known, const Runtime<S>& machine, Worker<S>& worker) {
  constexpr std::int64_t kFewRows = 3;
  constexpr std::size_t kNear = 16;  // groups, among which another is sought
  AddressCache<S>& ready = worker.ready;
  const std::span groups = std::span(ready.groups).subspan(known.first, known.count);
  using Group = typename AddressCache<S>::Group;
  const auto rows_of = [&](const Group& g) -> const auto& { return ready.blocks[g.first]; };
  const auto joins = [&](const Group& g) {
    const kernels::Panels<S>& b = machine.panels(g.panels);
    return g.count == 1 && rows_of(g).m <= kFewRows && !g.accumulate && !b.pairs() && g.from == 0 &&
           g.to == b.count();
  };
  const auto next_to = [&](const Group& last, const Group& g) {
    const kernels::Panels<S>&a = machine.panels(last.panels), &b = machine.panels(g.panels);
    return joins(g) && rows_of(g).a == rows_of(last).a && rows_of(g).m == rows_of(last).m &&
           rows_of(g).lda == rows_of(last).lda && a.rows() == b.rows() &&
           b.memory() == a.memory() + a.elements();
  };
  for (std::size_t i = 0; i < groups.size(); i += groups[i].beside) {
    if (!joins(groups[i])) continue;
    Group& first = groups[i];
    std::int64_t panels = machine.panels(first.panels).count();
    for (std::size_t last = i;; ++last) {
      const std::span near = groups.subspan(last + 1, std::min(kNear, groups.size() - last - 1));
      const auto found =
          std::ranges::find_if(near, [&](const Group& g) { return next_to(groups[last], g); });
      if (found == near.end()) break;
      std::rotate(near.begin(), found, found + 1);
      panels += machine.panels(near[0].panels).count();
      ++first.beside;
    }
    if (first.beside == 1) continue;
    const kernels::Panels<S>& b = machine.panels(first.panels);
    first.wide = static_cast<std::uint32_t>(ready.wide.size());
    ready.wide.emplace_back().lie_at(b.memory(), b.rows(), panels * kernels::Panels<S>::kWidth);
    const auto scratch = static_cast<std::size_t>(rows_of(first).m * ready.wide.back().columns());
    if (worker.beside.size() < scratch) worker.beside.resize(scratch);
  }
}

template <class S>
void Kernels<S>::taps(const Step<S>& step, Runtime<S>& machine, Worker<S>& worker) {
  const RowRange range = machine.range(machine.place(step.out).extent, step, worker);
  for (std::uint32_t d = 0; d < step.operand_count; ++d) {
    const kernels::Panels<S>& b = machine.panels(step.panels + static_cast<std::int32_t>(d));
    worker.blocks.clear();
    each_block(machine, machine.operand(step, d), step.out, b, range,
               [&](const kernels::RowBlock<S>& block) { worker.blocks.push_back(block); });
    kernels::multiply_blocks<S>(worker.blocks, b, 0, b.count(), d > 0);
  }
}

// the members that are defined here
template struct Kernels<float>;
template struct Kernels<double>;

}  // namespace taugrad::runtime
