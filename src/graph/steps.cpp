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

NodeId Tape::weight_copy(NodeId weight, const Op& copy) {
  const bool in_step = this->in_step();
  const NameId here = in_step ? steps_->levels.back().name : owner_name_;
  const IndexId index = in_step ? steps_->levels.back().index : owner_index_;
  check_labels(here, index);
  const bool hidden = name_id(weight) == 0 || index_id(weight) != 0;
  const NameId name =
      this->name(weight).empty() ? here : lettered(name_id(weight), name_rows_[here].letters);
  if (hidden) {
    const auto known = tables_->hidden_copies.find({weight, name, index});
    if (known != tables_->hidden_copies.end()) return known->second;
  } else if (const NodeId known = find_exact(name, index);
             known >= 0 && is_weight_copy(known) && inputs(known)[0] == weight) {
    return known;
  }
  const NameId owner = owner_name_;
  const IndexId owner_index = owner_index_;
  set_owner(name, index);
  const NodeId id = append_raw(copy, {&weight, 1}, shape_id(weight), 0, kShared);
  set_owner(owner, owner_index);
  if (!this->name(weight).empty()) {
    check_free(id, name, index);  // a bias and a state called "c"
    set_value(id, name, index);
  }
  if (hidden) tables_->hidden_copies.emplace(std::tuple(weight, name, index), id);
  return id;
}

Var Tape::append_in_step(const Op& op, std::span<const NodeId> inputs, const Attrs& attrs) {
  std::array<NodeId, 8> few;
  std::vector<NodeId> many;
  if (inputs.size() > few.size()) many.resize(inputs.size());
  NodeId* ids = many.empty() ? few.data() : many.data();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool weight = row(inputs[i]).op == steps_->weight;
    ids[i] = weight ? weight_copy(inputs[i], *steps_->copy) : inputs[i];
    if (weight && &op == steps_->copy) return {this, ids[i]};
  }
  return append_checked(op, {ids, inputs.size()}, attrs);
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
