// What stands at a position: an equation's value, data, a boundary, or zero (R3, R4).
#include <fmt/core.h>

#include <algorithm>

#include "base/fail.h"
#include "base/init.h"
#include "taugrad/graph/op.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"
#include "unfold/unfolder.h"

namespace taugrad {

bool Unfolder::inside(const Symbol& s, const Positions& at) const {
  for (std::size_t a = 0; a < at.size(); ++a)
    if (at[a] < 1 || at[a] > length_of_index(s.axes[a])) return false;
  return true;
}

void Unfolder::find_ends() {
  for (const Rule& rule : model_.rules) {
    bool ends = false;
    for (std::size_t a = 0; a < rule.places.size(); ++a)
      ends =
          ends ||
          (rule.places[a].kind == Place::Kind::end &&
           runs_ragged(model_.index_length[static_cast<std::size_t>(symbol(rule.symbol).axes[a])]));
    ends_with_item_.push_back(ends);
  }
}

// the equation for a position: of two that match, the one with more fixed positions (R3)
const Rule* Unfolder::rule_at(const Symbol& s, const Positions& at, Positions& letters) const {
  const Rule* found = nullptr;
  for (const int r : s.rules) {
    const Rule& rule = model_.rules[static_cast<std::size_t>(r)];
    if (found && rule.fixed < found->fixed) break;
    if (ends_with_item(rule)) continue;
    Positions here;
    bool matches = true;
    for (std::size_t a = 0; a < at.size() && matches; ++a) {
      const At& p = rule.places[a];
      const std::int64_t length = length_of_index(s.axes[a]);
      if (p.kind == Place::Kind::letter) {
        matches = at[a] >= 1 && at[a] <= length;
        here.push_back(at[a]);
      } else {
        matches = at[a] == (p.kind == Place::Kind::number ? p.offset : length + p.offset);
      }
    }
    if (!matches) continue;
    if (found)
      fail_at(
          "E016",
          fmt::format("two equations define \"{}\" at one position of a sequence of this length",
                      s.name),
          rule.equation->text, 0, static_cast<int>(s.name.size()),
          "add an equation for that position, with more fixed positions");
    found = &rule;
    letters = std::move(here);
  }
  return found;
}

NodeId Unfolder::instance(const Rule& rule, const Positions& letters, Part part) {
  Done& d = done(rule);
  const NodeId id = d.of(part).get(letters);
  if (id < 0) tasks_.push_back({static_cast<int>(&rule - model_.rules.data()), part, letters});
  return id;
}

NodeId Unfolder::read(const Slot& slot, const Setting& setting, Part part) {
  const Symbol& s = symbol(slot.symbol);
  if (has_data(slot.places)) return read_data(slot.symbol, slot.places, setting, part);
  Positions at;
  std::size_t last_axis = s.axes.size();
  int last_offset = 0;
  for (std::size_t a = 0; a < slot.places.size(); ++a) {
    const At& p = slot.places[a];
    const int length = model_.index_length[static_cast<std::size_t>(s.axes[a])];
    if (p.kind == Place::Kind::end && runs_ragged(length)) {
      last_axis = a;
      last_offset = p.offset;
      at.push_back(0);
    } else {
      at.push_back(place_of(p, s.axes[a], setting));
    }
  }
  if (last_axis < s.axes.size())
    return read_last(slot.symbol, at, last_axis, last_offset, setting.extent, part);
  return read_at(slot.symbol, std::move(at), setting.extent, part);
}

// Positions that no data tell. What is computed stays far from the end of its type: it lies outside
// either way.
std::int32_t Unfolder::place_of(const At& p, int axis, const Setting& setting) const {
  if (p.kind == Place::Kind::letter)
    return setting.at[static_cast<std::size_t>(p.index)] + p.offset;
  if (p.kind == Place::Kind::number) return p.offset;
  if (p.kind == Place::Kind::end)
    return static_cast<std::int32_t>(length_of_index(axis) + p.offset);
  constexpr std::int64_t kFar = 1'500'000'000;
  const auto letter = [&](int index) {
    return std::int64_t{setting.at[static_cast<std::size_t>(index)]};
  };
  const auto length = [&](int l) { return out_.lengths_[static_cast<std::size_t>(l)]; };
  return static_cast<std::int32_t>(std::clamp(value_of(*p.form, letter, length), -kFar, kFar));
}

NodeId Unfolder::read_at(int number, Positions at, ExtentId extent, Part part) {
  const Symbol& s = symbol(number);
  if (const NodeId before = before_segment(number, at, part); before >= 0)
    return fit(before, extent);
  NodeId base = -1;
  if (s.kind == SymbolKind::input || (part == Part::value && observed(s, at))) {
    if (inside(s, at)) return fit(given(number, at), extent);
    if (s.kind == SymbolKind::input) return fit(outside(number, at, part), extent);
  }
  Positions letters;
  if (const Rule* rule = rule_at(s, at, letters);
      rule && !(part == Part::value && observed(s, at))) {
    base = instance(*rule, letters, part);
    if (base < 0) return -1;
  } else {
    base = outside(number, at, part);
  }
  return boundaries_at_end(number, at, extent, part, fit(base, extent));
}

// g[tau+1] = ..: where q = tau + k for an item, it reads that equation instead
NodeId Unfolder::boundaries_at_end(int number, const Positions& at, ExtentId extent, Part part,
                                   NodeId base) {
  const Symbol& s = symbol(number);
  if (!options_.ragged) return base;
  const auto key = std::tuple(number, at, extent, static_cast<int>(part));
  if (const auto known = merged_.find(key); known != merged_.end()) return known->second;
  bool complete = true, any = false;
  for (const int r : s.rules) {
    const Rule& rule = model_.rules[static_cast<std::size_t>(r)];
    if (!ends_with_item(rule)) continue;
    Positions letters;
    bool matches = true;
    std::int32_t wanted = -1;
    int length = -1;
    for (std::size_t a = 0; a < at.size(); ++a) {
      const At& p = rule.places[a];
      if (p.kind == Place::Kind::end &&
          runs_ragged(model_.index_length[static_cast<std::size_t>(s.axes[a])])) {
        wanted = at[a] - p.offset;
        length = model_.index_length[static_cast<std::size_t>(s.axes[a])];
      } else if (p.kind == Place::Kind::letter) {
        matches = matches && at[a] >= 1 && at[a] <= length_of_index(s.axes[a]);
        letters.push_back(at[a]);
      } else {
        matches = matches && at[a] == p.offset;
      }
    }
    // items of this extent are at least `bound` long
    if (!matches || wanted < bound(extent, length) ||
        wanted > out_.lengths_[static_cast<std::size_t>(length)])
      continue;
    const NodeId special = instance(rule, letters, part);
    if (special < 0) {
      complete = false;
      continue;
    }
    const Var here = equal(tape_.var(length_node(length, extent)), tape_.var(this->number(wanted)));
    base = where(here, tape_.var(fit(special, extent)), tape_.var(base)).id;
    any = true;
  }
  if (!complete) return -1;
  if (any) merged_[key] = base;
  return base;
}

// h[last + offset]: of an item of length l the value at l + offset
NodeId Unfolder::read_last(int number, const Positions& at, std::size_t axis, int offset,
                           ExtentId extent, Part part) {
  const Symbol& s = symbol(number);
  const auto key = std::tuple(number, at, axis, offset, static_cast<int>(part));
  if (const auto known = lasts_.find(key); known != lasts_.end()) return fit(known->second, extent);
  const int length = model_.index_length[static_cast<std::size_t>(s.axes[axis])];
  Vars steps;
  bool complete = true;
  for (std::int64_t l = 0; l <= out_.lengths_[static_cast<std::size_t>(length)]; ++l) {
    Positions here = at;
    here[axis] = static_cast<std::int32_t>(l + offset);
    Extent longer;
    if (l > 0) longer.bounds.push_back({length, static_cast<std::int32_t>(l)});
    const ExtentId wide = l > 0 ? tape_.intern_extent(longer) : kEveryItem;
    const NodeId node = read_at(number, here, wide, part);
    complete = complete && node >= 0;
    if (node >= 0) steps.push_back(tape_.var(node));
  }
  if (!complete) return -1;
  for (Var& v : steps)
    if (!v.per_example()) v = to_items(v, kEveryItem);
  const NodeId result = at_length(steps, length, 0, kEveryItem).id;
  lasts_[key] = result;
  return fit(result, extent);
}

NodeId Unfolder::outside(int number, const Positions& at, Part part) {
  const auto key = std::pair(part == Part::nll ? -1 - number : number, at);
  if (const auto known = zeros_.find(key); known != zeros_.end()) return known->second;
  const Symbol& s = symbol(number);
  const NameId owner = tape_.owner_name();
  const IndexId owner_index = tape_.owner_index();
  const IndexId index = index_at(at, s.axes);
  tape_.set_owner(names_[static_cast<std::size_t>(number)], index);
  const bool category = part == Part::value && s.category >= 0;
  const Var zero = constant(tape_, category ? -1 : 0, part == Part::nll ? Shape{} : s.shape,
                            s.per_example || part == Part::nll ? kEveryItem : kShared);
  if (part == Part::value) {
    tape_.set_value(zero.id, names_[static_cast<std::size_t>(number)], index);
    values_[static_cast<std::size_t>(number)]->set(at, zero.id);
  }
  tape_.set_owner(owner, owner_index);
  return zeros_[key] = zero.id;
}

NodeId Unfolder::given(int number, const Positions& at) {
  PositionTable& table = given_[static_cast<std::size_t>(number)];
  if (const NodeId id = table.get(at); id >= 0) return id;
  const Symbol& s = symbol(number);
  const NameId owner = tape_.owner_name();
  const IndexId owner_index = tape_.owner_index();
  tape_.set_owner(0, 0);
  Positions by_index(model_.system.indices.size(), 0);
  for (std::size_t a = 0; a < at.size(); ++a)
    by_index[static_cast<std::size_t>(s.axes[a])] =
        std::max(by_index[static_cast<std::size_t>(s.axes[a])], at[a]);
  const ExtentId extent = extent_of(s.axes, by_index);
  const bool value = !s.random() || observed(s, at);
  AttrsId& category = categories_[static_cast<std::size_t>(number)];
  if (s.category >= 0 && category == 0) category = tape_.intern_attrs({{"category", s.category}});
  if (s.position >= 0 && category == 0)
    category = tape_.intern_attrs({{"position", std::int64_t{1}}});
  const NodeId leaf = tape_.append_raw(
      kInput, {}, tape_.intern_shape(s.category >= 0 ? Shape{} : s.shape), category, extent);
  const NameId name = value ? names_[static_cast<std::size_t>(number)]
                            : tape_.intern_name(data_input(s.name), letters_of(s.axes));
  tape_.set_value(leaf, name, index_at(at, s.axes));
  tape_.set_owner(owner, owner_index);
  table.set(at, leaf);
  if (value) values_[static_cast<std::size_t>(number)]->set(at, leaf);
  return leaf;
}

namespace {
// values of another shape are refused where they are drawn, by the definition's own words
Attrs attrs_of(const WeightDeclaration& w, std::int64_t size) {
  const bool fits = w.values && (w.values->size() == 1 || w.values->size() == size);
  const auto values = fits ? w.values->values<double>() : std::span<const double>();
  const std::string init = init_text(w.init, values);
  return init.empty() ? Attrs{} : Attrs{{"init", init}};
}
}  // namespace

const Attrs& Unfolder::init_of(int number) {
  const auto declaration = symbol(number).declaration;
  const auto known = inits_.find(declaration);
  if (known != inits_.end()) return known->second;
  return inits_[declaration] =
             attrs_of(model_.system.weights[static_cast<std::size_t>(declaration)].declaration,
                      symbol(number).shape.size());
}

NodeId Unfolder::weight_leaf(int number, const Positions& at) {
  PositionTable& table = *weights_[static_cast<std::size_t>(number)];
  if (const NodeId id = table.get(at); id >= 0) return id;
  Positions numbers;
  for (std::size_t a = 0; a < at.size(); ++a)
    numbers.push_back(shown(at[a], symbol(number).axes[a]));
  const NodeId id = tape_
                        .named_leaf(kWeight, symbol(number).shape, kShared, init_of(number),
                                    symbol(number).name, numbers)
                        .id;
  table.set(at, id);
  return id;
}

namespace {
// "R[tau+1]", "V[]": a copy named as its left side is written
std::string copy_name(const std::string& weight, const CopyKey& key, const Positions& at) {
  std::string text;
  std::size_t number = 0;
  for (const std::string& end : key.ends)
    text += (text.empty() ? "" : ",") + (end.empty() ? std::to_string(at[number++]) : end);
  return fmt::format("{}[{}]", weight, text);
}
}  // namespace

Unfolded::CopyGroup& Unfolder::copies_of(int number, CopyKey& kind) {
  std::vector<Unfolded::CopyGroup>& groups = *copies_[static_cast<std::size_t>(number)];
  kind.group.resize(model_.symbols.size(), -1);
  int& known = kind.group[static_cast<std::size_t>(number)];
  if (known >= 0) return groups[static_cast<std::size_t>(known)];
  const auto same = std::find_if(groups.begin(), groups.end(), [&](const auto& g) {
    return g.letters == kind.letters && g.ends == kind.ends;
  });
  known = static_cast<int>(same - groups.begin());
  if (same == groups.end()) {
    std::vector<std::int64_t> lengths;
    for (std::size_t a = 0; a < kind.letters.size(); ++a)
      if (kind.ends[a].empty()) lengths.push_back(out_.length(kind.letters[a]));
    const NameId name =
        tape_.intern_name(model_.symbols[static_cast<std::size_t>(number)].name, kind.letters);
    groups.push_back({kind.letters, kind.ends, PositionTable(lengths), name});
  }
  return groups[static_cast<std::size_t>(known)];
}

NodeId Unfolder::copy_of(const Slot& slot, const Setting& setting) {
  if (has_data(slot.places)) return read_data(slot.symbol, slot.places, setting, Part::value);
  const Symbol& s = symbol(slot.symbol);
  Positions at;
  for (std::size_t a = 0; a < slot.places.size(); ++a)
    at.push_back(place_of(slot.places[a], s.axes[a], setting));
  return copy_at(slot.symbol, at, setting);
}

NodeId Unfolder::copy_at(int number, const Positions& at, const Setting& setting) {
  const Symbol& s = symbol(number);
  if (!s.axes.empty() && !inside(s, at)) return outside(number, at, Part::value);
  const NodeId leaf = weight_leaf(number, at);
  const CopyKey& kind = *setting.copy_key;
  Unfolded::CopyGroup* group = &copies_of(number, *setting.copy_key);
  // an untied weight may be read at several of its positions from one left side
  const NodeId first = group->nodes.get(setting.copy_at);
  if (first >= 0 && tape_.inputs(first)[0] == leaf) return first;
  if (const auto more = group->more.find(setting.copy_at.vector()); more != group->more.end())
    for (const NodeId id : more->second)
      if (tape_.inputs(id)[0] == leaf) return id;
  const NameId owner = tape_.owner_name();
  const IndexId owner_index = tape_.owner_index();
  Positions shown_at;
  for (std::size_t a = 0; a < kind.axes.size(); ++a)
    shown_at.push_back(shown(setting.copy_at[a], kind.axes[a]));
  const NameId name =
      kind.numbered ? group->name : tape_.intern_name(copy_name(s.name, kind, shown_at));
  const IndexId index = kind.numbered ? tape_.intern_index(shown_at) : 0;
  tape_.set_owner(name, index);
  // a weight is not per example, and its copy has its shape
  const NodeId id = tape_.append_raw(kCopy, {&leaf, 1}, tape_.shape_id(leaf), 0, kShared);
  tape_.set_value(id, name, index);
  tape_.set_owner(owner, owner_index);
  if (first < 0)
    group->nodes.set(setting.copy_at, id);
  else
    group->more[setting.copy_at.vector()].push_back(id);
  return id;
}

NodeId Unfolder::number(double value) {
  const auto known = numbers_.find(value);
  if (known != numbers_.end()) return known->second;
  const NameId owner = tape_.owner_name();
  const IndexId owner_index = tape_.owner_index();
  tape_.set_owner(0, 0);
  const NodeId id = constant(tape_, value).id;
  tape_.set_owner(owner, owner_index);
  return numbers_[value] = id;
}

NodeId Unfolder::length_node(int number, ExtentId extent) {
  NodeId& id = length_nodes_[static_cast<std::size_t>(number)];
  if (id < 0) {
    const NameId owner = tape_.owner_name();
    const IndexId owner_index = tape_.owner_index();
    tape_.set_owner(0, 0);
    id = length(tape_, number).id;
    tape_.set_value(id, tape_.intern_name(model_.lengths[static_cast<std::size_t>(number)]), 0);
    tape_.set_owner(owner, owner_index);
  }
  return fit(id, extent);
}

}  // namespace taugrad
