// What stands before a segment is read from leaves; what later ones read is told.           (R19)
#include <algorithm>

#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"
#include "unfold/unfolder.h"

namespace taugrad {

void Unfolder::begin_segment() {
  if (options_.segment) segment_ = *options_.segment;
  for (const Symbol& s : model_.symbols)
    axis_cut_.push_back(segment_.length < 0 ? -1 : axis_along(model_, s, segment_.length));
  if (segment_.length < 0) return;
  out_.segment_ = std::make_shared<SegmentNodes>();
  out_.segment_->of = segment_;
  out_.segment_->slots = segment_.slots;
  out_.segment_->read.assign(segment_.slots.size(), -1);
}

// whether an equation at a position is wanted, and stands in the segment
bool Unfolder::is_asked(const Rule& rule, const Positions& at, bool nll) const {
  if (segment_.length < 0) return true;
  const auto& asked = nll ? segment_.likelihoods : segment_.values;
  if (asked[static_cast<std::size_t>(rule.symbol)] == 0) return false;
  const int axis = axis_cut(symbol(rule.symbol));
  if (axis < 0) return true;
  const std::int64_t p = at[static_cast<std::size_t>(axis)];
  return (p > segment_.first || segment_.first == 0) &&
         p <= out_.lengths_[static_cast<std::size_t>(segment_.length)];
}

// whether a likelihood belongs to this segment's part of the loss
bool Unfolder::is_counted(const Symbol& s, const Positions& at) const {
  const int axis = axis_cut(s);
  if (axis < 0) return segment_.from == 0;
  return at[static_cast<std::size_t>(axis)] > segment_.from || segment_.from == 0;
}

NodeId Unfolder::before_segment(int number, const Positions& at, Part part) {
  constexpr NodeId kNotBefore = -2;
  if (segment_.length < 0 || segment_.first == 0) return kNotBefore;
  const Symbol& s = symbol(number);
  const int axis = axis_cut(s);
  if (axis < 0 || at[static_cast<std::size_t>(axis)] > segment_.first) return kNotBefore;
  Positions here = at;  // whether anything stands there: an equation, or data
  here[static_cast<std::size_t>(axis)] = static_cast<std::int32_t>(
      std::min(segment_.first + 1, length_of_index(s.axes[static_cast<std::size_t>(axis)])));
  Positions letters;
  if (!inside(s, here) && rule_at(s, here, letters) == nullptr) return kNotBefore;
  return state_leaf(number, at, part == Part::nll);
}

NodeId Unfolder::state_leaf(int number, const Positions& at, bool nll) {
  const Symbol& s = symbol(number);
  const auto axis = static_cast<std::size_t>(axis_cut(s));
  const auto p = static_cast<std::int64_t>(at[axis]);
  StateSlot slot{number, nll, true, at[axis], {}};
  for (std::size_t a = 0; a < at.size(); ++a)
    if (a != axis) slot.others.push_back(at[a]);
  std::vector<StateSlot>& slots = out_.segment_->slots;
  auto found = std::find(slots.begin(), slots.end(), slot);
  if (found == slots.end() && (segment_.first < segment_.apart || p > segment_.fixed)) {
    slot.pinned = false;
    slot.at = static_cast<int>(p - segment_.first);
    found = std::find(slots.begin(), slots.end(), slot);
  }
  if (found == slots.end()) {
    slots.push_back(slot);
    out_.segment_->read.push_back(-1);
    found = slots.end() - 1;
  }
  NodeId& leaf = out_.segment_->read[static_cast<std::size_t>(found - slots.begin())];
  if (leaf >= 0) return leaf;
  const NameId owner = tape_.owner_name();
  const IndexId owner_index = tape_.owner_index();
  tape_.set_owner(0, 0);
  Positions by_index(model_.system.indices.size(), 0);
  for (std::size_t a = 0; a < at.size(); ++a) by_index[static_cast<std::size_t>(s.axes[a])] = at[a];
  const bool category = s.category >= 0 && !nll;
  const Attrs attrs = category ? Attrs{{"category", s.category}} : Attrs{};
  leaf = tape_.append_raw(kInput, {}, tape_.intern_shape(nll || category ? Shape{} : s.shape),
                          tape_.intern_attrs(attrs), extent_of(s.axes, by_index));
  tape_.set_value(
      leaf,
      tape_.intern_name(
          "state:" +
          slot_name(model_, segment_.length,
                    slots[static_cast<std::size_t>(&leaf - out_.segment_->read.data())])),
      0);
  tape_.set_owner(owner, owner_index);
  return leaf;
}

// t as a number: of a graph that stands for every later segment, the steps before are a leaf
NodeId Unfolder::position_number(const Setting& setting, int index) {
  const std::int32_t at = setting.at[static_cast<std::size_t>(index)];
  if (!is_cut(index) || !segment_.moves) return number(shown(at, index));
  NodeId& steps = out_.segment_->steps;
  if (steps < 0) {
    const NameId owner = tape_.owner_name();
    const IndexId owner_index = tape_.owner_index();
    tape_.set_owner(0, 0);
    steps = input(tape_, "state:steps", {}).id;
    tape_.set_owner(owner, owner_index);
  }
  const auto within = static_cast<double>(at - segment_.first);
  return fit((tape_.var(steps) + tape_.var(number(within))).id, setting.extent);
}

NodeId Unfolder::placed_at(int number, const Positions& at, ExtentId extent, Part part) {
  NodeId id = read_at(number, at, extent, part);
  while (id < 0) {
    drain();
    id = read_at(number, at, extent, part);
  }
  return id;
}

// The value of a slot after the segment, of every item: of one that ends within it, at its end.
NodeId Unfolder::handed_on(const StateSlot& slot) {
  const Symbol& s = symbol(slot.symbol);
  const auto axis = static_cast<std::size_t>(axis_cut(s));
  const Part part = slot.nll ? Part::nll : Part::value;
  const std::int64_t steps =
      out_.lengths_[static_cast<std::size_t>(segment_.length)] - segment_.first;
  Positions at(slot.others);
  at.push_back(0);
  std::rotate(at.begin() + axis, at.end() - 1, at.end());
  const auto placed = [&](std::int64_t position, ExtentId extent) {
    at[axis] = static_cast<std::int32_t>(position);
    Var v = tape_.var(placed_at(slot.symbol, at, extent, part));
    return v.per_example() ? tape_.var(fit(v.id, extent)) : to_items(v, extent);
  };
  if (slot.pinned) return placed(slot.at, kEveryItem).id;
  if (segment_.hand_on >= 0 || !runs_ragged(segment_.length))
    return placed(segment_.first + (segment_.hand_on >= 0 ? segment_.hand_on : steps) + slot.at,
                  kEveryItem)
        .id;
  Vars ends;
  for (std::int64_t l = 0; l <= steps; ++l) {
    Extent longer;
    if (l > 0) longer.bounds.push_back({segment_.length, static_cast<std::int32_t>(l)});
    ends.push_back(
        placed(segment_.first + l + slot.at, l > 0 ? tape_.intern_extent(longer) : kEveryItem));
  }
  return at_length(ends, segment_.length, 0, kEveryItem).id;
}

void Unfolder::add_state() {
  if (segment_.length < 0) return;
  tape_.set_owner(0, 0);
  for (const StateSlot& slot : segment_.slots) {
    const NodeId id = handed_on(slot);
    const bool leaf = tape_.inputs(id).empty();  // what is told is computed
    out_.segment_->told.push_back(leaf ? copy(tape_.var(id)).id : id);
  }
  out_.segment_->told.resize(out_.segment_->slots.size(), -1);
}

}  // namespace taugrad
