#include "evaluate/segments/segment_plan.h"

#include <algorithm>

#include "base/fail.h"
#include "evaluate/evaluation.h"
#include "taugrad/ops/records.h"

namespace taugrad::runtime {

std::size_t elements_of(const ResolvedModel& model, const StateSlot& slot) {
  const Symbol& s = model.symbols[static_cast<std::size_t>(slot.symbol)];
  return slot.nll || s.category >= 0 ? 1 : static_cast<std::size_t>(s.shape.size());
}

template <class S>
SegmentState<S> empty_state(const ResolvedModel& model, std::vector<StateSlot> slots,
                            std::size_t items) {
  SegmentState<S> state;
  for (const StateSlot& slot : slots) state.values.emplace_back(items * elements_of(model, slot));
  state.slots = std::move(slots);
  state.steps.assign(items, 0);
  return state;
}

template <class S>
SegmentPlan<S>::SegmentPlan(Segments& segments, const SegmentShape& shape,
                            const SegmentDraws& draws,
                            const std::function<std::vector<NodeId>(const Unfolded&)>& outputs,
                            const ExecutorOptions& options)
    : model_(segments.model()),
      segment_(segments.segment(shape.first,
                                shape.of_state.empty() ? shape.lengths : shape.of_state, shape.from,
                                shape.hand_on)),
      hand_on_(shape.hand_on) {
  UnfoldOptions how = segments.unfolding(segment_, shape.steps, shape.lengths);
  how.ragged = shape.ragged;
  how.temperature = draws.temperature;
  how.top_k = draws.top_k;
  how.top_p = draws.top_p;
  how.given = draws.given;
  unfolded_ = std::make_unique<Unfolded>(unfold(model_, how));
  std::vector<NodeId> nodes = outputs(*unfolded_);
  outputs_ = nodes.size();
  const SegmentNodes& own = *unfolded_->segment();
  for (std::size_t s = 0; s < segment_.slots.size(); ++s) {
    told_.emplace_back(nodes.size(), s);
    nodes.push_back(own.told[s]);
  }
  const Tape& tape = unfolded_->graph().tape();
  executor_ = std::make_unique<Executor<S>>(tape, nodes, options);
  sort_leaves(tape);
}

template <class S>
void SegmentPlan<S>::sort_leaves(const Tape& tape) {
  const SegmentNodes& own = *unfolded_->segment();
  for (const NodeId id : executor_->leaves()) {
    if (id == own.steps) {
      steps_ = id;
      continue;
    }
    if (const auto slot = std::find(own.read.begin(), own.read.end(), id); slot != own.read.end()) {
      state_.emplace_back(id, static_cast<std::size_t>(slot - own.read.begin()));
      continue;
    }
    Leaf leaf{id, data_of(tape.name(id)), {tape.index(id).begin(), tape.index(id).end()}};
    leaf.shape = tape.shape(id);
    leaf.size = static_cast<std::size_t>(leaf.shape.size());
    const std::string counted = counted_input("");
    const int symbol =
        model_->find(leaf.name.starts_with(counted) ? leaf.name.substr(counted.size()) : leaf.name);
    if (symbol >= 0)
      leaf.cut =
          axis_along(*model_, model_->symbols[static_cast<std::size_t>(symbol)], segment_.length);
    const bool mix = leaf.name.starts_with(mix_input(""));
    (&tape.op(id) == &kWeight ? weights_ : mix ? mixes_ : data_).push_back(std::move(leaf));
  }
}

template <class S>
void SegmentPlan<S>::bind(const Tensors& weights) {
  for (const Leaf& leaf : weights_) {
    const auto found = weights.find(leaf.name);
    if (found == weights.end())
      fail(Status::bad_input, "S013", "weight \"{}\" is missing", leaf.name);
    const Tensor& w = found->second;
    const std::size_t rank = leaf.at.size();
    bool fits = w.dims().size() == rank + static_cast<std::size_t>(leaf.shape.rank()) &&
                std::equal(leaf.shape.dims().begin(), leaf.shape.dims().end(),
                           w.dims().begin() + static_cast<std::ptrdiff_t>(rank));
    fits = fits || (rank == 0 && leaf.shape.rank() == 0 && w.dims() == Dims{1});
    std::int64_t flat = 0;
    for (std::size_t a = 0; fits && a < rank; ++a) {
      fits = leaf.at[a] <= w.dims()[a];
      flat = flat * w.dims()[a] + leaf.at[a] - 1;
    }
    if (!fits)
      fail(Status::bad_input, "S013", "weight \"{}\" is {}, the definition needs {}{}", leaf.name,
           dims_text(w.dims()), to_string(leaf.shape),
           rank == 0 ? "" : fmt::format(" at each of {} or more positions", leaf.at.front()));
    const std::int64_t first = flat * static_cast<std::int64_t>(leaf.size);
    if (w.dtype() == (sizeof(S) == 4 ? Dtype::f32 : Dtype::f64))
      executor_->bind(leaf.id, w.values<S>().subspan(static_cast<std::size_t>(first), leaf.size));
    else
      convert(w, first, executor_->leaf(leaf.id));
  }
}

template <class S>
BatchContext SegmentPlan<S>::context_of(const SegmentItems& batch,
                                        const SegmentState<S>& state) const {
  BatchContext context;
  context.seed = batch.seed;
  context.train = batch.train;
  context.item = batch.keys;
  context.lengths = batch.lengths;
  for (const std::size_t item : batch.items)
    context.moved.push_back(state.steps[item] - segment_.first);
  return context;
}

template <class S>
void SegmentPlan<S>::fill(const SegmentItems& batch, const SegmentState<S>& state,
                          const ReadValue<S>& read) {
  const auto item_of = [&](std::int32_t row) { return batch.items[static_cast<std::size_t>(row)]; };
  for (const auto& [id, slot] : state_) {
    const std::span<S> to = executor_->leaf(id);
    const std::span<const std::int32_t> rows = executor_->items(id);
    const std::vector<S>& from = state.values[slot];
    const std::size_t size = rows.empty() ? 0 : to.size() / rows.size();
    for (std::size_t r = 0; r < rows.size(); ++r)
      std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(item_of(rows[r]) * size), size,
                  to.begin() + static_cast<std::ptrdiff_t>(r * size));
  }
  if (steps_ >= 0) {
    const std::span<S> to = executor_->leaf(steps_);
    const std::span<const std::int32_t> rows = executor_->items(steps_);
    for (std::size_t r = 0; r < rows.size(); ++r)
      to[r] = static_cast<S>(state.steps[item_of(rows[r])]);
  }
  for (const Leaf& leaf : mixes_)
    executor_->leaf(leaf.id)[0] =
        static_cast<S>(batch.mixes.at(leaf.name.substr(mix_input("").size())));
  std::vector<std::int32_t> at;
  for (const Leaf& leaf : data_) {
    const std::span<S> to = executor_->leaf(leaf.id);
    const std::span<const std::int32_t> rows = executor_->items(leaf.id);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      at = leaf.at;
      if (leaf.cut >= 0)
        at[static_cast<std::size_t>(leaf.cut)] +=
            static_cast<std::int32_t>(state.steps[item_of(rows[r])] - segment_.first);
      read({leaf.name, at, item_of(rows[r])}, to.subspan(r * leaf.size, leaf.size));
    }
  }
}

template <class S>
void SegmentPlan<S>::take_state(const SegmentItems& batch, SegmentState<S>& state) {
  for (const auto& [output, slot] : told_) {
    const std::span<const S> from = executor_->value(output);
    const std::span<const std::int32_t> rows = executor_->output_items(output);
    std::vector<S>& to = state.values[slot];
    const std::size_t size = rows.empty() ? 0 : from.size() / rows.size();
    for (std::size_t r = 0; r < rows.size(); ++r)
      std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(r * size), size,
                  to.begin() + static_cast<std::ptrdiff_t>(
                                   batch.items[static_cast<std::size_t>(rows[r])] * size));
  }
  const auto& steps = batch.lengths[static_cast<std::size_t>(segment_.length)];
  for (std::size_t i = 0; i < batch.items.size(); ++i)
    state.steps[batch.items[i]] += hand_on_ >= 0 ? std::min(hand_on_, steps[i]) : steps[i];
}

template <class S>
void SegmentPlan<S>::run(const SegmentItems& batch, SegmentState<S>& state,
                         const ReadValue<S>& read) {
  executor_->set_batch(context_of(batch, state), static_cast<std::int64_t>(batch.items.size()));
  fill(batch, state, read);
  executor_->run();
  take_state(batch, state);
}

template SegmentState<float> empty_state(const ResolvedModel&, std::vector<StateSlot>, std::size_t);
template SegmentState<double> empty_state(const ResolvedModel&, std::vector<StateSlot>,
                                          std::size_t);
template class SegmentPlan<float>;
template class SegmentPlan<double>;

}  // namespace taugrad::runtime
