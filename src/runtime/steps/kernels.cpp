#include "runtime/steps/kernels.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "kernels/gemm/fetch.h"
#include "kernels/gemm/gemm.h"
#include "kernels/rows/row_math.h"
#include "ops/positions/item_fault.h"
#include "runtime/steps/each_even.h"

namespace taugrad::runtime {
namespace {

constexpr std::size_t kAhead = 4;  ///< steps

}  // namespace

template <class S>
void Kernels<S>::run(std::size_t number, Runtime<S>& machine, Worker<S>& worker) {
  using Kind = typename AddressCache<S>::Kind;
  const Step<S> step = machine.plan().steps[number];
  if (!worker.ready.keeps()) return run_once(step, machine, worker);
  typename AddressCache<S>::Step& known = worker.ready.of(number);
  if (known.kind == Kind::unknown) {
    known = find(step, machine, worker);
    known.number = static_cast<std::uint32_t>(number);
  }
  if (known.kind != Kind::pack)
    carry_out(known, number, machine, worker);
  else if (pack(step, machine, worker))
    known.kind = Kind::done;
}

/// What it works on is found for this run alone.
template <class S>
void Kernels<S>::run_once(const Step<S>& step, Runtime<S>& machine, Worker<S>& worker) {
  worker.ready.clear();
  Known known = find(step, machine, worker);
  known.number = step.number;
  if (!by_addresses(known, machine, worker)) by_step(known, step, machine, worker);
}

template <class S>
void Kernels<S>::run_all(Runtime<S>& machine, Worker<S>& worker) {
  AddressCache<S>& ready = worker.ready;
  if (!ready.keeps()) return run_told(machine, worker);
  if (!ready.script.empty()) return run_listed(machine, worker);
  for (std::size_t i = 0; i < machine.plan().steps.size(); ++i) run(i, machine, worker);
  ready.list();
  bind(machine, worker);
}

template <class S>
void Kernels<S>::run_listed(Runtime<S>& machine, Worker<S>& worker) {
  if (!worker.bound.calls.empty()) {
    for (const kernels::BoundCall* const call : worker.bound.next()) call->run(*call);
    return;
  }
  if (machine.far()) {
    for (const auto& known : worker.ready.script) carry_out(known, known.number, machine, worker);
    return;
  }
  for (const auto& known : worker.ready.script)
    if (!by_addresses(known, machine, worker))
      by_step(known, machine.plan().steps[known.number], machine, worker);
}

template <class S>
void Kernels<S>::carry_out(const Known& known, std::size_t number, Runtime<S>& machine,
                           Worker<S>& worker) {
  if (machine.far()) fetch(number + kAhead, machine, worker);
  if (!by_addresses(known, machine, worker))
    by_step(known, machine.plan().steps[number], machine, worker);
}

/// Whether the addresses say all that there is to do.
template <class S>
bool Kernels<S>::by_addresses(const Known& known, Runtime<S>& machine, Worker<S>& worker) {
  using Kind = typename AddressCache<S>::Kind;
  switch (known.kind) {
    case Kind::done:
      break;
    case Kind::products:
      products(known, machine, worker);
      break;
    case Kind::tile:
      tile(known, machine, worker);
      break;
    case Kind::lines:
      lines(known, worker);
      break;
    case Kind::tiles:
      tiles(known, machine, worker);
      break;
    case Kind::rows:
      rows(known, machine, worker);
      break;
    case Kind::calls:
      calls(known, machine, worker);
      break;
    case Kind::additions:
      add(known, worker);
      break;
    default:
      return false;
  }
  return true;
}

template <class S>
void Kernels<S>::by_step(const Known& known, const Step<S>& step, Runtime<S>& machine,
                         Worker<S>& worker) {
  using Kind = typename AddressCache<S>::Kind;
  switch (known.kind) {
    case Kind::sums:
      return sum(step, known, machine, worker);
    case Kind::pack:
      pack(step, machine, worker);
      return;
    default:
      return other(step, machine, worker);
  }
}

/// What a later step of a recurrence works on is on its way before the step waits for it.
template <class S>
void Kernels<S>::fetch(std::size_t number, const Runtime<S>& machine, const Worker<S>& worker) {
  const AddressCache<S>& ready = worker.ready;
  if (number < machine.plan().steps.size()) fetch(ready.of(number), {}, machine, ready);
}

/// @param distances  to what is asked for, of all addresses; none: it is where they are
template <class S>
void Kernels<S>::fetch(const Known& known, std::span<const std::int64_t> distances,
                       const Runtime<S>& machine, const AddressCache<S>& ready) {
  if (known.kind != AddressCache<S>::Kind::tiles || known.count != 1) return;
  const auto& i = ready.instances[known.first];
  if (i.count > 1) return;
  const auto& program = machine.plan().programs[static_cast<std::size_t>(known.program)];
  const std::size_t first = ready.places_before_streams() + i.first;
  for (std::size_t k = 0; k < program.apart.size(); ++k)
    kernels::fetch(ready.streams[i.first + k] + (distances.empty() ? 0 : distances[first + k]),
                   i.elements);
}

template <class S>
typename AddressCache<S>::Step Kernels<S>::find(const Step<S>& step, Runtime<S>& machine,
                                                Worker<S>& worker) {
  using plan::Form;
  switch (step.form) {
    case Form::rows:
      return find_products(step, machine, worker);
    case Form::fused:
      return find_tiles(step, machine, worker);
    case Form::forward:
      return find_calls(step, machine, worker);
    case Form::outer_sum:
    case Form::scatter_rows:
    case Form::sum_items:
      return find_segments(step, machine, worker);
    case Form::add:
      return find_terms(step, machine, worker);
    case Form::pack:
      return {AddressCache<S>::Kind::pack};
    default:
      return {AddressCache<S>::Kind::other};
  }
}

template <class S>
void Kernels<S>::other(const Step<S>& step, Runtime<S>& machine, Worker<S>& worker) {
  using plan::Form;
  switch (step.form) {
    case Form::each:
      return each(step, machine, worker);
    case Form::taps:
      return taps(step, machine, worker);
    default:
      break;
  }
}

namespace {

template <class S>
typename AddressCache<S>::Rule rule_of(const Step<S>& step, const Runtime<S>& machine) {
  const Plan<S>& plan = machine.plan();
  const Value out = machine.place(step.out);
  Call<S> call;
  call.shape = &machine.shape(out);
  call.extent = out.extent;
  call.attrs = &plan.attrs[step.attrs];
  call.batch = &machine.context();
  if (step.owner >= 0) {
    const plan::Owner& owner = plan.owners[static_cast<std::size_t>(step.owner)];
    call.name = owner.name;
    call.index = owner.index;
  }
  return {step.forward, call, step.each - 1};
}

}  // namespace

/// Rows that follow one another are made together where the op does not ask whose they are.
template <class S>
typename AddressCache<S>::Step Kernels<S>::find_calls(const Step<S>& step, Runtime<S>& machine,
                                                      Worker<S>& worker) {
  AddressCache<S>& ready = worker.ready;
  const std::size_t first = ready.calls.size();
  std::vector<Operand<S>>& in = worker.operands;
  typename AddressCache<S>::Rows rows{};
  const auto add = [&](std::uint32_t i) {
    const ValueId out = machine.operand(step, i + step.each - 1);
    const Value& y = machine.place(out);
    const RowRange range = machine.range(y.extent, step, worker);
    in.clear();
    for (std::uint32_t k = i; k + 1 < i + step.each; ++k) {
      const ValueId id = machine.operand(step, k);
      const Value& x = machine.place(id);
      in.push_back({machine.data(x) + range.first * x.stride, &machine.shape(x), x.stride, x.extent,
                    machine.rows(x.extent) - (x.stride == 0 ? 0 : range.first)});
    }
    rows = {0, range.last - range.first, machine.data(y) + range.first * y.stride};
    return ready.add(in, rows, y.elements, first);
  };
  each_even_instance(step, step.each, machine, add,
                     [&](std::uint32_t times) { ready.repeat(in, rows, times); });
  return {AddressCache<S>::Kind::calls, ready.add(rule_of(step, machine)),
          static_cast<std::uint32_t>(first),
          static_cast<std::uint32_t>(ready.calls.size() - first)};
}

template <class S>
void Kernels<S>::calls(const Known& known, const Runtime<S>& machine, Worker<S>& worker) {
  const AddressCache<S>& ready = worker.ready;
  const auto& rule = ready.rules[static_cast<std::size_t>(known.program)];
  Call<S> call = rule.call;
  for (const auto& rows : std::span(ready.calls).subspan(known.first, known.count)) {
    call.in = std::span(ready.operands).subspan(rows.first, rule.operands);
    call.out = rows.out;
    call.items = rows.count;
    try {
      rule.forward(call);
    } catch (const ItemFault& why) {
      retell(why, machine.plan().steps[known.number], rows, machine);
    }
  }
}

/// The item of a row is counted from the first of the value's own.
template <class S>
void Kernels<S>::retell(const ItemFault& why, const Step<S>& step,
                        const typename AddressCache<S>::Rows& rows, const Runtime<S>& machine) {
  std::int64_t item = -1;
  for (std::uint32_t i = 0; i < step.operand_count; i += step.each) {
    const ValueId out = machine.operand(step, i + step.each - 1);
    const Value& y = machine.place(out);
    const std::int64_t row =
        y.stride == 0 ? 0 : (rows.out - machine.data(out)) / y.stride + why.row;
    const auto items = machine.items(out);
    if (row >= 0 && row < static_cast<std::int64_t>(items.size()))
      item = items[static_cast<std::size_t>(row)];
  }
  std::string label;
  if (step.owner >= 0) {
    const plan::Owner& owner = machine.plan().owners[static_cast<std::size_t>(step.owner)];
    label = owner.name.empty() ? std::string(step.op->name) : owner.name;
    if (!owner.index.empty()) label += fmt::format("[{}]", fmt::join(owner.index, ","));
  }
  why.retell(label, item);
}

/// Whether a later run has nothing to do for it.
template <class S>
bool Kernels<S>::pack(const Step<S>& step, Runtime<S>& machine, Worker<S>& worker) {
  if (step.panels % worker.count != worker.number || machine.packed(step)) return true;
  const plan::PackedMatrix& m = machine.plan().panels[static_cast<std::size_t>(step.panels)];
  machine.panels(step.panels)
      .fill(machine.data(machine.operand(step, 0)) + m.offset, m.row_step, m.column_step);
  machine.keep_packed(step);
  return machine.packed(step);
}

template <class S>
void Kernels<S>::each(const Step<S>& step, Runtime<S>& machine, Worker<S>& worker) {
  const ValueId a = machine.operand(step, 0), b = machine.operand(step, 1);
  const Value &x = machine.place(a), &w = machine.place(b), &y = machine.place(step.out);
  const bool ta = (step.transposed & 1) != 0, tb = (step.transposed & 2) != 0;
  const Shape &s = machine.shape(a), &r = machine.shape(b), &out = machine.shape(step.out);
  const RowRange range = machine.range(y.extent, step, worker);
  for (std::int64_t i = range.first; i < range.last; ++i)
    kernels::gemm<S>(out[0], out[1], ta ? s[0] : s[1], {machine.data(a) + i * x.stride, s[1], ta},
                     {machine.data(b) + i * w.stride, r[1], tb}, false,
                     machine.data(step.out) + i * y.stride, out[1]);
}

// the members that are defined here; the others are in products.cpp, region.cpp and item_sums.cpp
template struct Kernels<float>;
template struct Kernels<double>;

}  // namespace taugrad::runtime
