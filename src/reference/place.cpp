#include <algorithm>
#include <complex>

#include "base/fail.h"
#include "base/whole.h"
#include "reference/measure.h"

namespace taugrad {
namespace {

// -1 is an absent one
void require_symbols(Var leaf, std::span<const double> values) {
  const std::int64_t size = leaf.tape->category(leaf.id);
  if (size <= 0) return;
  for (const double x : values)
    if (const auto whole = whole_number(x); !whole || *whole < -1 || *whole >= size)
      fail(Status::bad_input, "D013", "{} holds {}; its symbols are 0..{}",
           leaf.tape->label(leaf.id), x, size - 1);
}

}  // namespace

template <class S>
void place(Interpreter<S>& run, const CheckPoint& point) {
  run.set_batch(point.batch, point.items);
  for (const auto& [leaf, values] : point.leaves) {
    run.tape().own(leaf);
    if (!run.needs(leaf.id)) continue;
    const std::span<S> to = run.leaf(leaf.id);
    if (to.size() != values.size())
      fail(Status::bad_input, "D011", "{} has {} elements, {} were given",
           leaf.tape->label(leaf.id), to.size(), values.size());
    require_symbols(leaf, values);
    std::transform(values.begin(), values.end(), to.begin(),
                   [](double x) { return S(static_cast<double>(x)); });
  }
}

template void place(Interpreter<double>&, const CheckPoint&);
template void place(Interpreter<std::complex<double>>&, const CheckPoint&);

}  // namespace taugrad
