// Where the values of a plan lie.
#include "plan/lower/lowering.h"
#include "taugrad/ops/records.h"
#include "taugrad/ops/steps.h"

namespace taugrad::plan {
namespace {

std::int64_t row_elements(const Shape& s) {  // of one step along the first axis
  std::int64_t product = 1;
  for (int axis = 1; axis < s.rank(); ++axis) product *= s[axis];
  return product;
}

}  // namespace

template <class S>
void Lowering<S>::add_values() {
  value_.assign(at(tape_.size()), -1);
  for (NodeId id = 0; id < tape_.size(); ++id)
    if (draft_.needed[at(id)]) place_value(id);
}

template <class S>
void Lowering<S>::place_value(NodeId id) {
  const Form form = draft_.form[at(id)];
  const NodeId into = draft_.into[at(id)];
  if (value_[at(id)] >= 0) return;
  if (form == Form::leaf) return add_leaf(id);
  if (form == Form::view) return add_view(id);
  if (form == Form::again || (form == Form::fused && !draft_.stored[at(id)])) return;
  if (form == Form::placed && (&tape_.op(id) == &kPad || draft_.added(id))) return;
  if (into < 0) return add_value(id);
  const NodeId owner = draft_.owner(id);
  if (value_[at(owner)] < 0) add_value(owner);
  if (draft_.form[at(into)] == Form::placed) return add_part(id);
  value_[at(id)] = value_[at(owner)];
}

/// A value in a storage of its own.
template <class S>
void Lowering<S>::add_value(NodeId id) {
  const ExtentId extent = tape_.extent_id(id);
  const std::int64_t elements = tape_.shape(id).size();
  const auto storage = static_cast<SlotId>(storages_.size());
  storages_.push_back({elements, extent, add_name(id), false, draft_.is_output[at(id)] != 0});
  plan_.used_extents[extent] = 1;
  value_[at(id)] = static_cast<ValueId>(plan_.values.size());
  plan_.values.push_back(
      {storage, add_shape(id), 0, extent == kShared ? 0 : elements, elements, extent});
}

template <class S>
void Lowering<S>::add_leaf(NodeId id) {
  add_value(id);
  plan_.leaf_values.push_back(value_[at(id)]);
  plan_.leaves.push_back(id);
  storages_.back().leaf = storages_.back().forever = true;
}

template <class S>
void Lowering<S>::add_view(NodeId id) {
  Value view = value(draft_.in(id)[0]);
  view.extent = tape_.extent_id(id);
  view.elements = tape_.shape(id).size();
  view.shape = add_shape(id);
  const Op* op = &tape_.op(id);
  if (op == &kSlice) view.offset += tape_.attrs(id).integer("from") * row_elements(tape_.shape(id));
  if (op == &kStepOf) view.offset += tape_.attrs(id).integer("at") * view.elements;
  if (view.extent == kShared || op == &kToItems) view.stride = 0;
  plan_.used_extents[view.extent] = 1;
  value_[at(id)] = static_cast<ValueId>(plan_.values.size());
  plan_.values.push_back(view);
}

/// A value inside another's rows.
template <class S>
void Lowering<S>::add_part(NodeId id) {
  Value part = value(draft_.into[at(id)]);
  part.elements = tape_.shape(id).size();
  part.shape = add_shape(id);
  part.offset += draft_.from[at(id)];
  value_[at(id)] = static_cast<ValueId>(plan_.values.size());
  plan_.values.push_back(part);
}

template <class S>
std::uint32_t Lowering<S>::add_shape(NodeId id) {
  return shapes_.number(tape_.shape_id(id), [&] { plan_.shapes.push_back(tape_.shape(id)); });
}

template <class S>
std::uint32_t Lowering<S>::add_attrs(NodeId id) {
  return attrs_.number(tape_.attrs_id(id), [&] { plan_.attrs.push_back(tape_.attrs(id)); });
}

/// The variable that a node belongs to, or its op: for messages about memory.
template <class S>
std::uint32_t Lowering<S>::add_name(NodeId id) {
  const std::size_t name = tape_.name_id(id);
  if (!tape_.name(id).empty())
    return names_.number(2 * name, [&] { plan_.names.emplace_back(tape_.name(id)); });
  const Op* op = &tape_.op(id);
  const auto number = op_numbers_.try_emplace(op, op_numbers_.size()).first->second;
  return names_.number(2 * number + 1, [&] { plan_.names.emplace_back(op->name); });
}

template <class S>
std::int32_t Lowering<S>::add_owner(NodeId id) {
  const auto index = tape_.index(id);
  plan_.owners.push_back({std::string(tape_.name(id)), {index.begin(), index.end()}});
  return static_cast<std::int32_t>(plan_.owners.size()) - 1;
}

// the members that are defined here
template class Lowering<float>;
template class Lowering<double>;

}  // namespace taugrad::plan
