#include "taugrad/reference/interpreter.h"

#include <algorithm>

#include "base/fail.h"
#include "ops/positions/item_fault.h"
#include "taugrad/base/rational.h"
#include "taugrad/graph/reachable.h"

namespace taugrad {
namespace {

Forward<float> forward_of(const Op& op, float) { return op.forward.f32; }
Forward<double> forward_of(const Op& op, double) { return op.forward.f64; }
Forward<std::complex<double>> forward_of(const Op& op, std::complex<double>) {
  return op.forward.c128;
}
Forward<Rational> forward_of(const Op& op, const Rational&) { return op.forward.exact; }

// values that come from outside: the leaves that no rule computes
bool is_given(const Op& op) { return op.traits.leaf && !op.forward.f64; }

}  // namespace

template <class S>
Interpreter<S>::Interpreter(const Tape& tape, std::span<const NodeId> outputs)
    : keep_(const_cast<Tape*>(&tape)),  // shared, never written
      tape_(tape),
      slot_(static_cast<std::size_t>(tape.size()), -1) {
  const std::vector<char> wanted = reachable(tape, outputs);
  for (NodeId id = 0; id < tape.size(); ++id) {
    if (!wanted[static_cast<std::size_t>(id)]) continue;
    const Op& op = tape.op(id);
    slot_[static_cast<std::size_t>(id)] = static_cast<std::int32_t>(order_.size());
    order_.push_back(id);
    if (is_given(op))
      leaves_.push_back(id);
    else if (!forward_of(op, S()) && op.forward.f64)
      fail(Status::numerical, "N002", "{} has no exact value ({})", op.name, tape.label(id));
    else if (!forward_of(op, S()))
      fail(Status::bug, "I001", "{}: no forward rule ({})", op.name, tape.label(id));
  }
  batch_.items_of.assign(tape.extent_count(), {0});
  if (tape.length_names.empty()) lay_out();  // else the batch says which items there are
}

template <class S>
std::int64_t Interpreter<S>::rows_of(ExtentId extent) const {
  return extent == kShared ? 1 : static_cast<std::int64_t>(batch_.items_of[extent].size());
}

// Gives every needed node its place in one array.
template <class S>
void Interpreter<S>::lay_out() {
  first_.assign(1, 0);
  for (const NodeId id : order_)
    first_.push_back(first_.back() + rows_of(tape_.extent_id(id)) * tape_.shape(id).size());
  values_.assign(static_cast<std::size_t>(first_.back()), S(0));
}

template <class S>
void Interpreter<S>::set_batch(BatchContext context, std::int64_t items) {
  batch_ = std::move(context);
  items_ = items;
  place_items(batch_, tape_, items);
  clear_nudges();
  lay_out();
}

template <class S>
std::size_t Interpreter<S>::slot_of(NodeId id) const {
  const std::int32_t slot = id >= 0 && static_cast<std::size_t>(id) < slot_.size()
                                ? slot_[static_cast<std::size_t>(id)]
                                : -1;
  if (slot < 0 || first_.empty())
    fail(Status::usage, "U022", "the interpreter does not evaluate {}",
         id >= 0 && id < tape_.size() ? tape_.label(id) : "this node");
  return static_cast<std::size_t>(slot);
}

template <class S>
std::span<S> Interpreter<S>::leaf(NodeId id) {
  const std::size_t slot = slot_of(id);
  if (!is_given(tape_.op(id))) fail(Status::usage, "U022", "{} is computed", tape_.label(id));
  return {values_.data() + first_[slot], values_.data() + first_[slot + 1]};
}

template <class S>
std::span<const S> Interpreter<S>::value(NodeId id) const {
  const std::size_t slot = slot_of(id);
  return {values_.data() + first_[slot], values_.data() + first_[slot + 1]};
}

template <class S>
void Interpreter<S>::nudge(NodeId id, std::int64_t first, std::span<const S> delta) {
  const std::size_t slot = slot_of(id);
  const std::int64_t size = first_[slot + 1] - first_[slot];
  const auto count = static_cast<std::int64_t>(delta.size());
  if (first < 0 || count > size || first > size - count)
    fail(Status::usage, "U022", "{} has {} elements", tape_.label(id), size);
  nudges_.push_back({static_cast<std::int32_t>(slot), first, {delta.begin(), delta.end()}});
}

template <class S>
std::int64_t Interpreter<S>::item_of(NodeId id, std::int64_t row) const {
  const ExtentId extent = tape_.extent_id(id);
  if (extent == kShared) return -1;
  return batch_.items_of[extent][static_cast<std::size_t>(row)];
}

template <class S>
void Interpreter<S>::apply(const Nudge& nudge) {
  S* x = values_.data() + first_[static_cast<std::size_t>(nudge.slot)] + nudge.first;
  for (std::size_t i = 0; i < nudge.delta.size(); ++i) x[i] += nudge.delta[i];
}

template <class S>
void Interpreter<S>::evaluate(std::size_t slot, std::vector<Operand<S>>& operands) {
  const Node n = tape_.node(order_[slot]);
  operands.clear();
  for (const NodeId in : n.inputs) {
    const auto from = static_cast<std::size_t>(slot_[static_cast<std::size_t>(in)]);
    const Shape& shape = tape_.shape(in);
    const ExtentId extent = tape_.extent_id(in);
    operands.push_back({values_.data() + first_[from], &shape, extent == kShared ? 0 : shape.size(),
                        extent, rows_of(extent)});
  }
  Call<S> call;
  call.in = operands;
  call.out = values_.data() + first_[slot];
  call.shape = &n.shape;
  call.items = rows_of(n.extent);
  call.extent = n.extent;
  call.attrs = &n.attrs;
  call.batch = &batch_;
  call.name = n.name;
  call.index = n.index;
  try {
    forward_of(n.op, S())(call);
  } catch (const ItemFault& why) {
    why.retell(std::string(tape_.label(n.id)), item_of(n.id, why.row));
  } catch (const Error& why) {
    Diagnostic d = why.diagnostics().front();
    d.message = fmt::format("{}: {} ({})", n.op.name, d.message, tape_.label(n.id));
    throw Error(why.status(), std::move(d));
  }
}

template <class S>
void Interpreter<S>::run(const Hook& hook) {
  if (first_.empty()) fail(Status::usage, "U023", "the interpreter has no batch");
  std::stable_sort(nudges_.begin(), nudges_.end(),
                   [](const Nudge& a, const Nudge& b) { return a.slot < b.slot; });
  // a leaf is what it was given again, whatever happens
  std::vector<std::pair<std::int64_t, std::vector<S>>> given;
  const auto restore = [&] {
    for (const auto& [first, old] : given)
      std::copy(old.begin(), old.end(), values_.begin() + first);
  };
  std::vector<Operand<S>> operands;
  auto nudge = nudges_.begin();
  const auto nudged = [&](std::size_t slot) {
    return nudge != nudges_.end() && nudge->slot == static_cast<std::int32_t>(slot);
  };
  try {
    for (std::size_t slot = 0; slot < order_.size(); ++slot) {
      const auto from = values_.begin() + first_[slot], to = values_.begin() + first_[slot + 1];
      if (!is_given(tape_.op(order_[slot])))
        evaluate(slot, operands);
      else if (hook || nudged(slot))
        given.push_back({first_[slot], {from, to}});
      if (hook) hook(order_[slot], {from, to});
      for (; nudged(slot); ++nudge) apply(*nudge);
    }
  } catch (...) {
    restore();
    throw;
  }
  restore();
}

template class Interpreter<float>;
template class Interpreter<double>;
template class Interpreter<std::complex<double>>;
template class Interpreter<Rational>;

}  // namespace taugrad
