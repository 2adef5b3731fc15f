// Where the values of a batch lie, and how much that takes.
#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/fail.h"
#include "base/system/memory_limit.h"
#include "runtime/runtime.h"

namespace taugrad::runtime {

/// Bytes for the present batch, by slot: the most that any of its values needs.
template <class S>
typename Runtime<S>::Sizes Runtime<S>::sizes() const {
  Sizes sizes{std::vector<double>(plan_.slots.size()), 0};
  for (const auto& [slot, extent] : plan_.occupants) {
    const plan::Slot& s = plan_.slots[static_cast<std::size_t>(slot)];
    double& bytes = sizes.of_slot[static_cast<std::size_t>(slot)];
    // as a double: exact as far as memory reaches, and never overflows
    const double needs =
        static_cast<double>(s.elements) * static_cast<double>(rows(extent)) * sizeof(S);
    if (!s.outside) bytes = std::max(bytes, needs);
  }
  for (const double bytes : sizes.of_slot) sizes.total = begin_of(bytes, sizes.total) + bytes;
  for (std::size_t i = 0; i < plan_.panels.size(); ++i)
    if (panels_on_[i] < 0) sizes.packed += static_cast<double>(bytes_of(plan_.panels[i]));
  sizes.total += sizes.packed;
  return sizes;
}

template <class S>
void Runtime<S>::refuse(const Sizes& sizes, double budget) const {
  std::map<std::string_view, double> by_name;
  for (std::size_t i = 0; i < plan_.slots.size(); ++i)
    by_name[plan_.names[plan_.slots[i].name]] += sizes.of_slot[i];
  std::vector<MemoryUse> uses = {{"packed weights", sizes.packed}};
  for (const auto& [name, bytes] : by_name) uses.push_back({fmt::format("\"{}\"", name), bytes});
  refuse_memory(fmt::format("running {} items", placed_.order.size()), std::move(uses), budget);
}

/// A slot starts on a cache line; those that fill less than one lie side by side, so that the rows
/// of many steps follow one another.
template <class S>
double Runtime<S>::begin_of(double bytes, double offset) {
  return bytes < kLine ? offset : std::ceil(offset / kLine) * kLine;
}

/// Gives every slot its place in the arena, which only ever grows.
template <class S>
void Runtime<S>::lay_out() {
  const Sizes needs = sizes();
  if (needs.total > static_cast<double>(bytes())) {
    // what is there now is used again
    double budget = static_cast<double>(memory_budget()) + static_cast<double>(bytes());
    if (max_memory_ > 0) budget = std::min(budget, static_cast<double>(max_memory_));
    if (needs.total > budget) refuse(needs, budget);
  }
  grow(static_cast<std::size_t>(needs.total - needs.packed));
  double offset = 0;
  for (std::size_t i = 0; i < plan_.slots.size(); ++i) {
    if (plan_.slots[i].outside) continue;
    offset = begin_of(needs.of_slot[i], offset);
    base_[i] = arena_.get() + static_cast<std::size_t>(offset) / sizeof(S);
    offset += needs.of_slot[i];
  }
}

template <class S>
void Runtime<S>::grow(std::size_t bytes) {
  if (bytes > arena_bytes_ || !arena_) {
    arena_.reset();
    arena_bytes_ = 0;
    arena_.reset(
        static_cast<S*>(::operator new[](std::max(bytes, kPage), std::align_val_t{kPage})));
#ifdef MADV_HUGEPAGE
    madvise(arena_.get(), bytes, MADV_HUGEPAGE);  // long plans walk through all of it
#endif
    arena_bytes_ = bytes;
  }
  if (panels_.empty()) lay_out_panels();
}

/// Matrices that meet the same rows in one step lie side by side: for few rows they are one.
template <class S>
std::vector<std::size_t> Runtime<S>::order_of_panels() const {
  std::vector<std::size_t> order;
  std::vector<char> known(plan_.panels.size(), 0);
  const auto add = [&](std::size_t panels) {
    if (panels_on_[panels] < 0 && std::exchange(known[panels], 1) == 0) order.push_back(panels);
  };
  for (const Step<S>& step : plan_.steps) {
    if (step.form != plan::Form::rows) continue;
    std::map<ValueId, std::vector<std::size_t>> met;
    for (const plan::Job& job : std::span(plan_.jobs).subspan(step.first_job, step.job_count))
      if (known[static_cast<std::size_t>(job.panels)] == 0)
        met[job.a].push_back(static_cast<std::size_t>(job.panels));
    for (const auto& [a, panels] : met) std::ranges::for_each(panels, add);
  }
  for (std::size_t i = 0; i < plan_.panels.size(); ++i) add(i);
  return order;
}

template <class S>
void Runtime<S>::lay_out_panels() {
  std::vector<kernels::Panels<S>> panels(plan_.panels.size());
  const std::vector<std::size_t> order = order_of_panels();
  const auto lie_at = [&](std::size_t i, S* memory) {
    const plan::PackedMatrix& m = plan_.panels[i];
    panels[i].lie_at(memory, m.rows, m.columns, in_pairs(m.pairs));
    return static_cast<std::size_t>(panels[i].elements());
  };
  std::size_t elements = 0, bytes = 0;
  for (const std::size_t i : order) {
    elements += lie_at(i, nullptr);
    bytes += static_cast<std::size_t>(bytes_of(plan_.panels[i]));
  }
  panel_memory_.resize(elements);
  S* next = panel_memory_.data();
  for (const std::size_t i : order) next += lie_at(i, next);
  for (std::size_t i = 0; i < panels.size(); ++i)
    if (const std::int32_t on = panels_on_[i]; on >= 0)
      lie_at(i, panels[static_cast<std::size_t>(on)].memory());
  panels_ = std::move(panels);
  packed_bytes_ += bytes;
}

/// Panels that are packed in each run may lie where others lay that no later step reads. A pack
/// waits for the steps before it, unless they pack too.
template <class S>
void Runtime<S>::place_panels() {
  panels_on_.assign(plan_.panels.size(), -1);
  if (!weights_change_) return;
  std::vector<std::size_t> last(plan_.panels.size());
  const auto each_read = [&](const Step<S>& step, const auto& f) {
    const auto jobs = std::span(plan_.jobs).subspan(step.first_job, step.job_count);
    if (step.form == plan::Form::rows)
      for (const plan::Job& job : jobs) f(static_cast<std::size_t>(job.panels));
    if (step.form == plan::Form::taps)
      for (std::uint32_t d = 0; d < step.operand_count; ++d)
        f(static_cast<std::size_t>(step.panels) + d);
  };
  for (std::size_t i = 0; i < plan_.steps.size(); ++i)
    each_read(plan_.steps[i], [&](std::size_t panels) { last[panels] = i; });
  std::multimap<std::int64_t, std::int32_t> free;        // by bytes: whose memory it is
  std::vector<std::int32_t> owner(plan_.panels.size());  // of the memory of panels
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    const Step<S>& step = plan_.steps[i];
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
  }
}

// the members that are defined here
template class Runtime<float>;
template class Runtime<double>;

}  // namespace taugrad::runtime
