// Where the values of a batch lie, and how much that takes.
#include <algorithm>
#include <utility>

#include "base/fail.h"
#include "base/system/memory_limit.h"
#include "runtime/runtime.h"

namespace taugrad::runtime {

template <class S>
void Runtime<S>::refuse(double packed, double budget) const {
  std::vector<MemoryUse> uses = {{"packed weights", packed}};
  for (const auto& [name, bytes] : slots_.bytes_by_name(placed_))
    uses.push_back({fmt::format("\"{}\"", name), bytes});
  refuse_memory(fmt::format("running {} items", placed_.order.size()), std::move(uses), budget);
}

/// Finds every slot's place in the arena.
template <class S>
void Runtime<S>::lay_out() {
  const double needs = slots_.lay_out(placed_);
  double packed = 0;
  for (std::size_t i = 0; i < plan_.panels.size(); ++i)
    if (panels_on_[i] < 0) packed += static_cast<double>(bytes_of(plan_.panels[i]));
  if (needs + packed > static_cast<double>(bytes())) {
    // what is there now is used again
    double budget = static_cast<double>(memory_budget()) + static_cast<double>(bytes());
    if (max_memory_ > 0) budget = std::min(budget, static_cast<double>(max_memory_));
    if (needs + packed > budget) refuse(packed, budget);
  }
  bytes_of_values_ = static_cast<std::size_t>(needs);
  laid_on_ = nullptr;
}

/// Makes the arena large enough and gives what lies there its addresses. Another runtime may have
/// moved it.
template <class S>
void Runtime<S>::take_memory() {
  arena_->holder = nullptr;
  // long plans walk through all of it
  if (void* const memory = arena_->values.grow(bytes_of_values_, true); memory != laid_on_) {
    slots_.lie_at(static_cast<S*>(memory));
    laid_on_ = memory;
    forget_addresses();
  }
  take_panels();
  arena_->holder = this;
}

/// Panels that are filled in each run lie where those of others do.
template <class S>
void Runtime<S>::take_panels() {
  if (panels_.empty()) lay_out_panels(nullptr);
  if (elements_packed_ == 0 || (!weights_change_ && panels_at_ != nullptr)) return;
  if (!weights_change_) kept_panels_.resize(elements_packed_);
  S* const memory = weights_change_
                        ? static_cast<S*>(arena_->packed.grow(elements_packed_ * sizeof(S), false))
                        : kept_panels_.data();
  if (memory == panels_at_) return;
  lay_out_panels(memory);
  panels_at_ = memory;
  forget_addresses();
}

/// Calls body(number, step) for the steps that read packed matrices or pack them, in their order.
/// Of those that come again and again with the same matrices, the first times and the last.
template <class S>
template <class Body>
void Runtime<S>::each_reader(const Body& body) const {
  const auto visit = [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      if (const Step<S> step = plan_.steps[i]; step.form == plan::Form::rows ||
                                               step.form == plan::Form::taps ||
                                               step.form == plan::Form::pack)
        body(i, step);
  };
  const plan::Stretches* const law = plan_.steps.law();
  if (law == nullptr) return visit(0, plan_.steps.size());
  for (const plan::Stretches::Piece& piece : law->pieces()) {
    const std::size_t last = piece.end() - piece.length;
    if (piece.count <= kFewTimes || !same_matrices(piece)) {
      visit(piece.begin, piece.end());
      continue;
    }
    visit(piece.begin, piece.begin + 3 * piece.length);
    visit(last, piece.end());
  }
}

/// Whether the steps of a stretch, from the second time on, read the same matrices each time.
template <class S>
bool Runtime<S>::same_matrices(const plan::Stretches::Piece& piece) const {
  for (std::size_t r = piece.begin; r < piece.begin + piece.length; ++r) {
    const Step<S> second = plan_.steps[r + piece.length], third = plan_.steps[r + 2 * piece.length];
    if (second.panels != third.panels) return false;
    for (std::uint32_t j = 0; j < second.job_count; ++j) {
      const std::size_t a = second.first_job + j, b = third.first_job + j;
      if (plan_.jobs[a].panels != plan_.jobs[b].panels) return false;
      if (plan_.jobs.law() == nullptr || b < a ||
          plan_.jobs.law()->even_times(a, static_cast<std::int64_t>(b - a)) < piece.count - 1)
        return false;
    }
  }
  return true;
}

/// Calls body(job) for the jobs of a step that multiplies by packed matrices, in their order. Of
/// those of one matrix that a law tells the first and the last.
template <class S>
template <class Body>
void Runtime<S>::each_job(const Step<S>& step, const Body& body) const {
  const plan::Stretches* const law = plan_.jobs.law();
  const std::size_t end = step.first_job + step.job_count;
  for (std::size_t j = step.first_job; j < end; ++j) {
    const plan::Job job = plan_.jobs[j];
    body(job);
    const std::size_t times = law == nullptr ? 1 : std::min(law->even_times(j, 1), end - j);
    if (times < 3 || plan_.jobs[j + 1].panels != job.panels) continue;
    j += times - 1;
    body(plan_.jobs[j]);
  }
}

/// Matrices that meet the same rows in one step lie side by side: for few rows they are one.
template <class S>
std::vector<std::size_t> Runtime<S>::order_of_panels() const {
  std::vector<std::size_t> order;
  std::vector<char> known(plan_.panels.size(), 0);
  const auto add = [&](std::size_t panels) {
    if (panels_on_[panels] < 0 && std::exchange(known[panels], 1) == 0) order.push_back(panels);
  };
  each_reader([&](std::size_t, const Step<S>& step) {
    if (step.form != plan::Form::rows) return;
    std::vector<std::pair<ValueId, std::size_t>> met;
    each_job(step, [&](const plan::Job& job) {
      const auto panels = static_cast<std::size_t>(job.panels);
      if (known[panels] == 0 && (met.empty() || met.back() != std::pair(job.a, panels)))
        met.emplace_back(job.a, panels);
    });
    std::ranges::stable_sort(met, {}, [](const auto& m) { return m.first; });
    for (const auto& [a, panels] : met) add(panels);
  });
  for (std::size_t i = 0; i < plan_.panels.size(); ++i) add(i);
  return order;
}

template <class S>
void Runtime<S>::lay_out_panels(S* memory) {
  std::vector<kernels::Panels<S>> panels(plan_.panels.size());
  const std::vector<std::size_t> order = order_of_panels();
  const auto lie_at = [&](std::size_t i, S* where) {
    const plan::PackedMatrix& m = plan_.panels[i];
    panels[i].lie_at(where, m.rows, m.columns, in_pairs(m.pairs));
    return static_cast<std::size_t>(panels[i].elements());
  };
  elements_packed_ = packed_bytes_ = 0;
  for (const std::size_t i : order) {
    const std::size_t elements = lie_at(i, memory);
    elements_packed_ += elements;
    if (memory != nullptr) memory += elements;
    packed_bytes_ += static_cast<std::size_t>(bytes_of(plan_.panels[i]));
  }
  for (std::size_t i = 0; i < panels.size(); ++i)
    if (const std::int32_t on = panels_on_[i]; on >= 0)
      lie_at(i, panels[static_cast<std::size_t>(on)].memory());
  panels_ = std::move(panels);
}

/// Panels that are packed in each run may lie where others lay that no later step reads. A pack
/// waits for the steps before it, unless they pack too.
template <class S>
void Runtime<S>::place_panels() {
  panels_on_.assign(plan_.panels.size(), -1);
  if (!weights_change_) return;
  std::vector<std::size_t> last(plan_.panels.size());
  const auto each_read = [&](const Step<S>& step, const auto& f) {
    if (step.form == plan::Form::rows)
      each_job(step, [&](const plan::Job& job) { f(static_cast<std::size_t>(job.panels)); });
    if (step.form == plan::Form::taps)
      for (std::uint32_t d = 0; d < step.operand_count; ++d)
        f(static_cast<std::size_t>(step.panels) + d);
  };
  each_reader([&](std::size_t i, const Step<S>& step) {
    each_read(step, [&](std::size_t panels) { last[panels] = i; });
  });
  std::multimap<std::int64_t, std::int32_t> free;        // by bytes: whose memory it is
  std::vector<std::int32_t> owner(plan_.panels.size());  // of the memory of panels
  each_reader([&](std::size_t i, const Step<S>& step) {
    if (step.form == plan::Form::pack) {
      const auto panels = static_cast<std::size_t>(step.panels);
      owner[panels] = step.panels;
      if (const auto found = free.lower_bound(bytes_of(plan_.panels[panels]));
          found != free.end()) {
        panels_on_[panels] = owner[panels] = found->second;
        free.erase(found);
      }
    }
    each_read(step, [&](std::size_t panels) {
      if (last[panels] != i) return;
      const std::int32_t whose = owner[panels];
      free.emplace(bytes_of(plan_.panels[static_cast<std::size_t>(whose)]), whose);
      last[panels] = plan_.steps.size();  // given back once
    });
  });
}

// the members that are defined here
template class Runtime<float>;
template class Runtime<double>;

}  // namespace taugrad::runtime
