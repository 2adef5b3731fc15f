#include "evaluate/leaves/asked_lengths.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/fail.h"
#include "base/index.h"
#include "unfold/unfold_check.h"

namespace taugrad {
namespace {

[[noreturn]] void refuse_steps(const std::string& told) {
  Diagnostic d;
  d.code = "U007";
  d.message = fmt::format("the steps are other than those of the tensors, by which {}", told);
  d.help =
      "leave it out; only what is drawn goes on past its data, where no input and no observed "
      "variable ends there";
  fail(Status::usage, std::move(d));
}

}  // namespace

void AskedLengths::apply() {
  data_.data_lengths.resize(model_.lengths.size());
  bool heard = false;
  std::string teller;
  for (std::size_t l = 0; l < model_.lengths.size(); ++l) {
    const std::int64_t named = asked_by_name(l);
    const std::int64_t steps = named >= 0 ? named : options_.steps;
    if (steps < 0 || model_.fixed_lengths[l] >= 0 || model_.is_derived(l)) continue;
    const std::int64_t known = known_length(l);
    const bool fits = known < 0 || known == steps || go_past_data(l, steps, known);
    const std::string told = fmt::format("{} is {}", model_.lengths[l], known);
    if (!fits && named >= 0) refuse_steps(told);
    if (!fits) teller = told;
    heard = heard || (fits && named < 0);
  }
  if (!heard && !teller.empty()) refuse_steps(teller);
}

std::int64_t AskedLengths::known_length(std::size_t l) const {
  if (data_.longest[l] >= 0 || data_.lengths[l].empty()) return data_.longest[l];
  return *std::max_element(data_.lengths[l].begin(), data_.lengths[l].end());
}

bool AskedLengths::has_axis(const Symbol& s, std::size_t l) const {
  return std::any_of(s.axes.begin(), s.axes.end(), [&](int axis) {
    return model_.index_length[static_cast<std::size_t>(axis)] == static_cast<int>(l);
  });
}

// each item from the end of its own data
bool AskedLengths::go_past_data(std::size_t l, std::int64_t steps, std::int64_t known) {
  if (steps < known) return false;
  for (std::size_t other = 0; other < model_.lengths.size(); ++other)
    if (model_.is_derived(other) &&
        are_related(model_, static_cast<int>(other), static_cast<int>(l)))
      return false;
  bool any = false;
  for (const auto& [name, tensor] : data_.inputs) {
    if (is_lengths(name) || name == "item") continue;
    const bool cotangent = name.starts_with("cotangent:");
    const Symbol& s = model_.symbols[at(model_.find(cotangent ? name.substr(10) : name))];
    if (!has_axis(s, l)) continue;
    const auto mode = options_.modes.find(s.name);
    if (name != s.name || mode == options_.modes.end() || !mode->second.draws()) return false;
    any = true;
  }
  if (!any) return false;
  const auto items = static_cast<std::size_t>(data_.items);
  data_.data_lengths[l] = data_.lengths[l].empty() ? std::vector<std::int64_t>(items, known)
                                                   : std::move(data_.lengths[l]);
  data_.lengths[l].assign(items, steps);
  data_.longest[l] = steps;
  return true;
}

bool AskedLengths::is_drawn(std::size_t l) const {
  return std::any_of(model_.symbols.begin(), model_.symbols.end(), [&](const Symbol& s) {
    const auto mode = options_.modes.find(s.name);
    return s.length == static_cast<int>(l) && mode != options_.modes.end() && mode->second.draws();
  });
}

std::int64_t AskedLengths::asked(std::size_t l) const {
  const std::int64_t named = asked_by_name(l);
  return named >= 0 || !data_.lengths[l].empty() ? named : options_.steps;
}

std::int64_t AskedLengths::asked_by_name(std::size_t l) const {
  if (const auto given = options_.lengths.find(model_.lengths[l]); given != options_.lengths.end())
    return given->second;
  for (std::size_t i = 0; i < model_.index_length.size(); ++i)
    if (model_.index_length[i] == static_cast<int>(l))
      if (const auto given = options_.lengths.find(model_.system.indices[i].name);
          given != options_.lengths.end())
        return given->second;
  return -1;
}

}  // namespace taugrad
