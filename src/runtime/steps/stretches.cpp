// Steps that come again and again, of a plan that is not written down.
#include <algorithm>
#include <utility>

#include "runtime/steps/kernels.h"

namespace taugrad::runtime {
namespace {

constexpr std::size_t kApart = 4;        ///< times at either end that are found by themselves
constexpr std::size_t kFewTimes = 16;    ///< all are
constexpr std::size_t kMostKept = 4096;  ///< addresses of a single step

}  // namespace

template <class S>
void Kernels<S>::run_told(Runtime<S>& machine, Worker<S>& worker) {
  if (worker.told.empty()) find_parts(machine, worker);
  try {
    for (ToldPart<S>& part : worker.told) run_part(part, machine, worker);
  } catch (...) {
    worker.told.clear();  // some addresses have moved on
    throw;
  }
}

template <class S>
void Kernels<S>::run_part(ToldPart<S>& part, Runtime<S>& machine, Worker<S>& worker) {
  std::size_t number = part.first;
  const std::size_t end = part.first + part.length * part.times;
  if (part.steps.empty()) {
    for (; number < end; ++number) run(number, machine, worker);
    return;
  }
  const bool far = part.times > 1 && machine.far();
  std::swap(worker.ready, part.found);
  while (number < end) {
    for (const Known& known : part.steps) {
      if (known.kind == AddressCache<S>::Kind::unknown) {
        std::swap(worker.ready, part.found);  // its own are found in the place of others
        run(number, machine, worker);
        std::swap(worker.ready, part.found);
      } else if (!by_addresses(known, machine, worker)) {
        by_step(known, machine.plan().steps[number], machine, worker);
      }
      if (far) fetch(known, part.distances, machine, worker.ready);
      ++number;
    }
    if (part.times > 1) worker.ready.move_on(part.distances);
  }
  if (part.times > 1) worker.ready.move_on(part.distances, -std::int64_t(part.times));
  std::swap(worker.ready, part.found);
}

template <class S>
void Kernels<S>::find_parts(Runtime<S>& machine, Worker<S>& worker) {
  const plan::Stretches* const law = machine.plan().steps.law();
  if (law == nullptr) {
    worker.told.push_back({.first = 0, .length = machine.plan().steps.size()});
    return;
  }
  bool even = true;
  const auto add_singles = [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) even = find_single(i, machine, worker) && even;
  };
  for (const plan::Stretches::Piece& piece : law->pieces()) {
    const std::size_t begin = piece.begin + kApart * piece.length,
                      end = piece.end() - kApart * piece.length;
    if (piece.count < kFewTimes) {
      add_singles(piece.begin, piece.end());
      continue;
    }
    add_singles(piece.begin, begin);
    even = find_stretch(piece, machine, worker) && even;
    add_singles(end, piece.end());
  }
  worker.ready.set_even(even);
}

/// @return whether what was found is kept
template <class S>
bool Kernels<S>::find_single(std::size_t number, Runtime<S>& machine, Worker<S>& worker) {
  ToldPart<S> part{.first = number, .length = 1};
  std::swap(worker.ready, part.found);
  part.steps = {find(machine.plan().steps[number], machine, worker)};
  part.steps[0].number = static_cast<std::uint32_t>(number);
  std::swap(worker.ready, part.found);
  const bool kept = part.found.size() <= kMostKept;
  if (!kept) part = {.first = number, .length = 1};
  worker.told.push_back(std::move(part));
  return kept;
}

/// Addresses are found for one time and move on by fixed amounts; steps of which that is not known
/// are run by themselves each time. @return whether there are none
template <class S>
bool Kernels<S>::find_stretch(const plan::Stretches::Piece& piece, Runtime<S>& machine,
                              Worker<S>& worker) {
  using Kind = typename AddressCache<S>::Kind;
  const std::size_t n = piece.length, begin = piece.begin + kApart * n,
                    times = piece.count - 2 * kApart;
  const auto find_time = [&](std::size_t first, ToldPart<S>& part) {
    part.steps.resize(n);
    std::swap(worker.ready, part.found);
    for (std::size_t i = 0; i < n; ++i)
      if (goes_on_evenly(begin + i, n, times, machine))
        part.steps[i] = find(machine.plan().steps[first + i], machine, worker);
    std::swap(worker.ready, part.found);
  };
  ToldPart<S> part{.first = begin, .length = n, .times = times}, later = part;
  find_time(begin, part);
  find_time(begin + n, later);
  if (part.steps == later.steps && part.found.differs_in_places_only(later.found))
    part.distances = part.found.distances(later.found);
  else
    part = {.first = begin, .length = n, .times = times};
  const auto unknown = [](const Known& known) { return known.kind == Kind::unknown; };
  const bool all = !part.steps.empty() && std::ranges::none_of(part.steps, unknown);
  worker.told.push_back(std::move(part));
  return all;
}

/// Whether all that a step reads and writes lies at one distance from time to time.
template <class S>
bool Kernels<S>::goes_on_evenly(std::size_t number, std::size_t length, std::size_t times,
                                const Runtime<S>& machine) {
  const Plan<S>& plan = machine.plan();
  const Step<S> a = plan.steps[number], b = plan.steps[number + length];
  if ((a.form != plan::Form::rows && a.form != plan::Form::fused) || a.form != b.form ||
      a.program != b.program || a.operand_count != b.operand_count || a.job_count != b.job_count ||
      plan.operands.law() == nullptr || plan.jobs.law() == nullptr)
    return false;
  const auto even_rows = [&](const plan::Stretches& law, std::uint32_t x, std::uint32_t y) {
    return law.even_times(x, std::int64_t{y} - x) >= times;
  };
  const auto even_values = [&](ValueId x, ValueId y) {
    return machine.even_times(x, y, times) >= times;
  };
  for (std::uint32_t i = 0; i < a.operand_count; ++i) {
    const std::uint32_t x = a.first_operand + i, y = b.first_operand + i;
    if (!even_rows(*plan.operands.law(), x, y) || !even_values(plan.operands[x], plan.operands[y]))
      return false;
  }
  for (std::uint32_t i = 0; i < a.job_count; ++i) {
    const std::uint32_t x = a.first_job + i, y = b.first_job + i;
    const plan::Job p = plan.jobs[x], q = plan.jobs[y];
    if (!even_rows(*plan.jobs.law(), x, y) || p.panels != q.panels ||
        p.accumulate != q.accumulate || !even_values(p.a, q.a) || !even_values(p.out, q.out))
      return false;
  }
  return true;
}

// the members that are defined here
template struct Kernels<float>;
template struct Kernels<double>;

}  // namespace taugrad::runtime
