#include "evaluate/segments/step_plan.h"

#include <algorithm>
#include <functional>

#include "base/fail.h"
#include "evaluate/evaluation.h"
#include "evaluate/segments/segment_plan.h"
#include "runtime/plan_of.h"
#include "taugrad/ops/records.h"

namespace taugrad::runtime {
namespace {

/// The position among the axes before the batch, without the one that is stepped along.
std::size_t flat_of(std::span<const std::int32_t> at, int cut,
                    const std::vector<std::int64_t>& others) {
  std::size_t flat = 0, axis = 0;
  for (std::size_t a = 0; a < at.size(); ++a) {
    if (static_cast<int>(a) == cut) continue;
    flat = flat * static_cast<std::size_t>(others[axis++]) + static_cast<std::size_t>(at[a] - 1);
  }
  return flat;
}

bool within(std::span<const std::int32_t> at, int cut, std::int64_t step,
            const std::vector<std::int64_t>& others) {
  std::size_t axis = 0;
  for (std::size_t a = 0; a < at.size(); ++a) {
    if (static_cast<int>(a) == cut) {
      if (at[a] != step) return false;
    } else if (const std::int64_t n = others[axis++]; at[a] < 1 || at[a] > n) {
      return false;
    }
  }
  return true;
}

/// A few numbers are copied without a call.
template <class S>
void copy(const S* from, std::size_t count, S* to) {
  if (count == 1)
    *to = *from;
  else
    std::copy_n(from, count, to);
}

template <class S>
bool overlap(std::span<const S> a, std::span<const S> b) {
  const std::less<const S*> before;
  return before(a.data(), b.data() + b.size()) && before(b.data(), a.data() + a.size());
}

}  // namespace

template <class S>
StepPlan<S>::StepPlan(Segments& segments, std::int64_t first,
                      const std::vector<std::int64_t>& lengths, const StepperOptions& options,
                      const Tensors& weights, StepTensors<S>& tensors)
    : model_(segments.model()), segment_(segments.segment(first, lengths)), batch_(options.batch) {
  UnfoldOptions how = segments.unfolding(segment_, 1, lengths);
  how.temperature = options.temperature;
  how.top_k = options.top_k;
  how.top_p = options.top_p;
  const Unfolded u = unfold(model_, how);
  const Tape& tape = u.graph().tape();
  std::vector<NodeId> nodes;
  find_outputs(u, tensors, nodes);
  for (std::size_t s = 0; s < segment_.slots.size(); ++s) {
    Piece p;
    p.output = nodes.size();
    p.tensor = s;
    p.size = elements_of(*model_, segment_.slots[s]);
    told_.push_back(p);
    nodes.push_back(u.segment()->told[s]);
  }
  const ExecutorOptions engine{.engine = {.threads = 1}, .weights_change = false};
  plan_ = std::make_unique<const plan::Plan<S>>(plan_of<S>(tape, nodes, engine));
  machine_ = std::make_unique<Runtime<S>>(*plan_, engine);
  for (NodeId id = 0; id < tape.size(); ++id) draws_ = draws_ || tape.attrs(id).has("stream");
  context_.seed = options.seed;
  for (std::size_t l = 0; l < lengths.size(); ++l)
    context_.lengths.emplace_back(static_cast<std::size_t>(batch_),
                                  static_cast<int>(l) == segments.length() ? 1 : lengths[l]);
  for (std::int64_t i = 0; i < batch_; ++i) context_.item.push_back(i);
  context_.moved.assign(static_cast<std::size_t>(batch_), 0);
  machine_->set_batch(context_, batch_);
  find_leaves(u, weights, tensors);
  warm_up(tensors);
}

// A first run takes memory and packs the weights. On zeros, which a solve may refuse.
template <class S>
void StepPlan<S>::warm_up(StepTensors<S>& tensors) try {
  const std::vector<char> none(static_cast<std::size_t>(batch_), 0);
  run(tensors, none.data());
} catch (const Error&) {
}

template <class S>
void StepPlan<S>::find_outputs(const Unfolded& u, const StepTensors<S>& tensors,
                               std::vector<NodeId>& nodes) {
  for (std::size_t k = 0; k < tensors.outputs.size(); ++k) {
    const StepTensor<S>& t = tensors.outputs[k];
    const auto add = [&](const auto& at, NodeId id) {
      add_output(u, k, t, std::span<const std::int32_t>(at.begin(), at.end()), id, nodes);
    };
    if (t.name.starts_with("nll:"))
      u.each_nll(t.name.substr(4), add);
    else
      u.each_value(t.name, add);
  }
}

template <class S>
void StepPlan<S>::add_output(const Unfolded& u, std::size_t number, const StepTensor<S>& t,
                             std::span<const std::int32_t> at, NodeId id,
                             std::vector<NodeId>& nodes) {
  const std::string name = t.name.starts_with("nll:") ? t.name.substr(4) : t.name;
  const Symbol& s = model_->symbols[static_cast<std::size_t>(model_->find(name))];
  const int cut = axis_along(*model_, s, segment_.length);
  if (!within(at, cut, segment_.first + 1, t.others)) return;
  Piece p;
  p.output = nodes.size();
  p.tensor = number;
  p.size = static_cast<std::size_t>(t.shape.size());
  p.shared = u.graph().tape().extent_id(id) == kShared;
  p.offset =
      flat_of(at, cut, t.others) * p.size * (t.shared ? 1 : static_cast<std::size_t>(batch_));
  outputs_.push_back(p);
  nodes.push_back(id);
}

template <class S>
void StepPlan<S>::bind(const Unfolded& u, NodeId id, const Tensors& weights) {
  const Tape& tape = u.graph().tape();
  const std::string name(tape.name(id));
  const auto found = weights.find(name);
  if (found == weights.end()) fail(Status::bad_input, "S013", "weight \"{}\" is missing", name);
  const Tensor& w = found->second;
  const std::span<const std::int32_t> at = tape.index(id);
  const Shape& shape = tape.shape(id);
  bool fits = w.dims().size() == at.size() + static_cast<std::size_t>(shape.rank()) &&
              std::equal(shape.dims().begin(), shape.dims().end(),
                         w.dims().begin() + static_cast<std::ptrdiff_t>(at.size()));
  fits = fits || (at.empty() && shape.rank() == 0 && w.dims() == Dims{1});
  std::int64_t flat = 0;
  for (std::size_t a = 0; fits && a < at.size(); ++a) {
    fits = at[a] <= w.dims()[a];
    flat = flat * w.dims()[a] + at[a] - 1;
  }
  if (!fits)
    fail(Status::bad_input, "S013", "weight \"{}\" is {}, the definition needs {}", name,
         dims_text(w.dims()), to_string(shape));
  convert(w, flat * shape.size(), leaf(id));
}

template <class S>
void StepPlan<S>::find_input(const Unfolded& u, NodeId id, StepTensors<S>& tensors) {
  const Tape& tape = u.graph().tape();
  const std::string name = data_of(tape.name(id));
  const auto t = std::find_if(tensors.inputs.begin(), tensors.inputs.end(),
                              [&](const StepTensor<S>& i) { return i.name == name; });
  if (t == tensors.inputs.end())
    fail(Status::bug, "B001", "a step reads \"{}\", which is no input", name);
  const Symbol& s = model_->symbols[static_cast<std::size_t>(model_->find(name))];
  Piece p;
  p.leaf = leaf(id);
  p.tensor = static_cast<std::size_t>(t - tensors.inputs.begin());
  p.size = static_cast<std::size_t>(t->shape.size());
  p.offset = flat_of(tape.index(id), axis_along(*model_, s, segment_.length), t->others) * p.size *
             static_cast<std::size_t>(batch_);
  inputs_.push_back(p);
}

template <class S>
void StepPlan<S>::find_leaves(const Unfolded& u, const Tensors& weights, StepTensors<S>& tensors) {
  const Tape& tape = u.graph().tape();
  const SegmentNodes& own = *u.segment();
  for (const NodeId id : plan_->leaves) {
    if (&tape.op(id) == &kWeight) {
      bind(u, id, weights);
    } else if (id == own.steps) {
      steps_ = leaf(id);
    } else if (const auto slot = std::find(own.read.begin(), own.read.end(), id);
               slot != own.read.end()) {
      Piece p;
      p.leaf = leaf(id);
      p.value = machine_->leaf_value(id);
      p.tensor = static_cast<std::size_t>(slot - own.read.begin());
      p.size = p.leaf.size() / static_cast<std::size_t>(batch_);
      state_.push_back(p);
    } else {
      find_input(u, id, tensors);
    }
  }
}

/// Where the executor makes outputs: the batch, and with it the storage, stays as it is.
template <class S>
void StepPlan<S>::find_values(StepTensors<S>& tensors) {
  for (std::vector<Piece>* const pieces : {&outputs_, &told_})
    for (Piece& p : *pieces) p.made = machine_->output(plan_->outputs[p.output]);
  find_handed_on();
  find_copies(tensors);
  found_ = true;
}

template <class S>
void StepPlan<S>::take(const Piece& p, S* to, const char* mine) const {
  if (mine == nullptr || p.shared) {
    std::copy_n(p.made.data(), p.made.size(), to);
    return;
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(batch_); ++i)
    if (mine[i] != 0) std::copy_n(p.made.data() + i * p.size, p.size, to + i * p.size);
}

template <class S>
void StepPlan<S>::take_inputs(const StepTensors<S>& tensors) {
  for (const Piece& p : inputs_)
    copy(tensors.inputs[p.tensor].values.data() + p.offset, p.leaf.size(), p.leaf.data());
  for (std::size_t i = 0; i < steps_.size(); ++i) steps_[i] = static_cast<S>(tensors.steps[i]);
}

template <class S>
void StepPlan<S>::run(StepTensors<S>& tensors, const char* mine) {
  if (draws_) {
    for (std::size_t i = 0; i < context_.moved.size(); ++i)
      context_.moved[i] = tensors.steps[i] - segment_.first;
    machine_->set_batch(context_, batch_);
  }
  take_state(tensors);
  take_inputs(tensors);
  machine_->run();
  if (!found_) find_values(tensors);
  for (const Piece& p : outputs_) take(p, tensors.outputs[p.tensor].place.data() + p.offset, mine);
  for (const Piece& p : told_) take(p, tensors.next[p.tensor].data(), mine);
}

/// What a step tells of the state goes where the next one reads it, and nowhere else: into leaves,
/// which a run that may fail does not write, so that a step that fails leaves the state as it was.
template <class S>
void StepPlan<S>::find_handed_on() {
  runs_on_ = !draws_ && told_.size() == state_.size();
  for (Piece& told : told_) {
    for (const Piece& p : state_) {
      if (p.tensor == told.tensor) {
        told.leaf = p.leaf;
        told.value = p.value;
      }
      // a value that is such a leaf itself would be written over before it is read
      if (overlap<S>(told.made, p.leaf)) runs_on_ = false;
    }
    if (told.leaf.empty() || told.leaf.size() != told.made.size()) runs_on_ = false;
  }
  again_ = runs_on_ && machine_->settled();
  if (again_)
    find_in_place();
  else
    copied_ = told_;
}

/// Values that the run itself may write to those leaves; what else stood for them lies there too.
template <class S>
void StepPlan<S>::find_in_place() {
  for (Piece& told : told_) {
    const std::span<const S> from = told.made;
    if (!machine_->write_over(plan_->outputs[told.output], told.value)) {
      copied_.push_back(told);
      continue;
    }
    for (std::vector<Piece>* const pieces : {&outputs_, &told_, &copied_})
      for (Piece& p : *pieces)
        if (overlap<S>(p.made, from))
          p.made = {told.leaf.data() + (p.made.data() - from.data()), p.made.size()};
  }
}

template <class S>
void StepPlan<S>::take_state(const StepTensors<S>& tensors) {
  for (const Piece& p : state_) copy(tensors.state[p.tensor].data(), p.leaf.size(), p.leaf.data());
}

template <class S>
void StepPlan<S>::give_state(StepTensors<S>& tensors) const {
  for (const Piece& p : state_)
    copy<S>(p.leaf.data(), p.leaf.size(), tensors.state[p.tensor].data());
}

/// Storage of tensors stays where it is.
template <class S>
void StepPlan<S>::find_copies(StepTensors<S>& tensors) {
  for (const Piece& p : inputs_)
    before_.push_back(
        {tensors.inputs[p.tensor].values.data() + p.offset, p.leaf.data(), p.leaf.size()});
  for (const Piece& p : outputs_)
    after_.push_back(
        {p.made.data(), tensors.outputs[p.tensor].place.data() + p.offset, p.made.size()});
  for (const Piece& p : copied_) after_.push_back({p.made.data(), p.leaf.data(), p.made.size()});
}

template <class S>
void StepPlan<S>::run_on(const StepTensors<S>& tensors) {
  for (const Copy& c : before_) copy(c.from, c.count, c.to);
  for (std::size_t i = 0; i < steps_.size(); ++i) steps_[i] = static_cast<S>(tensors.steps[i]);
  if (again_)
    machine_->run_again();
  else
    machine_->run();
  for (const Copy& c : after_) copy(c.from, c.count, c.to);
}

template class StepPlan<float>;
template class StepPlan<double>;

}  // namespace taugrad::runtime
