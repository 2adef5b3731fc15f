// Gradients of weights: what the steps of a sequence add to one place.
#include <algorithm>
#include <utility>

#include "plan/lower/lowering.h"

namespace taugrad::plan {

/// Terms of a sum and of the sums inside it, in their order; whether a part of them has been added
/// before.
template <class S>
bool Lowering<S>::list_terms(NodeId id) {
  terms_.clear();
  bool begun = false;
  std::vector<NodeId> open{id};
  while (!open.empty()) {
    const NodeId x = open.back();
    open.pop_back();
    if (x != id && (draft_.form[at(x)] != Form::add || draft_.into[at(x)] < 0)) {
      terms_.push_back(x);
      continue;
    }
    if (x != id && draft_.is_part(x)) {
      begun = true;
      continue;
    }
    const auto in = draft_.in(x);
    open.insert(open.end(), in.rbegin(), in.rend());
  }
  return begun;
}

/// What adds to the place of `id`, form by form, then the values that lie elsewhere.
template <class S>
void Lowering<S>::add_sum(NodeId id) {
  bool begun = list_terms(id);
  for (const Form form : {Form::outer_sum, Form::scatter_rows, Form::sum_items})
    begun = add_terms(id, form, begun) || begun;
  const auto apart = [&](NodeId x) { return draft_.into[at(x)] < 0; };
  if (draft_.is_part(id) || (begun && std::ranges::none_of(terms_, apart))) return;
  Step<S> step = step_of(id, Form::add);
  if (begun) read(step, value_[at(id)]);
  for (const NodeId x : terms_)
    if (apart(x)) read(step, value_[at(x)]);
  finish(step, {value_[at(id)]});
}

/// Whether there are terms of that form: one step for all of them, or one each.
template <class S>
bool Lowering<S>::add_terms(NodeId id, Form form, bool accumulate) {
  Step<S> step;
  bool any = false;
  for (const NodeId x : terms_) {
    if (draft_.into[at(x)] < 0 || draft_.form[at(x)] != form) continue;
    if (!any || !on(Pass::outer)) {
      if (any) finish(step, {value_[at(id)]});
      step = step_of(x, form);
      step.accumulate = accumulate || any;
    }
    step.pairs = form == Form::outer_sum && (step.pairs || !any || !on(Pass::outer)) &&
                 is_rounded(draft_.in(x)[0]) && is_rounded(draft_.in(x)[1]);
    for (const NodeId in : draft_.in(x)) read(step, value_[at(in)]);
    any = true;
  }
  if (any && form == Form::outer_sum && on(Pass::outer)) continue_sum(id, accumulate, step);
  if (any) finish(step, {value_[at(id)]});
  return any;
}

/// Outer products in parts: the rows of all parts make up the blocks, so that the sum has the bits
/// of one step over all of them.
template <class S>
void Lowering<S>::continue_sum(NodeId id, bool begun, Step<S>& step) {
  step.more = draft_.is_part(id);
  if (!step.more && !begun) return;
  const NodeId owner = draft_.owner(id);
  auto open = open_sums_.find(owner);
  if (open == open_sums_.end()) {
    if (!step.more) return;  // what has begun is no part
    const auto carry = static_cast<ValueId>(plan_.values.size());
    Value place = value(owner);
    place.slot = static_cast<SlotId>(storages_.size());
    storages_.push_back({place.elements, kShared, add_name(owner), false, false});
    plan_.values.push_back(place);
    added_.emplace_back(-1, -1);
    open = open_sums_.emplace(owner, std::pair(carry, -1)).first;
  }
  plan_.sums_in_parts = true;
  step.carry = open->second.first;
  step.previous = std::exchange(open->second.second, next());
  touch(storage(step.carry), next(), -1);
}

// the members that are defined here
template class Lowering<float>;
template class Lowering<double>;

}  // namespace taugrad::plan
