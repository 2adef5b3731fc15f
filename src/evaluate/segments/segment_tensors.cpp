#include "evaluate/segments/segment_tensors.h"

#include <fmt/core.h>

#include <cmath>
#include <limits>

#include "base/fail.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "base/whole.h"
#include "evaluate/evaluation.h"

namespace taugrad::runtime {
namespace {

constexpr std::int64_t kMostPosition = std::numeric_limits<std::int32_t>::max();

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

void check_tensor(const Tensors& state, const std::string& name, const Dims& dims) {
  const auto it = state.find(name);
  if (it == state.end()) fail(Status::bad_input, "D010", "the state has no \"{}\"", name);
  if (it->second.dims() != dims)
    fail(Status::bad_input, "D011", "\"{}\" of the state has axes {}, want {}", name,
         dims_text(it->second.dims()), dims_text(dims));
}

void check_names(const Tensors& state, const std::map<std::string, Dims>& slots) {
  for (const auto& [name, tensor] : state) {
    if (name == "steps" || slots.contains(name)) continue;
    std::vector<std::string> known{"steps"};
    for (const auto& [slot, dims] : slots) known.push_back(slot);
    Diagnostic d;
    d.code = "D016";
    d.message = fmt::format("the state has a tensor \"{}\", which the definition does not hand on",
                            printable(name, 80));
    d.help = did_you_mean(name, known);
    fail(Status::bad_input, std::move(d));
  }
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

std::vector<std::int64_t> checked_steps(const Tensors& state,
                                        const std::map<std::string, Dims>& slots,
                                        std::int64_t items, std::int64_t further) {
  check_tensor(state, "steps", {items});
  for (const auto& [name, dims] : slots) check_tensor(state, name, dims);
  check_names(state, slots);
  const Tensor& steps = state.find("steps")->second;
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < items; ++i) {
    const auto n = whole_number(steps, i);
    if (!n || *n < 0 || *n > kMostPosition)
      fail(Status::bad_input, "D014", "item {} of the state has made {} steps", i, steps.at(i));
    if (*n > kMostPosition - further)
      fail(Status::bad_input, "D014",
           "item {} of the state has made {} steps, and {} more would lead beyond {}", i, *n,
           further, kMostPosition);
    all.push_back(*n);
  }
  return all;
}

template <class S>
void read_state(const ResolvedModel& model, int length, const Tensors& from, std::int64_t further,
                SegmentState<S>& state) {
  const auto items = static_cast<std::int64_t>(state.steps.size());
  std::map<std::string, Dims> slots;
  for (const StateSlot& slot : state.slots)
    slots.emplace(slot_name(model, length, slot), dims_of(model, slot, items));
  state.steps = checked_steps(from, slots, items, further);
  for (std::size_t s = 0; s < state.slots.size(); ++s)
    convert(from.find(slot_name(model, length, state.slots[s]))->second, 0,
            std::span<S>(state.values[s]));
}

template Tensors state_tensors(const ResolvedModel&, int, const SegmentState<float>&);
template Tensors state_tensors(const ResolvedModel&, int, const SegmentState<double>&);
template void read_state(const ResolvedModel&, int, const Tensors&, std::int64_t,
                         SegmentState<float>&);
template void read_state(const ResolvedModel&, int, const Tensors&, std::int64_t,
                         SegmentState<double>&);

}  // namespace taugrad::runtime
