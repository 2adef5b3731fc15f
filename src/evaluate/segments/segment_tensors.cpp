#include "evaluate/segments/segment_tensors.h"

#include <cmath>

#include "base/fail.h"
#include "base/whole.h"
#include "evaluate/evaluation.h"

namespace taugrad::runtime {
namespace {

Dims dims_of(const ResolvedModel& model, const StateSlot& slot, std::int64_t items) {
  const Symbol& s = model.symbols[static_cast<std::size_t>(slot.symbol)];
  Dims dims{items};
  if (!slot.nll && s.category < 0)
    dims.insert(dims.end(), s.shape.dims().begin(), s.shape.dims().end());
  return dims;
}

bool is_category(const ResolvedModel& model, const StateSlot& slot) {
  return !slot.nll && model.symbols[static_cast<std::size_t>(slot.symbol)].category >= 0;
}

const Tensor& found(const Tensors& from, const std::string& name, const Dims& dims) {
  const auto it = from.find(name);
  if (it == from.end()) fail(Status::bad_input, "D010", "the state has no \"{}\"", name);
  if (it->second.dims() != dims)
    fail(Status::bad_input, "D011", "\"{}\" of the state has axes {}, want {}", name,
         dims_text(it->second.dims()), dims_text(dims));
  return it->second;
}

}  // namespace

template <class S>
Tensors state_tensors(const ResolvedModel& model, int length, const SegmentState<S>& state) {
  Tensors out;
  const auto items = static_cast<std::int64_t>(state.steps.size());
  for (std::size_t s = 0; s < state.slots.size(); ++s) {
    const bool category = is_category(model, state.slots[s]);
    Tensor t(dims_of(model, state.slots[s], items), category         ? Dtype::i64
                                                    : sizeof(S) == 4 ? Dtype::f32
                                                                     : Dtype::f64);
    for (std::size_t i = 0; i < state.values[s].size(); ++i) {
      const S value = state.values[s][i];
      t.set(static_cast<std::int64_t>(i),
            category && std::isnan(value) ? -1 : static_cast<double>(value));
    }
    out.emplace(slot_name(model, length, state.slots[s]), std::move(t));
  }
  out.emplace("steps", Tensor::of({items}, state.steps));
  return out;
}

template <class S>
void read_state(const ResolvedModel& model, int length, const Tensors& from,
                SegmentState<S>& state) {
  const auto items = static_cast<std::int64_t>(state.steps.size());
  const Tensor& steps = found(from, "steps", {items});
  for (std::int64_t i = 0; i < items; ++i) {
    const auto n = whole_number(steps, i);
    if (!n || *n < 0)
      fail(Status::bad_input, "D014", "item {} of the state has made {} steps", i, steps.at(i));
    state.steps[static_cast<std::size_t>(i)] = *n;
  }
  for (std::size_t s = 0; s < state.slots.size(); ++s) {
    const StateSlot& slot = state.slots[s];
    const Tensor& t = found(from, slot_name(model, length, slot), dims_of(model, slot, items));
    convert(t, 0, std::span<S>(state.values[s]));
  }
}

template Tensors state_tensors(const ResolvedModel&, int, const SegmentState<float>&);
template Tensors state_tensors(const ResolvedModel&, int, const SegmentState<double>&);
template void read_state(const ResolvedModel&, int, const Tensors&, SegmentState<float>&);
template void read_state(const ResolvedModel&, int, const Tensors&, SegmentState<double>&);

}  // namespace taugrad::runtime
