#include "train/data/items.h"

#include <algorithm>
#include <limits>

#include "base/fail.h"
#include "train/data/counted.h"

namespace taugrad {

std::size_t Items::size() const {
  return data_.stored ? data_.stored->size : data_.examples.size();
}

std::int64_t Items::length(std::size_t item, const std::string& name) const {
  return data_.stored ? data_.stored->length(item, name) : data_.examples[item].lengths.at(name);
}

std::map<std::string, std::int64_t> Items::lengths(std::size_t item) const {
  if (!data_.stored) return data_.examples[item].lengths;
  std::map<std::string, std::int64_t> all;
  for (const std::string& name : data_.stored->lengths) all[name] = length(item, name);
  return all;
}

std::int64_t Items::work(std::size_t item) const {
  std::int64_t steps = 1;
  for (const auto& [name, n] : lengths(item)) steps *= std::max<std::int64_t>(n, 1);
  return steps;
}

std::int64_t Items::targets(const ResolvedModel& model, std::size_t item) const {
  return data_.stored ? data_.stored->targets(item) : targets_of(model, data_.examples[item]);
}

std::int64_t Items::missing(std::size_t item, const Symbol& s, int axis, std::int64_t from,
                            std::int64_t to) const {
  return missing_of((*this)[item], s, axis, from, to);
}

bool Items::has_target(std::size_t item, const std::string& variable,
                       std::span<const std::int32_t> at) const {
  return taugrad::has_target((*this)[item], variable, at);
}

void Items::tell_place(std::size_t item, Diagnostic& d) const {
  if (data_.stored) return data_.stored->tell_place(item, d);
  const Example& e = data_.examples[item];
  if (e.file) d.file = *e.file;
  d.line = e.line;
}

void Items::load(std::span<const std::size_t> items) {
  load(items, 0, std::numeric_limits<std::int64_t>::max());
}

void Items::load(std::span<const std::size_t> items, std::int64_t from, std::int64_t to) {
  if (!data_.stored) return;
  std::unordered_map<std::size_t, StoredItem> loaded;
  for (const std::size_t i : items) {
    const auto known = loaded_.find(i);
    const bool there = known != loaded_.end() && known->second.whole;
    loaded.emplace(i, there ? std::move(known->second) : data_.stored->read(i, from, to));
  }
  loaded_ = std::move(loaded);
}

const StoredItem& Items::loaded(std::size_t item) const {
  const auto found = loaded_.find(item);
  if (found == loaded_.end())
    fail(Status::bug, "B001", "an item in a file is read before it is loaded: {}", item);
  return found->second;
}

const Example& Items::operator[](std::size_t item) const {
  return data_.stored ? loaded(item).example : data_.examples[item];
}

void Items::read(std::size_t item, const std::string& name, std::span<const std::int32_t> at,
                 bool category, std::span<float> to) const {
  if (const std::string variable = counted_variable(name); !variable.empty()) {
    to[0] = has_target(item, variable, at) ? 1.0F : 0.0F;
    return;
  }
  const StoredItem* part = data_.stored ? &loaded(item) : nullptr;
  const Example& e = part != nullptr ? part->example : data_.examples[item];
  const auto found = e.values.find(name);
  if (found == e.values.end())
    fail(Status::bad_input, "D005", "item {} lacks the variable \"{}\"", item, name);
  const Tensor& from = found->second;
  bool given = true;
  std::int64_t flat = 0;
  for (std::size_t a = 0; a < at.size(); ++a) {
    const std::int64_t before = part != nullptr && a == 0 ? part->from : 0;
    given = given && at[a] > before && at[a] <= before + from.dims()[a];
    flat = flat * from.dims()[a] + at[a] - 1 - before;
  }
  const std::int64_t first = flat * static_cast<std::int64_t>(to.size());
  for (std::size_t i = 0; i < to.size(); ++i)
    to[i] = given      ? static_cast<float>(from.at(first + static_cast<std::int64_t>(i)))
            : category ? -1.0F
                       : 0.0F;
}

bool all_empty(const Items& items) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::map<std::string, std::int64_t> lengths = items.lengths(i);
    if (lengths.empty()) return false;
    for (const auto& [name, n] : lengths)
      if (n > 0) return false;
  }
  return true;
}

void fail_without_targets(const Items& items, std::string_view so) {
  Diagnostic d;
  d.code = "D002";
  if (all_empty(items))
    d.message = items.size() == 1
                    ? fmt::format("the one item has no step: {}", so)
                    : fmt::format("none of the {} items has a step: {}", items.size(), so);
  else
    d.message = fmt::format("no target of the data is given: {}", so);
  items.tell_place(0, d);
  fail(Status::bad_input, std::move(d));
}

Dataset take_items(Dataset& data, const std::function<bool(std::size_t)>& pick) {
  Dataset taken;
  if (data.stored) {
    taken.stored = only(data.stored, pick);
    data.stored = only(data.stored, [&](std::size_t i) { return !pick(i); });
    return taken;
  }
  std::vector<Example> rest;
  for (std::size_t i = 0; i < data.examples.size(); ++i)
    (pick(i) ? taken.examples : rest).push_back(std::move(data.examples[i]));
  data.examples = std::move(rest);
  return taken;
}

}  // namespace taugrad
