// Steps of a graph that is built by hand: where nodes belong, and the copies of weights they read.
#include <algorithm>
#include <array>
#include <limits>

#include "base/fail.h"
#include "base/utf8.h"
#include "graph/tables.h"
#include "taugrad/graph/op.h"

namespace taugrad {

void Tape::enter_step(std::string_view letter, std::int64_t position, const Op& weight,
                      const Op& copy) {
  constexpr std::numeric_limits<std::int32_t> kPosition;
  if (!steps_) steps_ = std::make_unique<Steps>();
  Steps& s = *steps_;
  if (std::ranges::find(s.letters, letter) != s.letters.end())
    fail(Status::usage, "G013", "a step of \"{}\" is open already", printable(letter, 80));
  if (position < kPosition.min() || position > kPosition.max())
    fail(Status::usage, "G011", "a position is an integer of 32 bits, not {}", position);
  s.weight = &weight;
  s.copy = &copy;
  s.letters.emplace_back(letter);
  try {
    s.levels.push_back({owner_name_, owner_index_});
    s.position.push_back(static_cast<std::int32_t>(position));
    s.levels.back().name = intern_name("", s.letters);
    s.levels.back().index = intern_index(s.position);
  } catch (...) {
    leave_steps(s.letters.size() - 1);
    throw;
  }
  set_owner(s.levels.back().name, s.levels.back().index);
}

void Tape::leave_steps(std::size_t depth) noexcept {
  if (!steps_) return;
  Steps& s = *steps_;
  if (s.levels.size() > depth) {
    owner_name_ = s.levels[depth].owner;
    owner_index_ = s.levels[depth].owner_index;
    s.levels.resize(depth, {0, 0});
  }
  s.letters.resize(std::min(depth, s.letters.size()));
  s.position.resize(std::min(depth, s.position.size()));
}

std::size_t Tape::step_depth() const { return steps_ ? steps_->levels.size() : 0; }

IndexId Tape::step_index() const {
  return steps_ && !steps_->levels.empty() ? steps_->levels.back().index : 0;
}

// Where the copy of a weight stands, and whether one does. @throws Error (G013) where something
// else has that name: a bias and a state called "c"
Tape::CopyPlace Tape::copy_place(NodeId weight) {
  const bool in_step = this->in_step();
  const NameId here = in_step ? steps_->levels.back().name : owner_name_;
  const IndexId index = in_step ? steps_->levels.back().index : owner_index_;
  check_labels(here, index);
  const bool named = !name(weight).empty();
  const NameId name = named ? lettered(name_id(weight), name_rows_[here].letters) : here;
  const bool hidden = name_id(weight) == 0 || index_id(weight) != 0;
  if (hidden) {
    const auto known = tables_->hidden_copies.find({weight, name, index});
    if (known != tables_->hidden_copies.end()) return {name, index, known->second, hidden};
  } else if (const NodeId known = find_exact(name, index);
             known >= 0 && is_weight_copy(known) && inputs(known)[0] == weight) {
    return {name, index, known, hidden};
  }
  if (named) check_free(-1, weight, name, index);
  return {name, index, -1, hidden};
}

NodeId Tape::make_copy(NodeId weight, const CopyPlace& place, const Op& copy) {
  const NameId owner = owner_name_;
  const IndexId owner_index = owner_index_;
  set_owner(place.name, place.index);
  const NodeId id = append_raw(copy, {&weight, 1}, shape_id(weight), 0, kShared);
  set_owner(owner, owner_index);
  if (!name(weight).empty()) set_value(id, place.name, place.index);
  if (place.hidden) tables_->hidden_copies.emplace(std::tuple(weight, place.name, place.index), id);
  return id;
}

NodeId Tape::weight_copy(NodeId weight, const Op& copy) {
  const CopyPlace place = copy_place(weight);
  return place.known >= 0 ? place.known : make_copy(weight, place, copy);
}

// An operation that is refused leaves nothing behind: copies are made when all is known to fit.
// They have the form of their weights, so that the rules may look at those.
Var Tape::append_in_step(const Op& op, std::span<const NodeId> inputs, const Attrs& attrs) {
  std::array<NodeId, 8> few;
  std::array<CopyPlace, 8> few_places;
  std::vector<NodeId> many;
  std::vector<CopyPlace> many_places;
  if (inputs.size() > few.size()) many.resize(inputs.size()), many_places.resize(inputs.size());
  NodeId* ids = many.empty() ? few.data() : many.data();
  CopyPlace* places = many.empty() ? few_places.data() : many_places.data();
  const auto is_weight = [&](NodeId id) { return row(id).op == steps_->weight; };
  if (&op == steps_->copy && inputs.size() == 1 && is_weight(inputs[0]))
    return {this, weight_copy(inputs[0], op)};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    ids[i] = inputs[i];
    if (is_weight(inputs[i])) ids[i] = (places[i] = copy_place(inputs[i])).known;
  }
  const Ruled node = ruled(op, inputs, attrs);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (ids[i] >= 0) continue;
    const auto same = std::find(inputs.begin(), inputs.end(), inputs[i]) - inputs.begin();
    ids[i] = ids[same] >= 0 ? ids[same] : make_copy(inputs[i], places[i], *steps_->copy);
  }
  return {this, append_raw(op, {ids, inputs.size()}, node.shape, node.attrs, node.extent)};
}

Var Tape::number(const Op& constant, const Shape& shape, const Attrs& attrs) {
  if (!in_step()) return leaf(constant, shape, kShared, attrs);
  const AttrsId attrs_id = intern_attrs(attrs);
  const std::uint64_t hash = mixed(0, attrs_id);
  const std::int64_t known = tables_->numbers.find(
      hash, [&](std::int64_t id) { return this->attrs_id(static_cast<NodeId>(id)) == attrs_id; });
  if (known >= 0) return {this, static_cast<NodeId>(known)};
  const NameId owner = owner_name_;
  const IndexId owner_index = owner_index_;
  set_owner(0, 0);
  const Var v = leaf(constant, {}, kShared, attrs);
  set_owner(owner, owner_index);
  tables_->numbers.insert(hash, v.id);
  return v;
}

}  // namespace taugrad
