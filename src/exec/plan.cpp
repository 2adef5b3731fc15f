#include "exec/plan.h"

#include <algorithm>
#include <type_traits>

#include "base/fail.h"
#include "exec/kernels.h"
#include "exec/planner.h"

namespace taugrad::exec {
namespace {

/// The length that most sets of items speak of: sorting by it makes most of them views.
std::int32_t most_bounded(const std::vector<Extent>& extents, std::size_t lengths) {
  std::vector<std::int64_t> uses(std::max<std::size_t>(lengths, 1));
  for (const Extent& e : extents)
    for (const Extent::Bound& b : e.bounds) ++uses[static_cast<std::size_t>(b.which)];
  return static_cast<std::int32_t>(std::max_element(uses.begin(), uses.end()) - uses.begin());
}

Layout layout_of(const Tape& tape) {
  Layout layout;
  layout.extents.resize(tape.extent_count());
  for (std::size_t e = kEveryItem; e < tape.extent_count(); ++e)
    layout.extents[e] = tape.extent(static_cast<ExtentId>(e));
  layout.lengths = static_cast<std::int32_t>(tape.length_names.size());
  layout.primary = most_bounded(layout.extents, tape.length_names.size());
  return layout;
}

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

template <class S>
Planner<S>::Planner(const Tape& tape, std::span<const NodeId> outputs)
    : tape_(tape), outputs_(outputs) {
  const auto size = static_cast<std::size_t>(tape.size());
  plan_.layout = layout_of(tape);
  plan_.used_extents.resize(tape.extent_count());
  needed_.resize(size);
  is_output_.resize(size);
  uses_.resize(size);
  into_.assign(size, -1);
  value_.assign(size, -1);
}

template <class S>
Plan<S> Planner<S>::make() {
  mark_needed();
  link_sums();
  for (NodeId id = 0; id < tape_.size(); ++id)
    if (needed_[at(id)]) place_node(id);
  for (const NodeId id : outputs_) plan_.outputs.push_back(value_[at(id)]);
  share_slots(plan_, storages_, in_place_);
  return std::move(plan_);
}

/// From the outputs down the tape: what is read, after lowering, is needed.
template <class S>
void Planner<S>::mark_needed() {
  for (const NodeId id : outputs_) needed_[at(id)] = is_output_[at(id)] = 1;
  for (NodeId id = tape_.size() - 1; id >= 0; --id) {
    if (!needed_[at(id)]) continue;
    const Lowered way = lower(tape_, plan_.layout, id);
    const auto use = [&](NodeId x) {
      needed_[at(x)] = 1;
      uses_[at(x)] = static_cast<std::uint8_t>(std::min(uses_[at(x)] + 1, 2));
    };
    for (const NodeId x : way.operands(tape_.inputs(id))) use(x);
    if (way.packed >= 0) use(way.packed);
  }
}

/// Sums over items that only serve one sum add to its place at once, and so do sums of them, so
/// that the gradient of a weight takes the room of one of its steps.
template <class S>
void Planner<S>::link_sums() {
  for (NodeId id = tape_.size() - 1; id >= 0; --id) {
    if (!needed_[at(id)] || tape_.extent_id(id) != kShared) continue;
    if (lower(tape_, plan_.layout, id).form != Form::add) continue;
    for (const NodeId x : tape_.inputs(id)) {
      if (uses_[at(x)] != 1 || is_output_[at(x)] || tape_.extent_id(x) != kShared) continue;
      const Form form = lower(tape_, plan_.layout, x).form;
      if (form == Form::add || sums_items(form)) into_[at(x)] = owner(id);
    }
  }
}

/// Whose place a node's value takes.
template <class S>
NodeId Planner<S>::owner(NodeId id) const {
  return into_[at(id)] >= 0 ? into_[at(id)] : id;
}

template <class S>
void Planner<S>::place_node(NodeId id) {
  const Lowered way = lower(tape_, plan_.layout, id);
  plan_.used_extents[tape_.extent_id(id)] = 1;
  if (way.form == Form::leaf)
    add_leaf(id);
  else if (way.form == Form::add && all_terms_added(id))
    value_[at(id)] = value_[at(owner(id))];
  else if (way.form != Form::view)
    add_step(id, way);
  else if (!add_view(id, way))
    add_step(id, Lowered{});
}

template <class S>
bool Planner<S>::all_terms_added(NodeId sum) const {
  const auto in = tape_.inputs(sum);
  return std::all_of(in.begin(), in.end(), [&](NodeId x) { return owner(x) == owner(sum); });
}

/// A value in a storage of its own.
template <class S>
ValueId Planner<S>::add_value(NodeId id) {
  const ExtentId extent = tape_.extent_id(id);
  const std::int64_t elements = tape_.shape(id).size();
  const auto storage = static_cast<SlotId>(storages_.size());
  storages_.push_back({elements, extent, name_of(id), false, is_output_[at(id)] ? kForever : -1});
  value_[at(id)] = static_cast<ValueId>(plan_.values.size());
  plan_.values.push_back(
      {storage, add_shape(id), 0, extent == kShared ? 0 : elements, elements, extent});
  return value_[at(id)];
}

/// Where a step writes: a value of its own, or the place of the sum that it is a term of.
template <class S>
ValueId Planner<S>::result_of(NodeId id, Step<S>& step) {
  const NodeId place = owner(id);
  step.accumulate = value_[at(place)] >= 0;
  if (!step.accumulate) add_value(place);
  return value_[at(id)] = value_[at(place)];
}

template <class S>
void Planner<S>::add_leaf(NodeId id) {
  const ValueId value = add_value(id);
  storages_.back().leaf = true;
  storages_.back().last_step = kForever;
  plan_.leaves.push_back(id);
  plan_.leaf_values.push_back(value);
}

/// False where the rows of an output would not lie one after another.
template <class S>
bool Planner<S>::add_view(NodeId id, const Lowered& way) {
  Value value = plan_.values[static_cast<std::size_t>(value_[at(tape_.inputs(id)[0])])];
  value.extent = tape_.extent_id(id);
  value.elements = tape_.shape(id).size();
  value.offset += way.from;
  if (value.extent == kShared || way.spread) value.stride = 0;
  if (is_output_[at(id)] && value.extent != kShared && value.stride != value.elements) return false;
  value.shape = add_shape(id);
  if (is_output_[at(id)]) storages_[static_cast<std::size_t>(value.slot)].last_step = kForever;
  value_[at(id)] = static_cast<ValueId>(plan_.values.size());
  plan_.values.push_back(value);
  return true;
}

/// Appends operands and notes that the next step reads them.
template <class S>
std::uint32_t Planner<S>::read(std::span<const ValueId> values) {
  const auto first = static_cast<std::uint32_t>(plan_.operands.size());
  for (const ValueId v : values) {
    plan_.operands.push_back(v);
    Storage& storage =
        storages_[static_cast<std::size_t>(plan_.values[static_cast<std::size_t>(v)].slot)];
    storage.last_step = std::max(storage.last_step, static_cast<std::int32_t>(plan_.steps.size()));
  }
  return first;
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
  std::vector<ValueId> operands;
  if (const ValueId so_far = value_[at(owner(id))]; way.form == Form::add && so_far >= 0)
    operands.push_back(so_far);
  for (const NodeId x : way.operands(tape_.inputs(id)))
    if (way.form != Form::add || owner(x) != owner(id)) operands.push_back(value_[at(x)]);
  step.first_operand = read(operands);
  step.operand_count = static_cast<std::uint32_t>(operands.size());
  plan_.most_operands = std::max(plan_.most_operands, step.operand_count);
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
    const auto count = static_cast<std::int64_t>(tape_.inputs(user).size()) - 1;
    return pack_matrices(from, {n, m, 0, 1, n}, count);
  }
  if (s.rank() == 1) return pack_matrices(from, {s[0], 1, 0, 1, 1}, 1);
  if (way.packed_transposed) return pack_matrices(from, {s[1], s[0], 0, 1, s[1]}, 1);
  return pack_matrices(from, {s[0], s[1], 0, s[1], 1}, 1);
}

/// `count` matrices one after another in the value; number of the first. Views of one storage share
/// their packs.
template <class S>
std::int32_t Planner<S>::pack_matrices(ValueId from, PackedMatrix m, std::int64_t count) {
  const Value& value = plan_.values[static_cast<std::size_t>(from)];
  const std::array<std::int64_t, 6> key{value.slot, value.offset, m.rows,
                                        m.columns,  m.row_step,   count};
  const auto [it, fresh] = packed_.try_emplace(key, static_cast<std::int32_t>(plan_.panels.size()));
  for (std::int64_t d = 0; fresh && d < count; ++d, m.offset += m.rows * m.columns) {
    Step<S> step{};
    step.kernel = Kernels<S>::pack;
    step.out = step.owner = -1;
    step.panels = static_cast<std::int32_t>(plan_.panels.size());
    step.first_operand = read({&from, 1});
    step.operand_count = 1;
    plan_.panels.push_back(m);
    plan_.steps.push_back(step);
    in_place_.push_back(0);
  }
  return it->second;
}

/// The variable that a node belongs to, or its op: for messages about memory.
template <class S>
std::uint32_t Planner<S>::name_of(NodeId id) {
  const NameId name = tape_.name_id(id);
  const std::uint64_t key = name != 0 ? name : reinterpret_cast<std::uintptr_t>(&tape_.op(id));
  const auto [it, fresh] = names_.try_emplace(key, static_cast<std::uint32_t>(plan_.names.size()));
  if (fresh) plan_.names.emplace_back(name != 0 ? tape_.name(id) : tape_.op(id).name);
  return it->second;
}

template <class S>
std::uint32_t Planner<S>::add_shape(NodeId id) {
  const auto [it, fresh] =
      shapes_.try_emplace(tape_.shape_id(id), static_cast<std::uint32_t>(plan_.shapes.size()));
  if (fresh) plan_.shapes.push_back(tape_.shape(id));
  return it->second;
}

template <class S>
std::uint32_t Planner<S>::add_attrs(NodeId id) {
  const auto [it, fresh] =
      attrs_.try_emplace(tape_.attrs_id(id), static_cast<std::uint32_t>(plan_.attrs.size()));
  if (fresh) plan_.attrs.push_back(tape_.attrs(id));
  return it->second;
}

template <class S>
std::int32_t Planner<S>::add_owner(NodeId id) {
  const auto index = tape_.index(id);
  plan_.owners.push_back({std::string(tape_.name(id)), {index.begin(), index.end()}});
  return static_cast<std::int32_t>(plan_.owners.size()) - 1;
}

template <class S>
Plan<S> make_plan(const Tape& tape, std::span<const NodeId> outputs) {
  return Planner<S>(tape, outputs).make();
}

template Plan<float> make_plan(const Tape&, std::span<const NodeId>);
template Plan<double> make_plan(const Tape&, std::span<const NodeId>);

}  // namespace taugrad::exec
