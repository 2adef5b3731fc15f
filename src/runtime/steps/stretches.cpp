// Steps that come again and again, of a plan that is not written down.
#include <utility>

#include "runtime/steps/kernels.h"

namespace taugrad::runtime {
namespace {

constexpr std::size_t kApart = 2;     ///< times at either end that are run step by step
constexpr std::size_t kFewTimes = 8;  ///< all are

}  // namespace

template <class S>
void Kernels<S>::run_told(Runtime<S>& machine, Worker<S>& worker) {
  const plan::Stretches* const law = machine.plan().steps.law();
  if (law == nullptr) return run_steps(0, machine.plan().steps.size(), machine, worker);
  for (const plan::Stretches::Piece& piece : law->pieces())
    if (piece.count < kFewTimes)
      run_steps(piece.begin, piece.end(), machine, worker);
    else
      run_stretch(piece, machine, worker);
}

template <class S>
void Kernels<S>::run_steps(std::size_t begin, std::size_t end, Runtime<S>& machine,
                           Worker<S>& worker) {
  for (std::size_t i = begin; i < end; ++i) run(i, machine, worker);
}

/// Addresses are found for one time and move on by fixed amounts; steps of which that is not known
/// are run by themselves each time.
template <class S>
void Kernels<S>::run_stretch(const plan::Stretches::Piece& piece, Runtime<S>& machine,
                             Worker<S>& worker) {
  using Kind = typename AddressCache<S>::Kind;
  const std::size_t n = piece.length, begin = piece.begin + kApart * n,
                    end = piece.end() - kApart * n, times = piece.count - 2 * kApart;
  run_steps(piece.begin, begin, machine, worker);
  std::vector<Known> steps(n), later(n);
  const auto find_time = [&](std::size_t first, std::vector<Known>& found) {
    worker.ready.clear();
    for (std::size_t i = 0; i < n; ++i) {
      if (!goes_on_evenly(begin + i, n, times, machine)) continue;
      found[i] = find(machine.plan().steps[first + i], machine, worker);
    }
  };
  find_time(begin + n, later);
  AddressCache<S> other = worker.ready;
  find_time(begin, steps);
  if (steps != later || !worker.ready.differs_in_places_only(other))
    return run_steps(begin, piece.end(), machine, worker);
  const std::vector<std::int64_t> distances = worker.ready.distances(other);
  for (std::size_t first = begin; first < end; first += n) {
    for (std::size_t i = 0; i < n; ++i) {
      if (steps[i].kind != Kind::unknown && by_addresses(steps[i], machine, worker)) continue;
      std::swap(worker.ready, other);  // its own are found in the place of others
      run(first + i, machine, worker);
      std::swap(worker.ready, other);
    }
    worker.ready.move_on(distances);
  }
  run_steps(end, piece.end(), machine, worker);
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
    return law.evenly(x, std::int64_t{y} - x, times);
  };
  for (std::uint32_t i = 0; i < a.operand_count; ++i) {
    const std::uint32_t x = a.first_operand + i, y = b.first_operand + i;
    if (!even_rows(*plan.operands.law(), x, y) ||
        !machine.evenly(plan.operands[x], plan.operands[y], times))
      return false;
  }
  for (std::uint32_t i = 0; i < a.job_count; ++i) {
    const std::uint32_t x = a.first_job + i, y = b.first_job + i;
    const plan::Job p = plan.jobs[x], q = plan.jobs[y];
    if (!even_rows(*plan.jobs.law(), x, y) || p.panels != q.panels ||
        p.accumulate != q.accumulate || !machine.evenly(p.a, q.a, times) ||
        !machine.evenly(p.out, q.out, times))
      return false;
  }
  return true;
}

// the members that are defined here
template struct Kernels<float>;
template struct Kernels<double>;

}  // namespace taugrad::runtime
