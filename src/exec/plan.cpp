#include "exec/plan.h"

#include <algorithm>

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
  form_.resize(size);
  into_.assign(size, -1);
  value_.assign(size, -1);
}

template <class S>
Plan<S> Planner<S>::make() {
  mark_needed();
  link_sums();
  reserve();
  for (NodeId id = 0; id < tape_.size(); ++id)
    if (needed_[at(id)]) place_node(id);
  for (const NodeId id : outputs_) plan_.outputs.push_back(value_[at(id)]);
  share_slots(plan_, storages_, in_place_);
  return std::move(plan_);
}

/// From the outputs down the tape: what is read, after lowering, is needed.
template <class S>
void Planner<S>::mark_needed() {
  const auto use = [&](NodeId x) {
    needed_[at(x)] = 1;
    uses_[at(x)] = static_cast<std::uint8_t>(std::min(uses_[at(x)] + 1, 2));
  };
  for (const NodeId id : outputs_) needed_[at(id)] = is_output_[at(id)] = 1;
  for (NodeId id = tape_.size() - 1; id >= 0; --id) {
    if (!needed_[at(id)]) continue;
    const Lowered way = lower(tape_, plan_.layout, id);
    form_[at(id)] = way.form;
    for (const NodeId x : way.operands(tape_.inputs(id))) use(x);
    if (way.packed >= 0) use(way.packed);
  }
}

/// Sums over items that only serve one sum add to its place at once, and so do sums of them, so
/// that the gradient of a weight takes the room of one of its steps.
template <class S>
void Planner<S>::link_sums() {
  for (NodeId id = tape_.size() - 1; id >= 0; --id) {
    if (!needed_[at(id)] || form_[at(id)] != Form::add || tape_.extent_id(id) != kShared) continue;
    for (const NodeId x : tape_.inputs(id)) {
      const bool only_here = uses_[at(x)] == 1 && !is_output_[at(x)];
      if (only_here && tape_.extent_id(x) == kShared &&
          (form_[at(x)] == Form::add || sums_items(form_[at(x)])))
        into_[at(x)] = owner(id);
    }
  }
}

/// Room for what comes, so that long plans are not copied as they grow.
template <class S>
void Planner<S>::reserve() {
  std::size_t values = 0, steps = 0, operands = 0;
  for (NodeId id = 0; id < tape_.size(); ++id) {
    if (!needed_[at(id)]) continue;
    ++values;
    if (form_[at(id)] == Form::view || form_[at(id)] == Form::leaf) continue;
    ++steps;
    operands += tape_.inputs(id).size();
  }
  plan_.values.reserve(values);
  storages_.reserve(steps);
  plan_.steps.reserve(steps);
  plan_.operands.reserve(operands);
  in_place_.reserve(steps);
}

template <class S>
bool Planner<S>::all_terms_added(NodeId sum) const {
  const auto in = tape_.inputs(sum);
  return std::all_of(in.begin(), in.end(), [&](NodeId x) { return owner(x) == owner(sum); });
}

template <class S>
void Planner<S>::place_node(NodeId id) {
  plan_.used_extents[tape_.extent_id(id)] = 1;
  const Form form = form_[at(id)];
  if (form == Form::leaf) return add_leaf(id);
  if (form == Form::add && all_terms_added(id)) {
    value_[at(id)] = value_[at(owner(id))];
    return;
  }
  const Lowered way = lower(tape_, plan_.layout, id);
  if (form != Form::view)
    add_step(id, way);
  else if (!add_view(id, way))
    add_step(id, Lowered{});
}

// the members that are defined here
template class Planner<float>;
template class Planner<double>;

template <class S>
Plan<S> make_plan(const Tape& tape, std::span<const NodeId> outputs) {
  return Planner<S>(tape, outputs).make();
}

template Plan<float> make_plan(const Tape&, std::span<const NodeId>);
template Plan<double> make_plan(const Tape&, std::span<const NodeId>);

}  // namespace taugrad::exec
