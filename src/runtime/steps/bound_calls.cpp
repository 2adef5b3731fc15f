// Short lists of steps as calls one after another.
#include <algorithm>
#include <functional>
#include <utility>

#include "runtime/steps/kernels.h"

namespace taugrad::runtime {
namespace {

template <class S>
using Group = typename AddressCache<S>::Group;

/// Matrices side by side, column after column.
template <class S>
std::unique_ptr<kernels::Panels<S>> without_gaps(std::span<const Group<S>> groups,
                                                 const Runtime<S>& machine) {
  constexpr std::int64_t kWidth = kernels::Panels<S>::kWidth;
  const std::int64_t k = machine.panels(groups[0].panels).rows();
  std::int64_t columns = 0;
  for (const Group<S>& group : groups) columns += machine.panels(group.panels).columns();
  auto all = std::make_unique<kernels::Panels<S>>();
  all->resize(k, columns);
  std::fill_n(all->memory(), all->elements(), S(0));
  std::int64_t to = 0;
  for (const Group<S>& group : groups) {
    const kernels::Panels<S>& own = machine.panels(group.panels);
    for (std::int64_t j = 0; j < own.columns(); ++j, ++to)
      for (std::int64_t p = 0; p < k; ++p)
        all->memory()[to / kWidth * k * kWidth + p * kWidth + to % kWidth] =
            own.panel(j / kWidth)[p * kWidth + j % kWidth];
  }
  return all;
}

template <class S>
bool apart_or_same(const S* a, const S* b, std::int64_t n) {
  const std::less_equal<const S*> not_after;
  return a == b || not_after(a + n, b) || not_after(b + n, a);
}

/// Makes the calls of a worker's script.
template <class S>
class Binding {
 public:
  using Kind = typename AddressCache<S>::Kind;
  using Known = typename AddressCache<S>::Step;
  using Line = kernels::TileCall<S>;
  enum class From : std::uint8_t { lines, pairs, rows, copies, steps };

  Binding(Runtime<S>& machine, Worker<S>& worker)
      : machine_(machine), worker_(worker), ready_(worker.ready) {}

  void run(void (*by_step)(const kernels::BoundCall&)) {
    reserve_results();
    for (const Known& known : ready_.script) {
      if (known.kind == Kind::lines) {
        add_lines(known);
      } else if (known.kind != Kind::products || !add_products(known)) {
        add(From::steps, bound_.steps.size());
        bound_.steps.push_back({{by_step}, &machine_, &worker_, &known});
      }
    }
    // what is pointed to stays where it is from here on
    for (kernels::RowCall<S>& row : bound_.rows) row.tile.c = &row.c;
    for (const auto& [from, i] : order_) bound_.calls.push_back(call(from, i));
    if (std::ranges::any_of(bound_.rows, [](const auto& row) { return row.far; })) turn_back();
  }

 private:
  void add(From from, std::size_t number) { order_.emplace_back(from, number); }
  const kernels::BoundCall* call(From from, std::size_t i) const {
    switch (from) {
      case From::lines:
        return &ready_.lines[i];
      case From::pairs:
        return &bound_.pairs[i];
      case From::rows:
        return &bound_.rows[i];
      case From::copies:
        return &bound_.copies[i];
      default:
        return &bound_.steps[i];
    }
  }

  /// Parts of products one after another write each its own columns: any order will do.
  void turn_back() {
    bound_.back = bound_.calls;
    for (std::size_t i = 0, end; i < order_.size(); i = end) {
      end = i + 1;
      if (order_[i].first != From::rows) continue;
      while (end < order_.size() && same_product(i, end)) ++end;
      std::ranges::reverse(std::span(bound_.back).subspan(i, end - i));
    }
  }
  bool same_product(std::size_t a, std::size_t b) const {
    return order_[b].first == From::rows &&
           bound_.rows[order_[a].second].tile.a == bound_.rows[order_[b].second].tile.a &&
           bound_.rows[order_[a].second].c == bound_.rows[order_[b].second].c;
  }

  void reserve_results() {
    constexpr std::int64_t kWidth = kernels::Panels<S>::kWidth;
    std::int64_t elements = 0;
    for (const Group<S>& group : ready_.groups)
      elements += (machine_.panels(group.panels).columns() + kWidth - 1) / kWidth * kWidth;
    bound_.results.resize(static_cast<std::size_t>(elements));
  }

  /// Lines by themselves, or two of which one reads what the other makes.
  void add_lines(const Known& known) {
    const std::span lines = std::span(ready_.lines).subspan(known.first, known.count);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (i + 1 < lines.size() && add_pair(lines[i], lines[i + 1], ready_.ops[known.first + i],
                                           ready_.ops[known.first + i + 1]))
        ++i;
      else
        add(From::lines, known.first + i);
    }
  }

  bool add_pair(const Line& a, const Line& b, kernels::TileOp first, kernels::TileOp second) {
    if (a.n != b.n || (b.a == a.out) == (b.b == a.out)) return false;
    const S* const other = b.a == a.out ? b.b : b.a;
    for (const S* const read : {a.a, a.b, other})
      for (const S* const made : {a.out, b.out})
        if (read != nullptr && !apart_or_same(read, made, a.n)) return false;
    if (!apart_or_same<S>(a.out, b.out, a.n)) return false;
    const auto run = kernels::pair_call<S>(first, second, a.n);
    if (run == nullptr) return false;
    add(From::pairs, bound_.pairs.size());
    bound_.pairs.push_back({{run}, a.a, a.b, other, a.out, b.out, a.n});
    return true;
  }

  bool add_products(const Known& known) {
    const std::span groups = std::span(ready_.groups).subspan(known.first, known.count);
    const bool rows = std::ranges::all_of(
        groups, [&](const Group<S>& g) { return g.count == 1 && ready_.blocks[g.first].m == 1; });
    const std::size_t before = order_.size(), row = bound_.rows.size();
    bool all = rows;
    for (std::size_t i = 0; all && i < groups.size(); i += groups[i].beside)
      all = groups[i].beside > 1
                ? add_beside(groups.subspan(i, groups[i].beside))
                : add_row(ready_.blocks[groups[i].first], machine_.panels(groups[i].panels),
                          groups[i].from, groups[i].to, groups[i].accumulate);
    if (!all) {
      order_.resize(before);
      bound_.rows.resize(row);
    }
    return all;
  }

  bool add_row(const kernels::RowBlock<S>& row, const kernels::Panels<S>& b, std::int64_t from,
               std::int64_t to, bool accumulate) {
    std::size_t i = bound_.rows.size();
    if (!kernels::add_row_calls<S>(row, b, from, to, accumulate, bound_.rows)) return false;
    for (; i < bound_.rows.size(); ++i) add(From::rows, i);
    return true;
  }

  /// One product, whose columns then go each to its own place.
  bool add_beside(std::span<const Group<S>> groups) {
    constexpr std::int64_t kWidth = kernels::Panels<S>::kWidth;
    const bool kept = std::ranges::all_of(
        groups, [&](const Group<S>& g) { return machine_.stays_packed(g.panels); });
    const kernels::Panels<S>* all = &ready_.wide[groups[0].wide];
    if (kept) all = bound_.panels.emplace_back(without_gaps<S>(groups, machine_)).get();
    kernels::RowBlock<S> row = ready_.blocks[groups[0].first];
    row.c = bound_.results.data() + results_;
    row.ldc = all->columns();
    results_ += all->count() * kWidth;
    if (!add_row(row, *all, 0, all->count(), false)) return false;
    const S* from = row.c;
    for (const Group<S>& group : groups) {
      const kernels::Panels<S>& own = machine_.panels(group.panels);
      const std::int64_t n = own.columns();
      add(From::copies, bound_.copies.size());
      bound_.copies.push_back({{kernels::tile_call<S>(kernels::TileOp::copy, n)},
                               from,
                               nullptr,
                               nullptr,
                               ready_.blocks[group.first].c,
                               n,
                               S(0),
                               S(0)});
      from += kept ? n : own.count() * kWidth;
    }
    return true;
  }

  Runtime<S>& machine_;
  Worker<S>& worker_;
  AddressCache<S>& ready_;
  BoundScript<S>& bound_ = worker_.bound;
  std::vector<std::pair<From, std::size_t>> order_;
  std::int64_t results_ = 0;
};

}  // namespace

template <class S>
void Kernels<S>::lines(const Known& known, const Worker<S>& worker) {
  const kernels::TileCall<S>* const first = worker.ready.lines.data() + known.first;
  for (const auto* line = first; line != first + known.count; ++line) line->run(*line);
}

/// The last instance that was found becomes lines of its own: of a few numbers, a table of operands
/// takes as long to read as the work.
template <class S>
typename AddressCache<S>::Step Kernels<S>::keep_lines(const Step<S>& step,
                                                      const Runtime<S>& machine,
                                                      Worker<S>& worker) {
  const plan::RegionProgram<S>& program =
      machine.plan().programs[static_cast<std::size_t>(step.program)];
  AddressCache<S>& ready = worker.ready;
  const auto instance = ready.instances.back();
  const std::size_t first = ready.lines.size();
  S* const* const fixed = worker.tables.of(step.program);
  const std::size_t held = program.registers + program.constants.size();
  const auto place = [&](std::size_t k) {
    return k < held ? fixed[k] : ready.streams[instance.first + k - held];
  };
  for (const plan::Instruction<S>& line : program.code) {
    const int arity = kernels::tile_op_arity(line.op);
    ready.ops.push_back(line.op);
    ready.lines.push_back({{kernels::tile_call<S>(line.op, instance.elements)},
                           place(line.a),
                           arity > 1 ? place(line.b) : nullptr,
                           arity > 2 ? place(line.c) : nullptr,
                           place(line.out),
                           instance.elements,
                           line.lo,
                           line.hi});
  }
  ready.instances.pop_back();
  ready.streams.resize(instance.first);
  return {AddressCache<S>::Kind::lines, step.program, static_cast<std::uint32_t>(first),
          static_cast<std::uint32_t>(ready.lines.size() - first)};
}

template <class S>
void Kernels<S>::bind(Runtime<S>& machine, Worker<S>& worker) {
  worker.bound = {};
  if (machine.far() || worker.ready.script.size() > AddressCache<S>::kShortScript) return;
  Binding<S>(machine, worker).run([](const kernels::BoundCall& call) {
    const auto& own = static_cast<const StepCall<S>&>(call);
    if (!by_addresses(*own.step, *own.machine, *own.worker))
      by_step(*own.step, own.machine->plan().steps[own.step->number], *own.machine, *own.worker);
  });
}

// the members that are defined here
template struct Kernels<float>;
template struct Kernels<double>;

}  // namespace taugrad::runtime
