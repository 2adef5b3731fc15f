// A circle of equations placed once for each level of the trees of a batch, instead of each step.
#include <algorithm>

#include "graph/verified.h"
#include "taugrad/ops/chosen_rows.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"
#include "unfold/unfolder.h"

namespace taugrad {

bool Unfolder::stands_by_level(const Task& task) const {
  return by_level_.levels > 0 && task.part == Part::value &&
         std::ranges::find(by_level_.circle.rules, task.rule) != by_level_.circle.rules.end();
}

/// A value at a step: of each item the row of its node.
bool Unfolder::place_from_levels(const Task& task) {
  if (by_level_.values.empty() && !place_levels()) return false;
  const Rule& rule = model_.rules[static_cast<std::size_t>(task.rule)];
  const Symbol& s = symbol(rule.symbol);
  const Setting setting = setting_of(rule, task.letters);
  tape_.set_owner(names_[static_cast<std::size_t>(rule.symbol)], index_at(task.letters, s.axes));
  const Var places = places_leaf(levels_leaf(letter_of_levels()), task.letters[0], setting.extent);
  Vars levels;
  for (const NodeId id : by_level_.values[static_cast<std::size_t>(rule.symbol)])
    levels.push_back(tape_.var(id));
  const NodeId found = take_rows(places, levels, 1, setting.extent).id;
  done(rule).value.set(task.letters, finish_value(found, s, setting, task.letters));
  tape_.set_owner(0, 0);
  return true;
}

const std::string& Unfolder::letter_of_levels() const {
  return model_.system.indices[static_cast<std::size_t>(by_level_.circle.index)].name;
}

ExtentId Unfolder::extent_of_level(std::int64_t level) {
  const auto which = static_cast<std::int32_t>(model_.lengths.size());
  return tape_.intern_extent({{{which, static_cast<std::int32_t>(level)}}});
}

Var Unfolder::places_leaf(const std::string& name, std::int32_t at, ExtentId extent) {
  const auto key = std::pair(name, at);
  if (const auto known = by_level_.leaves.find(key); known != by_level_.leaves.end())
    return tape_.var(known->second);
  const NameId owner = tape_.owner_name();
  const IndexId index = tape_.owner_index();
  tape_.set_owner(0, 0);
  const Var leaf = tape_.leaf(kInput, Shape{2}, extent);
  tape_.set_value(leaf.id, tape_.intern_name(name), tape_.intern_index({&at, 1}));
  tape_.set_owner(owner, index);
  by_level_.leaves[key] = leaf.id;
  return leaf;
}

/// False: something that the circle reads is not placed yet (tasks are pushed).
bool Unfolder::place_levels() {
  if (!gather_steps()) return false;
  by_level_.values.assign(model_.symbols.size(), {});
  for (std::int64_t level = 1; level <= by_level_.levels; ++level) {
    std::vector<int> open = by_level_.circle.rules;
    while (!open.empty())  // in the order in which they read each other at one step
      std::erase_if(open, [&](int r) { return place_at_level(r, level); });
  }
  return true;
}

/// What the circle reads outside of itself, for each of its slots, at each step.
bool Unfolder::gather_steps() {
  const std::int64_t steps = length_of_index(by_level_.circle.index);
  bool complete = true;
  by_level_.steps.clear();
  for (const int r : by_level_.circle.rules) {
    const Rule& rule = model_.rules[static_cast<std::size_t>(r)];
    for (const Slot& slot : block(rule.block).slots) {
      if (in_circle(slot) || slot.kind == Slot::Kind::copy) continue;
      std::vector<NodeId>& nodes = by_level_.steps[&slot];
      for (std::int64_t t = 1; t <= steps; ++t) {
        Setting setting = setting_of(rule, {static_cast<std::int32_t>(t)});
        complete = gather_slot(slot, setting, nodes) && complete;
      }
    }
  }
  for (const int r : by_level_.circle.boundaries)
    if (r >= 0)
      complete =
          instance(model_.rules[static_cast<std::size_t>(r)], {}, Part::value) >= 0 && complete;
  return complete;
}

bool Unfolder::in_circle(const Slot& slot) const {
  if (slot.kind != Slot::Kind::read) return false;
  return std::ranges::any_of(by_level_.circle.rules, [&](int r) {
    return model_.rules[static_cast<std::size_t>(r)].symbol == slot.symbol;
  });
}

/// False: an equation that it reads at the same step is not placed yet.
bool Unfolder::place_at_level(int number, std::int64_t level) {
  const Rule& rule = model_.rules[static_cast<std::size_t>(number)];
  Setting setting = setting_of(rule, {static_cast<std::int32_t>(level)});
  setting.extent = extent_of_level(level);
  tape_.set_owner(names_[static_cast<std::size_t>(rule.symbol)],
                  tape_.intern_index(setting.copy_at));
  std::vector<NodeId> found;
  for (const Slot& slot : block(rule.block).slots) {
    const NodeId node = read_at_level(slot, setting, level);
    if (node < 0) return false;
    found.push_back(node);
  }
  std::size_t cursor = 0;
  Var v = tape_.var(place(rule.block, setting, found, cursor).front());
  if (!v.per_example()) v = to_items(v, setting.extent);
  by_level_.values[static_cast<std::size_t>(rule.symbol)].push_back(v.id);
  tape_.set_owner(0, 0);
  return true;
}

NodeId Unfolder::read_at_level(const Slot& slot, const Setting& setting, std::int64_t level) {
  if (slot.kind == Slot::Kind::copy) return copy_of(slot, setting);
  if (!in_circle(slot)) return step_at_level(by_level_.steps.at(&slot), level, setting.extent);
  const std::vector<NodeId>& values = by_level_.values[static_cast<std::size_t>(slot.symbol)];
  if (!has_data(slot.places))
    return static_cast<std::int64_t>(values.size()) == level ? values.back() : -1;
  Vars sources;
  const int boundary = by_level_.circle.boundaries[static_cast<std::size_t>(slot.symbol)];
  if (boundary >= 0) {
    const NodeId id = instance(model_.rules[static_cast<std::size_t>(boundary)], {}, Part::value);
    sources.push_back(tape_.var(id));
    if (!sources.back().per_example()) sources.back() = to_items(sources.back(), kEveryItem);
  }
  for (std::int64_t below = 1; below < level; ++below)
    sources.push_back(tape_.var(values[static_cast<std::size_t>(below) - 1]));
  // nothing stands below the first level: what is made of it is the same for all its nodes
  if (sources.empty()) return constant(tape_, 0, symbol(slot.symbol).shape).id;
  const std::string& positions = symbol(slot.places[0].form->single()->number).name;
  const Var places =
      places_leaf(rows_leaf(positions), static_cast<std::int32_t>(level), setting.extent);
  return take_rows(places, sources, boundary >= 0 ? 0 : 1, setting.extent).id;
}

/// Of what stands at the steps, the rows of a level; itself where it is one value for all.
NodeId Unfolder::step_at_level(const std::vector<NodeId>& steps, std::int64_t level,
                               ExtentId extent) {
  const bool one = std::ranges::all_of(
      steps, [&](NodeId id) { return id == steps.front() && tape_.extent_id(id) == kShared; });
  if (one) return steps.front();
  const auto key = std::pair(steps, level);
  if (const auto known = by_level_.taken.find(key); known != by_level_.taken.end())
    return known->second;
  Vars sources;
  for (std::size_t t = 1; t <= steps.size(); ++t) {
    const Var v = tape_.var(steps[t - 1]);
    Positions at(model_.system.indices.size(), 0);
    at[static_cast<std::size_t>(by_level_.circle.index)] = static_cast<std::int32_t>(t);
    sources.push_back(v.per_example() ? v : to_items(v, extent_of({by_level_.circle.index}, at)));
  }
  const Var places =
      places_leaf(steps_leaf(letter_of_levels()), static_cast<std::int32_t>(level), extent);
  return by_level_.taken[key] = take_rows(places, sources, 1, extent).id;
}

Unfolded unfold_by_levels(std::shared_ptr<const ResolvedModel> model, const UnfoldOptions& options,
                          const LevelCircle& circle, std::int64_t levels) {
  Unfolded unfolded = Unfolder(std::move(model), options, {circle, levels}).run();
  verify_rewritten(unfolded.graph().tape());
  return unfolded;
}

}  // namespace taugrad
