// What moves on evenly in a plan that a law tells.
#include <algorithm>

#include "runtime/runtime.h"

namespace taugrad::runtime {

template <class S>
std::size_t Runtime<S>::even_times(ValueId a, ValueId b, std::size_t most) const {
  const plan::Stretches* const law = plan_.values.law();
  if (a == b || most < 2) return most;
  if (law == nullptr) return 1;
  most = std::min(most, law->even_times(static_cast<std::size_t>(a), std::int64_t{b} - a));
  if (most < 2) return 1;
  const Value x = place(a), y = place(b);
  const bool alike = x.shape == y.shape && x.stride == y.stride && x.elements == y.elements &&
                     x.extent == y.extent;
  return alike ? std::min(most, slots_.even_times(x.slot, y.slot)) : 1;
}

template <class S>
std::size_t Runtime<S>::even_operands(std::size_t first, std::size_t each, std::size_t most) const {
  const plan::Stretches* const law = plan_.operands.law();
  if (law == nullptr) return 1;
  for (std::size_t i = first; most > 1 && i < first + each; ++i) {
    most = std::min(most, law->even_times(i, static_cast<std::int64_t>(each)));
    if (most > 1) most = even_times(plan_.operands[i], plan_.operands[i + each], most);
  }
  return most;
}

template <class S>
std::size_t Runtime<S>::even_jobs(std::size_t first, std::size_t most) const {
  const plan::Stretches* const law = plan_.jobs.law();
  if (law == nullptr) return 1;
  most = std::min(most, law->even_times(first, 1));
  if (most < 2) return 1;
  const plan::Job a = plan_.jobs[first], b = plan_.jobs[first + 1];
  if (a.panels != b.panels || a.accumulate != b.accumulate) return 1;
  return even_times(a.out, b.out, even_times(a.a, b.a, most));
}

// the members that are defined here
template std::size_t Runtime<float>::even_times(ValueId, ValueId, std::size_t) const;
template std::size_t Runtime<double>::even_times(ValueId, ValueId, std::size_t) const;
template std::size_t Runtime<float>::even_operands(std::size_t, std::size_t, std::size_t) const;
template std::size_t Runtime<double>::even_operands(std::size_t, std::size_t, std::size_t) const;
template std::size_t Runtime<float>::even_jobs(std::size_t, std::size_t) const;
template std::size_t Runtime<double>::even_jobs(std::size_t, std::size_t) const;

}  // namespace taugrad::runtime
