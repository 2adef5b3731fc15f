// What stands at positions that data name: of each item one of the steps that there may be (R17).
#include <algorithm>

#include "base/fail.h"
#include "taugrad/ops/data_positions.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"
#include "unfold/unfolder.h"

namespace taugrad {

using Term = PositionForm::Term;

NodeId Unfolder::read_data(int number, const std::vector<At>& places, const Setting& setting,
                           Part part) {
  const Symbol& s = symbol(number);
  Positions at;
  std::vector<DataAxis> axes;
  for (std::size_t a = 0; a < places.size(); ++a) {
    const At& p = places[a];
    if (!p.form || !has_data(*p.form)) {
      at.push_back(place_of(p, s.axes[a], setting));
      continue;
    }
    DataAxis axis = data_axis(s, a);
    bound_by_order(*p.form, setting, axis);
    PositionForm form = *p.form;
    if (form.single()) axis.moved = form.offset, form.offset = 0;
    axis.position = computed(form, setting);
    if (axis.position < 0) return -1;
    at.push_back(0);
    axes.push_back(axis);
  }
  std::vector<std::int64_t> key;
  for (const DataAxis& a : axes) key.insert(key.end(), {a.position, a.first, a.last, a.moved});
  const auto place = std::tuple(number, at, key, setting.extent, static_cast<int>(part));
  const bool weight =
      s.kind == SymbolKind::weight;  // its copies belong to the left side's position
  if (const auto known = data_read_.find(place); known != data_read_.end() && !weight)
    return known->second;
  const NodeId found = gathered(number, at, axes, setting, part);
  if (found >= 0 && !weight) data_read_[place] = found;
  return found;
}

// The last of the axes is gathered for each position of the others.
NodeId Unfolder::gathered(int number, const Positions& at, const std::vector<DataAxis>& axes,
                          const Setting& setting, Part part) {
  const std::vector<DataAxis> rest(axes.begin() + 1, axes.end());
  const DataAxis& axis = axes.front();
  Vars steps;
  bool complete = true;
  for (std::int64_t p = axis.first; p <= axis.last; ++p) {
    Positions here = at;
    here[axis.axis] = static_cast<std::int32_t>(p);
    const NodeId node = rest.empty() ? step_at(number, here, setting, part)
                                     : gathered(number, here, rest, setting, part);
    complete = complete && node >= 0;
    if (complete) steps.push_back(tape_.var(node));
  }
  if (!complete) return -1;
  const ExtentId extent = setting.extent == kShared ? kEveryItem : setting.extent;
  const bool nothing =
      std::ranges::all_of(steps, [](const Var& v) { return &v.op() == &kConstant; });
  if (nothing) return fit(outside(number, Positions(at.size(), 0), part), extent);
  return at_position(tape_.var(axis.position), steps, axis.first - axis.moved, extent).id;
}

// Between boundaries that lie apart nothing stands.
NodeId Unfolder::step_at(int number, const Positions& at, const Setting& setting, Part part) {
  const Symbol& s = symbol(number);
  if (s.kind == SymbolKind::weight) return copy_at(number, at, setting);
  const bool ends = std::any_of(s.rules.begin(), s.rules.end(), [&](int r) {
    return ends_with_item(model_.rules[static_cast<std::size_t>(r)]);
  });
  Positions letters;
  if (!inside(s, at) && !ends && rule_at(s, at, letters) == nullptr)
    return outside(number, Positions(at.size(), 0), part);
  if (ends) return read_at(number, at, setting.extent, part);
  // as it stands: the items that lack it read nothing there
  Positions by_index(model_.system.indices.size(), 0);
  for (std::size_t a = 0; a < at.size(); ++a)
    by_index[static_cast<std::size_t>(s.axes[a])] =
        std::max(by_index[static_cast<std::size_t>(s.axes[a])], at[a]);
  return read_at(number, at, extent_of(s.axes, by_index), part);
}

// Where anything may stand: at the item's own steps, and where equations of their own define
// something.
Unfolder::DataAxis Unfolder::data_axis(const Symbol& s, std::size_t axis) const {
  const std::int64_t length = length_of_index(s.axes[axis]);
  DataAxis range{axis, -1, 1, length, 0};
  for (const int r : s.rules) {
    const At& p = model_.rules[static_cast<std::size_t>(r)].places[axis];
    if (p.kind == Place::Kind::letter) continue;
    const std::int64_t at = p.kind == Place::Kind::number ? p.offset : length + p.offset;
    range.first = std::min(range.first, at);
    range.last = std::max(range.last, at);
  }
  return range;
}

// Positions on which a component's order rests lie before t, or behind it: the others are not asked
// for.
void Unfolder::bound_by_order(const PositionForm& form, const Setting& setting,
                              DataAxis& axis) const {
  const Term* data = form.single();
  if (!data || data->kind != Term::Kind::data) return;
  const Symbol& held = symbol(data->number);
  for (std::size_t a = 0; held.ordered && a < held.axes.size(); ++a) {
    const At& p = data->places[a];
    if (held.axes[a] != held.position || p.kind != Place::Kind::letter) continue;
    const std::int64_t own = setting.at[static_cast<std::size_t>(p.index)] + p.offset;
    if (own < 1 || own > length_of_index(held.position)) {  // outside it is 0
      axis.first = std::max(axis.first, form.offset);
      axis.last = std::min(axis.last, form.offset);
    } else if (held.after)
      axis.first = std::max(axis.first, own + 1 + form.offset);
    else
      axis.last = std::min(axis.last, own - 1 + form.offset);
  }
}

// A position as a number for each item. -1: something in it is not placed yet.
NodeId Unfolder::computed(const PositionForm& form, const Setting& setting) {
  const ExtentId extent = setting.extent == kShared ? kEveryItem : setting.extent;
  const auto key = std::tuple(to_string(form), setting.at, extent);
  if (const auto known = computed_.find(key); known != computed_.end()) return known->second;
  auto fixed = static_cast<double>(form.offset);
  Vars terms;
  for (const Term& t : form.terms) {
    NodeId id = -1;
    if (t.kind == Term::Kind::letter) {
      fixed += static_cast<double>(t.times * setting.at[static_cast<std::size_t>(t.number)]);
      continue;
    }
    if (t.kind == Term::Kind::length) id = length_node(t.number, extent);
    if (t.kind == Term::Kind::data) {
      Setting there = setting;
      there.extent = extent;
      id = read({.kind = Slot::Kind::read, .symbol = t.number, .places = t.places}, there,
                Part::value);
    }
    if (t.kind == Term::Kind::quotient) id = computed(*t.of, setting);
    if (id < 0) return -1;
    const Var v =
        t.kind == Term::Kind::quotient ? quotient(tape_.var(id), t.divisor) : tape_.var(id);
    terms.push_back(t.times == 1 ? v : v * static_cast<double>(t.times));
  }
  Var sum = terms.empty() ? tape_.var(number(fixed)) : terms[0];
  for (std::size_t i = 1; i < terms.size(); ++i) sum = sum + terms[i];
  if (!terms.empty() && fixed != 0) sum = sum + fixed;
  return computed_[key] = sum.id;
}

}  // namespace taugrad
