#include "runtime/runtime.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <utility>

#include "base/fail.h"
#include "kernels/gemm/outer.h"
#include "runtime/steps/kernels.h"
#include "runtime/thread_pool.h"

namespace taugrad::runtime {
template <class S>
Runtime<S>::Runtime(const Plan<S>& plan, const ExecutorOptions& options)
    : plan_(plan),
      max_memory_(options.engine.max_memory),
      threads_(options.engine.threads > 0 ? options.engine.threads : available_cores()),
      weights_change_(options.weights_change),
      arena_(options.memory ? options.memory : std::make_shared<Arena>()),
      slots_(plan),
      constants_(plan.programs.size()),
      workers_(1),
      packed_(plan.panels.size()) {
  for (std::size_t i = 0; i < plan.programs.size(); ++i) {
    const std::vector<S>& constants = plan.programs[i].constants;
    const auto width = static_cast<std::size_t>(plan.programs[i].width());
    constants_[i].resize(constants.size() * width);
    for (std::size_t k = 0; k < constants.size(); ++k)
      std::fill_n(constants_[i].data() + k * width, width, constants[k]);
  }
  place_panels();
}

template <class S>
void Runtime<S>::set_batch(const BatchContext& given, std::int64_t items) {
  has_run_ = false;
  if (!ready_ || items != items_ || given.lengths != lengths_) {
    ready_ = false;
    place_batch(plan_.layout, plan_.used_extents, given, items, placed_);
    lay_out();
    take_memory();
    forget_leaves();
    schedule_ = share_out(plan_, placed_, items, threads_);
    prepare_workers();
    count_places();
    count_operations();
    lengths_ = given.lengths;
    items_ = items;
    ready_ = true;
  } else if (!holds_memory()) {
    take_memory();
    forget_leaves();
  }
  place_draws(given, placed_);
}

template <class S>
void Runtime<S>::run() {
  has_run_ = false;
  if (!ready_ || !holds_memory()) fail(Status::usage, "U023", "a run needs a batch");
  if (!given_) require_leaves();
  if (!filled_) require_filled();
  prepare_addresses();
  if (profile_ != nullptr) profile_->begin_run(schedule_.workers);
  if (schedule_.workers > 1)
    run_together();
  else
    run_alone();
  if (profile_ != nullptr) profile_->end_run();
  count_ = count_of_batch_;
  has_run_ = true;
}

template <class S>
bool Runtime<S>::settled() const {
  return has_run_ && holds_memory() && schedule_.workers == 1 && profile_ == nullptr &&
         !workers_[0].ready.script.empty();
}

template <class S>
void Runtime<S>::run_again() {
  Kernels<S>::run_listed(*this, workers_[0]);
}

template <class S>
bool Runtime<S>::write_over(ValueId output_id, ValueId leaf_id) {
  if (place(leaf_id).extent == kShared) return false;
  const std::span<const S> from = output(output_id);
  const std::span<S> to = leaf(leaf_id);
  return from.size() == to.size() && Kernels<S>::write_over(from, to, *this, workers_[0]);
}

/// What was given once stays, or is replaced.
template <class S>
void Runtime<S>::require_leaves() {
  if (const SlotId slot = slots_.missing(); slot >= 0)
    fail(Status::usage, "U023", "\"{}\" was not given before a run",
         plan_.names[plan_.slots[static_cast<std::size_t>(slot)].name]);
  given_ = true;
}

/// Where leaves of items lie, something else lay.
template <class S>
void Runtime<S>::forget_leaves() {
  asked_.assign(plan_.leaves.size(), 0);
  filled_ = false;
}

template <class S>
void Runtime<S>::require_filled() {
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    const Value v = place(plan_.leaf_values[i]);
    if (asked_[i] == 0 && v.extent != kShared && v.elements * rows(v.extent) > 0)
      fail(Status::usage, "U023",
           "\"{}\" was not filled since set_batch: what it held is another batch's or executor's",
           plan_.names[plan_.slots[static_cast<std::size_t>(v.slot)].name]);
  }
  filled_ = true;
}

template <class S>
void Runtime<S>::forget_addresses() {
  for (Worker<S>& w : workers_) {
    w.ready.forget();
    w.told.clear();
  }
}

/// One worker goes through the stretches of a plan that is not written down without a list of them,
/// the first time.
template <class S>
void Runtime<S>::prepare_addresses() {
  const bool told = schedule_.workers == 1 && profile_ == nullptr && plan_.steps.law() != nullptr;
  for (Worker<S>& w : workers_) w.ready.prepare(plan_.steps.size(), told);
}

template <class S>
void Runtime<S>::prepare_workers() {
  workers_.resize(static_cast<std::size_t>(schedule_.workers));
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    workers_[i].number = static_cast<std::int32_t>(i);
    workers_[i].count = schedule_.workers;
    workers_[i].tables.prepare(plan_.programs, constants_);
  }
  forget_addresses();
}

template <class S>
void Runtime<S>::count_operations() {
  count_of_batch_ = {};
  for (std::size_t e = 0; e < plan_.operations.size(); ++e) {
    auto& count = e == kShared ? count_of_batch_.shared : count_of_batch_.per_item;
    if (plan_.operations[e] > 0) count += plan_.operations[e] * placed_.rows[e];
  }
}

/// Places that the rows of the earlier parts of a sum take, by step.
template <class S>
void Runtime<S>::count_places() {
  places_before_.clear();
  if (!plan_.sums_in_parts) return;
  places_before_.resize(plan_.steps.size());
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    const Step<S> step = plan_.steps[i];
    if (step.carry < 0 || step.previous < 0) continue;
    const auto previous = static_cast<std::size_t>(step.previous);
    const Step<S>& part = plan_.steps[previous];
    places_before_[i] = places_before_[previous];
    for (std::uint32_t j = 0; j < part.operand_count; j += 2) {
      const ExtentId a = place(operand(part, j)).extent, b = place(operand(part, j + 1)).extent;
      places_before_[i] += kernels::places(rows(a == kShared ? b : a), in_pairs(part.pairs));
    }
  }
}

template <class S>
void Runtime<S>::watch(Profile<S>* profile) {
  profile_ = profile;
  if (profile != nullptr) profile->attach(*this);
}

template <class S>
void Runtime<S>::carry_out(std::size_t step, Worker<S>& worker) {
  if (profile_ == nullptr) return Kernels<S>::run(step, *this, worker);
  if (profile_->skips(plan_.steps[step])) return;
  const auto start = Profile<S>::Clock::now();
  Kernels<S>::run(step, *this, worker);
  if (profile_->times()) profile_->add(step, worker.number, Profile<S>::Clock::now() - start);
}

template <class S>
void Runtime<S>::run_alone() {
  if (profile_ == nullptr) return Kernels<S>::run_all(*this, workers_[0]);
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) carry_out(i, workers_[0]);
}

/// With fewer workers than planned. One: the team is at work for somebody else, for this run. More:
/// the system lets no more threads start, so it stays at these.
template <class S>
void Runtime<S>::run_with(int workers) {
  if (workers > 1) {
    schedule_ = share_out(plan_, placed_, items_, threads_ = workers);
    prepare_workers();
    prepare_addresses();
    return schedule_.workers > 1 ? run_together() : run_alone();
  }
  const Schedule together = std::exchange(schedule_, Schedule());
  prepare_workers();
  prepare_addresses();
  const auto again = [&] {
    schedule_ = together;
    prepare_workers();
  };
  try {
    run_alone();
  } catch (...) {
    again();
    throw;
  }
  again();
}

/// A worker that fails goes on waiting with the others, without working, so that all come to an
/// end.
template <class S>
void Runtime<S>::run_together() {
  Barrier barrier(schedule_.workers);
  std::atomic<bool> failed = false;
  std::exception_ptr error;
  const auto work = [&](int number) {
    Worker<S>& worker = workers_[static_cast<std::size_t>(number)];
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
      if (schedule_.waits[i] != 0) barrier.wait();
      if (failed.load(std::memory_order_relaxed) ||
          (schedule_.share[i] == Share::alone && number != 0))
        continue;
      try {
        carry_out(i, worker);
      } catch (...) {
        if (!failed.exchange(true)) error = std::current_exception();
      }
    }
  };
  const int together = ThreadPool::of_process().run(schedule_.workers, work);
  if (together < schedule_.workers) return run_with(together);
  if (error) std::rethrow_exception(error);
}

template <class S>
RowRange Runtime<S>::range(ExtentId extent, const Step<S>& step, const Worker<S>& worker) const {
  const std::int64_t n = rows(extent);
  if (share(step) == Share::rows) return {worker.first_of(n), worker.last_of(n)};
  if (share(step) != Share::items) return {0, n};
  const auto number = static_cast<std::size_t>(worker.number);
  return {std::min(schedule_.bounds[number], n), std::min(schedule_.bounds[number + 1], n)};
}

template <class S>
std::pair<std::int64_t, std::int64_t> Runtime<S>::columns(std::int64_t n, const Step<S>& step,
                                                          const Worker<S>& worker) const {
  if (share(step) != Share::columns) return {0, n};
  return {worker.first_of(n), worker.last_of(n)};
}

template <class S>
void Runtime<S>::require_batch() const {
  if (!ready_) fail(Status::usage, "U023", "what belongs to items needs a batch");
}

template <class S>
ValueId Runtime<S>::leaf_value(NodeId id) {
  constexpr std::ptrdiff_t kNear = 8;
  const std::vector<NodeId>& leaves = plan_.leaves;
  const auto last = leaves.begin() + static_cast<std::ptrdiff_t>(last_leaf_);
  const auto near = last + std::min(kNear, leaves.end() - last);
  auto found = std::find(last, near, id);
  if (found == near) found = std::lower_bound(leaves.begin(), leaves.end(), id);
  if (found == leaves.end() || *found != id)
    fail(Status::usage, "U022", "node {} is not a leaf of the plan", id);
  last_leaf_ = static_cast<std::size_t>(found - leaves.begin());
  return plan_.leaf_values[last_leaf_];
}

template <class S>
std::span<const std::int32_t> Runtime<S>::items(ValueId id) const {
  const ExtentId extent = place(id).extent;
  if (extent == kShared) return {};
  require_batch();
  if (!plan_.layout.prefix(extent)) return placed_.callers[extent];
  return std::span(placed_.order).first(static_cast<std::size_t>(rows(extent)));
}

template <class S>
std::span<S> Runtime<S>::leaf(ValueId id) {
  const Value& v = place(id);
  if (v.extent != kShared) require_batch();
  if (v.extent != kShared && !holds_memory())
    fail(Status::usage, "U023", "another executor has the memory: a leaf needs a batch first");
  if (v.extent != kShared && plan_.leaf_values[last_leaf_] == id) asked_[last_leaf_] = 1;
  if (v.extent != kShared) return {data(id), static_cast<std::size_t>(v.elements * rows(v.extent))};
  auto& own = own_[v.slot];
  own.resize(static_cast<std::size_t>(std::max<std::int64_t>(v.elements, 1)));
  std::fill(packed_.begin(), packed_.end(), 0);
  forget_addresses();
  slots_.set(v.slot, own.data());
  return {own.data(), static_cast<std::size_t>(v.elements)};
}

template <class S>
void Runtime<S>::bind(ValueId id, std::span<const S> values) {
  const Value& v = place(id);
  if (v.extent != kShared || values.size() != static_cast<std::size_t>(v.elements))
    fail(Status::usage, "U022", "{} numbers do not fit a shared leaf of {}", values.size(),
         v.elements);
  static S none[1];
  std::fill(packed_.begin(), packed_.end(), 0);
  forget_addresses();
  // Steps only read leaves: their slots are never given to a result.
  slots_.set(v.slot, values.empty() ? none : const_cast<S*>(values.data()));
}

template <class S>
std::span<const S> Runtime<S>::output(ValueId id) const {
  if (!has_run_ || !holds_memory())
    fail(Status::usage, "U023", "an output was asked for before a run of its batch");
  const Value& v = place(id);
  return {data(id), static_cast<std::size_t>(v.elements * rows(v.extent))};
}

template class Runtime<float>;
template class Runtime<double>;

}  // namespace taugrad::runtime
