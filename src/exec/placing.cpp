// Values, views and steps of a plan.
#include <algorithm>
#include <type_traits>

#include "base/fail.h"
#include "exec/kernels.h"
#include "exec/planner.h"

namespace taugrad::exec {
namespace {

template <class S>
Forward<S> forward_of(const Op& op) {
  if constexpr (std::is_same_v<S, float>)
    return op.forward.f32;
  else
    return op.forward.f64;
}

template <class S>
Kernel<S> kernel_of(Form form) {
  using K = Kernels<S>;
  switch (form) {
    case Form::rows:
      return K::rows;
    case Form::each:
      return K::each;
    case Form::taps:
      return K::taps;
    case Form::add:
      return K::add;
    case Form::outer_sum:
      return K::outer_sum;
    case Form::scatter_rows:
      return K::scatter_rows;
    case Form::sum_items:
      return K::sum_items;
    case Form::leaf:
    case Form::view:
    case Form::forward:
      break;
  }
  return K::forward;
}

}  // namespace

/// A value in a storage of its own.
template <class S>
ValueId Planner<S>::add_value(NodeId id) {
  const ExtentId extent = tape_.extent_id(id);
  const std::int64_t elements = tape_.shape(id).size();
  const auto storage = static_cast<SlotId>(storages_.size());
  storages_.push_back({elements, extent, add_name(id), false, is_output_[at(id)] ? kForever : -1});
  value_[at(id)] = static_cast<ValueId>(plan_.values.size());
  plan_.values.push_back(
      {storage, add_shape(id), 0, extent == kShared ? 0 : elements, elements, extent});
  return value_[at(id)];
}

template <class S>
void Planner<S>::add_leaf(NodeId id) {
  plan_.leaf_values.push_back(add_value(id));
  plan_.leaves.push_back(id);
  storages_.back().leaf = true;
  storages_.back().last_step = kForever;
}

/// False where the rows of an output would not lie one after another.
template <class S>
bool Planner<S>::add_view(NodeId id, const Lowered& way) {
  Value view = value(tape_.inputs(id)[0]);
  view.extent = tape_.extent_id(id);
  view.elements = tape_.shape(id).size();
  view.offset += way.from;
  if (view.extent == kShared || way.spread) view.stride = 0;
  if (is_output_[at(id)] && view.extent != kShared && view.stride != view.elements) return false;
  view.shape = add_shape(id);
  if (is_output_[at(id)]) storages_[static_cast<std::size_t>(view.slot)].last_step = kForever;
  value_[at(id)] = static_cast<ValueId>(plan_.values.size());
  plan_.values.push_back(view);
  return true;
}

/// Where a step writes: a value of its own, or the place of the sum that it is a term of.
template <class S>
ValueId Planner<S>::result_of(NodeId id, Step<S>& step) {
  const NodeId place = owner(id);
  step.accumulate = value_[at(place)] >= 0;
  if (!step.accumulate) add_value(place);
  return value_[at(id)] = value_[at(place)];
}

/// What the step of a node reads: for a sum, what was added to its place so far and the terms that
/// are not there.
template <class S>
void Planner<S>::list_operands(NodeId id, const Lowered& way) {
  operands_.clear();
  if (way.form == Form::add && value_[at(owner(id))] >= 0)
    operands_.push_back(value_[at(owner(id))]);
  for (const NodeId x : way.operands(tape_.inputs(id)))
    if (way.form != Form::add || owner(x) != owner(id)) operands_.push_back(value_[at(x)]);
}

/// Gives the next step its operands.
template <class S>
void Planner<S>::read(Step<S>& step, std::span<const ValueId> values) {
  step.first_operand = static_cast<std::uint32_t>(plan_.operands.size());
  step.operand_count = static_cast<std::uint32_t>(values.size());
  plan_.most_operands = std::max(plan_.most_operands, step.operand_count);
  for (const ValueId v : values) {
    plan_.operands.push_back(v);
    const SlotId slot = plan_.values[static_cast<std::size_t>(v)].slot;
    std::int32_t& last = storages_[static_cast<std::size_t>(slot)].last_step;
    last = std::max(last, static_cast<std::int32_t>(plan_.steps.size()));
  }
}

template <class S>
void Planner<S>::add_step(NodeId id, const Lowered& way) {
  const Op& op = tape_.op(id);
  Step<S> step{};
  step.kernel = kernel_of<S>(way.form);
  step.forward = forward_of<S>(op);
  if (way.form == Form::forward && step.forward == nullptr)
    fail(Status::bug, "B001", "the op \"{}\" cannot be evaluated ({})", op.name, tape_.label(id));
  step.panels = way.packed < 0 ? -1 : pack(way, id);
  list_operands(id, way);
  read(step, operands_);
  step.transposed = way.transposed;
  step.out = result_of(id, step);
  step.attrs = add_attrs(id);
  step.owner = op.traits.random ? add_owner(id) : -1;
  const Work work = work_of(tape_, id);
  step.work_extent = work.extent;
  step.operations =
      way.form == Form::add ? (step.operand_count - 1) * tape_.shape(id).size() : work.operations;
  plan_.steps.push_back(step);
  in_place_.push_back(op.traits.elementwise);
}

/// The packed matrix, or the first of the packed kernels, that a node reads; packed at its first
/// use.
template <class S>
std::int32_t Planner<S>::pack(const Lowered& way, NodeId user) {
  const ValueId from = value_[at(way.packed)];
  const Shape& s = tape_.shape(way.packed);
  if (way.form == Form::taps) {  // K[d] [m,n], used as its transpose
    const std::int64_t n = s[s.rank() - 1], m = s[s.rank() - 2];
    return pack_matrices(from, {n, m, 0, 1, n},
                         static_cast<std::int64_t>(tape_.inputs(user).size()) - 1);
  }
  if (s.rank() == 1) return pack_matrices(from, {s[0], 1, 0, 1, 1}, 1);
  if (way.packed_transposed) return pack_matrices(from, {s[1], s[0], 0, 1, s[1]}, 1);
  return pack_matrices(from, {s[0], s[1], 0, s[1], 1}, 1);
}

/// `count` matrices one after another in a value; number of the first. Views of one storage share
/// their packs.
template <class S>
std::int32_t Planner<S>::pack_matrices(ValueId from, PackedMatrix m, std::int64_t count) {
  const Value& place = plan_.values[static_cast<std::size_t>(from)];
  const auto [it, fresh] =
      packed_.try_emplace({place.slot, place.offset, m.rows, m.columns, m.row_step, count},
                          static_cast<std::int32_t>(plan_.panels.size()));
  for (std::int64_t d = 0; fresh && d < count; ++d, m.offset += m.rows * m.columns) {
    Step<S> step{};
    step.kernel = Kernels<S>::pack;
    step.out = step.owner = -1;
    step.panels = static_cast<std::int32_t>(plan_.panels.size());
    read(step, {&from, 1});
    plan_.panels.push_back(m);
    plan_.steps.push_back(step);
    in_place_.push_back(0);
  }
  return it->second;
}

template <class S>
std::uint32_t Planner<S>::add_shape(NodeId id) {
  return shapes_.number(tape_.shape_id(id), [&] { plan_.shapes.push_back(tape_.shape(id)); });
}

template <class S>
std::uint32_t Planner<S>::add_attrs(NodeId id) {
  return attrs_.number(tape_.attrs_id(id), [&] { plan_.attrs.push_back(tape_.attrs(id)); });
}

/// The variable that a node belongs to, or its op: for messages about memory.
template <class S>
std::uint32_t Planner<S>::add_name(NodeId id) {
  const std::size_t name = tape_.name_id(id);
  if (name > 0) return names_.number(2 * name, [&] { plan_.names.emplace_back(tape_.name(id)); });
  const Op* op = &tape_.op(id);
  const auto number = op_numbers_.try_emplace(op, op_numbers_.size()).first->second;
  return names_.number(2 * number + 1, [&] { plan_.names.emplace_back(op->name); });
}

template <class S>
std::int32_t Planner<S>::add_owner(NodeId id) {
  const auto index = tape_.index(id);
  plan_.owners.push_back({std::string(tape_.name(id)), {index.begin(), index.end()}});
  return static_cast<std::int32_t>(plan_.owners.size()) - 1;
}

// the members that are defined here
template class Planner<float>;
template class Planner<double>;

}  // namespace taugrad::exec
