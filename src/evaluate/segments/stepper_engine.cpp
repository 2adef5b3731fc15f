#include "evaluate/segments/stepper_engine.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/fail.h"
#include "base/suggest.h"
#include "evaluate/evaluation.h"
#include "evaluate/segments/segment_plan.h"
#include "evaluate/segments/segment_tensors.h"
#include "unfold/graph_size.h"

namespace taugrad {

using runtime::StepPlan;
using runtime::StepTensor;

void unknown_in_stepper(const char* what, std::string_view name,
                        const std::vector<std::string>& known) {
  Diagnostic d;
  d.code = "U020";
  d.message = fmt::format("there is no {} \"{}\"", what, name);
  d.help = did_you_mean(std::string(name), known);
  fail(Status::usage, std::move(d));
}

namespace {

SegmentRequest request_of(const ResolvedModel& model, const StepperOptions& o) {
  SegmentRequest r;
  r.modes = o.modes;
  std::vector<std::string> known;
  for (const Symbol& s : model.symbols)
    if (s.kind == SymbolKind::variable) known.push_back(s.name);
  for (const std::string& text : o.outputs) {
    const bool nll = text.starts_with("nll:");
    const std::string name = nll ? text.substr(4) : text;
    const int number = model.find(name);
    const Symbol* s = number < 0 ? nullptr : &model.symbols[static_cast<std::size_t>(number)];
    if (s == nullptr || s->kind != SymbolKind::variable || (nll && !s->random()))
      unknown_in_stepper("output", text, known);
    (nll ? r.likelihoods : r.values).push_back(name);
  }
  return r;
}

template <class S>
Tensor tensor_of(const StepTensor<S>& t, std::int64_t batch) {
  Dims dims = t.others;
  if (!t.shared) dims.push_back(batch);
  dims.insert(dims.end(), t.shape.dims().begin(), t.shape.dims().end());
  if (dims.empty()) dims.push_back(1);
  return Tensor(dims, t.category ? Dtype::i64 : sizeof(S) == 4 ? Dtype::f32 : Dtype::f64);
}

template <class S>
void write(std::span<const S> from, Tensor& to) {
  if (to.dtype() == Dtype::i64) {
    const std::span<std::int64_t> symbols = to.values<std::int64_t>();
    for (std::size_t i = 0; i < from.size(); ++i)
      symbols[i] = std::isnan(from[i]) ? -1 : static_cast<std::int64_t>(from[i]);
  } else {
    std::ranges::copy(from, to.values<S>().begin());
  }
}

template <class S>
void read(const Tensor& from, std::span<S> to) {
  if (from.dtype() == Dtype::f32)
    std::ranges::transform(from.values<float>(), to.begin(),
                           [](float x) { return static_cast<S>(x); });
  else if (from.dtype() == Dtype::f64)
    std::ranges::transform(from.values<double>(), to.begin(),
                           [](double x) { return static_cast<S>(x); });
  else
    std::ranges::transform(from.values<std::int64_t>(), to.begin(),
                           [](std::int64_t x) { return static_cast<S>(x); });
}

}  // namespace

template <class S>
Stepper::Of<S>::Of(std::shared_ptr<const ResolvedModel> m, const Tensors& weights,
                   const StepperOptions& o)
    : model(std::move(m)), options(o), segments(model, request_of(*model, o)) {
  UnfoldOptions how{.steps = 1, .lengths = o.lengths};
  how.lengths[segments.length_name()] = 1;
  for (std::size_t l = 0; l < model->lengths.size(); ++l) {
    const bool known = static_cast<int>(l) == segments.length() || model->fixed_lengths[l] >= 0 ||
                       o.lengths.contains(model->lengths[l]) || letter_given(l);
    if (!known) fail(Status::usage, "G022", "the length \"{}\" is not given", model->lengths[l]);
  }
  lengths = lengths_of(*model, how);
  for (const StateSlot& slot : segments.slots(lengths)) {
    tensors.state.emplace_back(batch() * runtime::elements_of(*model, slot));
    state.emplace(slot_name(*model, segments.length(), slot), slot_tensor(slot));
  }
  tensors.next = tensors.state;
  tensors.steps.assign(batch(), 0);
  state.emplace("steps", Tensor({options.batch}, Dtype::i64));
  for (const std::string& name : o.outputs) tensors.outputs.push_back(output_of(name));
  for (const Symbol& s : model->symbols)
    if (s.kind == SymbolKind::input || s.random()) tensors.inputs.push_back(tensor_for(s));
  for (StepTensor<S>& t : tensors.outputs) {
    Tensor& shown = outputs.emplace(t.name, tensor_of(t, options.batch)).first->second;
    t.place = t.category ? std::span<S>(t.values) : shown.values<S>();
    if (t.category) symbols.emplace_back(t.values, &shown);
  }
  mine.assign(batch(), 0);
  const std::int64_t settled = segments.settled();
  if (settled < 0)
    fail(Status::bad_input, "G040",
         "a Stepper cannot run \"{}\": no two of its steps are alike (weights of their own for "
         "each position)",
         model->system.name);
  for (std::int64_t first = 0; first <= std::max<std::int64_t>(settled, 1); ++first)
    plans.push_back(std::make_unique<StepPlan<S>>(segments, first, lengths, o, weights, tensors));
}

template <class S>
bool Stepper::Of<S>::letter_given(std::size_t length) const {
  for (std::size_t i = 0; i < model->index_length.size(); ++i)
    if (model->index_length[i] == static_cast<int>(length) &&
        options.lengths.contains(model->system.indices[i].name))
      return true;
  return false;
}

template <class S>
Tensor Stepper::Of<S>::slot_tensor(const StateSlot& slot) const {
  const Symbol& s = model->symbols[static_cast<std::size_t>(slot.symbol)];
  const bool category = s.category >= 0 && !slot.nll;
  const Shape shape = slot.nll || category ? Shape{} : s.shape;
  return tensor_of<S>({{}, {}, shape, category}, options.batch);
}

template <class S>
StepTensor<S> Stepper::Of<S>::tensor_for(const Symbol& s) const {
  StepTensor<S> t;
  t.name = s.name;
  const int cut = axis_along(*model, s, segments.length());
  for (std::size_t a = 0; a < s.axes.size(); ++a)
    if (static_cast<int>(a) != cut)
      t.others.push_back(lengths[static_cast<std::size_t>(
          model->index_length[static_cast<std::size_t>(s.axes[a])])]);
  t.category = s.category >= 0;
  t.shape = t.category ? Shape{} : s.shape;
  t.shared = !s.per_example;
  std::size_t elements = static_cast<std::size_t>(t.shape.size()) * (t.shared ? 1 : batch());
  for (const std::int64_t n : t.others) elements *= static_cast<std::size_t>(n);
  t.values.assign(elements, t.category ? S(-1) : S(0));
  return t;
}

template <class S>
StepTensor<S> Stepper::Of<S>::output_of(const std::string& name) const {
  const bool nll = name.starts_with("nll:");
  const int number = model->find(nll ? name.substr(4) : name);
  StepTensor<S> t = tensor_for(model->symbols[static_cast<std::size_t>(number)]);
  if (nll) {
    t.values.resize(t.values.size() / static_cast<std::size_t>(t.shape.size()));
    t.shape = {};
    t.category = false;
  }
  t.name = name;
  std::ranges::fill(t.values, S(0));
  return t;
}

template <class S>
std::size_t Stepper::Of<S>::plan_of(std::int64_t steps) const {
  return static_cast<std::size_t>(std::min(steps, static_cast<std::int64_t>(plans.size()) - 1));
}

template <class S>
void Stepper::Of<S>::step() {
  if (goes_on != nullptr) {
    goes_on->run_on(tensors);
    for (std::int64_t& n : tensors.steps) ++n;
    return;
  }
  const std::size_t one = plan_of(tensors.steps[0]);
  const bool alike =
      std::ranges::all_of(tensors.steps, [&](std::int64_t n) { return plan_of(n) == one; });
  if (alike && plans[one]->runs_on()) return run_on(plans[one].get());
  find_state();
  if (alike) {
    plans[one]->run(tensors, nullptr);
  } else {
    for (std::size_t p = 0; p < plans.size(); ++p) {
      bool any = false;
      for (std::size_t i = 0; i < mine.size(); ++i) {
        mine[i] = plan_of(tensors.steps[i]) == p ? 1 : 0;
        any = any || mine[i] != 0;
      }
      if (any) plans[p]->run(tensors, mine.data());
    }
  }
  tensors.state.swap(tensors.next);
  for (std::int64_t& n : tensors.steps) ++n;
}

// Step after step of one plan leaves the state with it.
template <class S>
void Stepper::Of<S>::run_on(StepPlan<S>* plan) {
  if (holds_state != plan) {
    find_state();
    plan->take_state(tensors);
    holds_state = plan;
  }
  plan->run_on(tensors);
  for (std::int64_t& n : tensors.steps) ++n;
  if (plan == plans.back().get()) goes_on = plan;
}

template <class S>
void Stepper::Of<S>::find_state() {
  if (holds_state != nullptr) holds_state->give_state(tensors);
  holds_state = goes_on = nullptr;
}

template <class S>
void Stepper::Of<S>::take(const Tensors& given) {
  for (StepTensor<S>& t : tensors.inputs) {
    const auto found = given.find(t.name);
    if (found == given.end()) continue;
    const Tensor& from = found->second;
    if (!fits(t, from.dims()))
      fail(Status::bad_input, "D011", "\"{}\" has axes {}, want {}", t.name, dims_text(from.dims()),
           dims_text(tensor_of(t, options.batch).dims()));
    read<S>(from, t.values);
  }
}

template <class S>
bool Stepper::Of<S>::fits(const StepTensor<S>& t, const Dims& dims) const {
  const std::size_t others = t.others.size(), shape = static_cast<std::size_t>(t.shape.rank());
  if (dims.size() != others + shape + 1 || dims[others] != options.batch) return false;
  return std::equal(t.others.begin(), t.others.end(), dims.begin()) &&
         std::equal(t.shape.dims().begin(), t.shape.dims().end(),
                    dims.begin() + static_cast<std::ptrdiff_t>(others + 1));
}

template <class S>
void Stepper::Of<S>::store_outputs() {
  for (const auto& [from, to] : symbols) write<S>(from, *to);
}

template <class S>
void Stepper::Of<S>::store_state() {
  find_state();
  std::ranges::copy(tensors.steps,
                    state.find("steps")->second.template values<std::int64_t>().begin());
  if (names.empty())
    for (const StateSlot& slot : segments.slots(lengths))
      names.push_back(slot_name(*model, segments.length(), slot));
  for (std::size_t s = 0; s < names.size(); ++s)
    write<S>(tensors.state[s], state.find(names[s])->second);
}

template <class S>
void Stepper::Of<S>::set_state(const Tensors& given) {
  store_state();
  std::map<std::string, Dims> slots;
  for (const auto& [name, own] : state)
    if (name != "steps") slots.emplace(name, own.dims());
  std::ranges::copy(runtime::checked_steps(given, slots, options.batch, 1), tensors.steps.begin());
  for (std::size_t s = 0; s < names.size(); ++s)
    read<S>(given.find(names[s])->second, tensors.state[s]);
}

template <class S>
void Stepper::Of<S>::reset(std::int64_t item) {
  if (item < 0 || item >= options.batch)
    fail(Status::usage, "U022", "there is no item {}: the batch has {}, from 0", item,
         options.batch);
  tensors.steps[static_cast<std::size_t>(item)] = 0;
  goes_on = nullptr;
}

template struct Stepper::Of<float>;
template struct Stepper::Of<double>;

}  // namespace taugrad
