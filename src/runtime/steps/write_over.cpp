// A value that is handed on to the next run and is written where that one reads it.
#include <functional>
#include <vector>

#include "runtime/steps/kernels.h"

namespace taugrad::runtime {
namespace {

/// Numbers that a step reads or writes.
template <class S>
struct Access {
  const S* first;
  std::int64_t count;
  std::size_t time;  ///< of one line of a step, or of one product
  bool writes;
  bool each_its_own;  ///< every number is read before the one in its place is written

  bool overlaps(std::span<const S> x) const {
    const std::less<const S*> before;
    return before(first, x.data() + x.size()) && before(x.data(), first + count);
  }
  bool within(std::span<const S> x) const {
    const std::less<const S*> before;
    return !before(first, x.data()) && !before(x.data() + x.size(), first + count);
  }
};

template <class S>
void add_rows(const kernels::RowBlock<S>& rows, const kernels::Panels<S>& b, bool accumulate,
              std::size_t time, std::vector<Access<S>>& to) {
  const std::int64_t last = rows.m - 1;
  to.push_back({rows.a, last * rows.lda + b.rows(), time, false, false});
  const std::int64_t written = last * rows.ldc + b.columns();
  if (accumulate) to.push_back({rows.c, written, time, false, false});
  to.push_back({rows.c, written, time, true, false});
}

/// In the order of the steps. False where they have others than products and lines.
template <class S>
bool list_accesses(const AddressCache<S>& ready, const Runtime<S>& machine,
                   std::vector<Access<S>>& to) {
  using Kind = typename AddressCache<S>::Kind;
  std::size_t time = 0;
  for (const auto& known : ready.script) {
    if (known.kind == Kind::products) {
      for (const auto& group : std::span(ready.groups).subspan(known.first, known.count))
        for (const auto& rows : std::span(ready.blocks).subspan(group.first, group.count))
          add_rows(rows, machine.panels(group.panels), group.accumulate, time, to);
      ++time;  // products of a step may run in any order
    } else if (known.kind == Kind::lines) {
      for (const auto& line : std::span(ready.lines).subspan(known.first, known.count)) {
        for (const S* const read : {line.a, line.b, line.c})
          if (read != nullptr) to.push_back({read, line.n, time, false, true});
        to.push_back({line.out, line.n, time++, true, true});
      }
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

template <class S>
bool Kernels<S>::write_over(std::span<const S> from, std::span<S> to, Runtime<S>& machine,
                            Worker<S>& worker) {
  std::vector<Access<S>> all;
  if (!list_accesses(worker.ready, machine, all)) return false;
  const Access<S>* written = nullptr;  // the first part of `from`
  for (const Access<S>& x : all) {
    if (x.overlaps(from) && !x.within(from)) return false;
    if (x.writes && x.overlaps(to)) return false;
    if (x.writes && written == nullptr && x.overlaps(from)) written = &x;
  }
  if (written == nullptr) return false;
  for (const Access<S>& x : all) {
    if (x.writes || !x.overlaps(to) || x.time < written->time) continue;
    const bool in_place = x.time == written->time && x.each_its_own &&
                          x.first - to.data() == written->first - from.data();
    if (!in_place) return false;
  }
  worker.ready.move(from, to.data());
  bind(machine, worker);
  return true;
}

// the members that are defined here
template struct Kernels<float>;
template struct Kernels<double>;

}  // namespace taugrad::runtime
