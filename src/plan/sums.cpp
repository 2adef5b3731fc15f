// Gradients of weights: what the steps of a sequence add to one place.
#include "plan/emitter.h"

namespace taugrad::plan {

/// Terms of a sum and of the sums inside it, in their order.
template <class S>
void Emitter<S>::list_terms(NodeId id) {
  terms_.clear();
  std::vector<NodeId> open{id};
  while (!open.empty()) {
    const NodeId x = open.back();
    open.pop_back();
    if (x != id && (draft_.form[at(x)] != Form::add || draft_.into[at(x)] < 0)) {
      terms_.push_back(x);
      continue;
    }
    const auto in = draft_.in(x);
    open.insert(open.end(), in.rbegin(), in.rend());
  }
}

/// What adds to the place of `id`, form by form, then the values that lie elsewhere.
template <class S>
void Emitter<S>::add_sum(NodeId id) {
  list_terms(id);
  bool begun = false;
  for (const Form form : {Form::outer_sum, Form::scatter_rows, Form::sum_items})
    begun = add_terms(id, form, begun) || begun;
  Step<S> step = step_of(id, Form::add);
  if (begun) read(step, value_[at(id)]);
  std::size_t apart = 0;
  for (const NodeId x : terms_)
    if (draft_.into[at(x)] < 0) {
      read(step, value_[at(x)]);
      ++apart;
    }
  if (apart == 0 && begun) return;
  finish(step, {value_[at(id)]});
}

/// Whether there are terms of that form: one step for all of them, or one each.
template <class S>
bool Emitter<S>::add_terms(NodeId id, Form form, bool accumulate) {
  Step<S> step;
  bool any = false;
  for (const NodeId x : terms_) {
    if (draft_.into[at(x)] < 0 || draft_.form[at(x)] != form) continue;
    if (!any || !on(Pass::outer)) {
      if (any) finish(step, {value_[at(id)]});
      step = step_of(x, form);
      step.accumulate = accumulate || any;
    }
    for (const NodeId in : draft_.in(x)) read(step, value_[at(in)]);
    any = true;
  }
  if (any) finish(step, {value_[at(id)]});
  return any;
}

// the members that are defined here
template class Emitter<float>;
template class Emitter<double>;

}  // namespace taugrad::plan
