#include "taugrad/evaluate/stepper.h"

#include <cmath>

#include "base/fail.h"
#include "evaluate/evaluation.h"
#include "evaluate/segments/stepper_engine.h"

namespace taugrad {
namespace {

void check(const StepperOptions& o) {
  const auto need = [](bool ok, const char* what) {
    if (!ok) fail(Status::usage, "U002", "{}", what);
  };
  need(o.batch >= 1 && o.batch <= kMaxDim, "a Stepper has 1 item or more");
  need(std::isfinite(o.temperature) && o.temperature > 0, "a temperature is finite and above 0");
  need(o.top_k >= 0, "draws are of the top_k likeliest: 1 or more, or 0 for all");
  need(o.top_p > 0 && o.top_p <= 1, "top_p is a share of the probability, in (0, 1]");
  need(!o.outputs.empty(), "a Stepper has outputs: name variables");
  if (o.dtype != Dtype::f32 && o.dtype != Dtype::f64)
    fail(Status::usage, "U020", "a Stepper computes in f32 or f64, not in {}", to_string(o.dtype));
}

void check_modes_of(const ResolvedModel& model, const Modes& modes) {
  check_modes(model, modes);
  for (const auto& [name, mode] : modes)
    if (mode.kind == Mode::Kind::mixed || mode.kind == Mode::Kind::forced)
      fail(Status::usage, "U002", "a Stepper observes or draws \"{}\", not by turns", name);
}

}  // namespace

Stepper::Stepper(const Definition& d, const Tensors& weights, const StepperOptions& options) {
  check(options);
  const std::shared_ptr<const ResolvedModel> model = resolve(d);
  check_modes_of(*model, options.modes);
  if (options.dtype == Dtype::f32)
    engine_ = std::make_unique<Stepper::Of<float>>(model, weights, options);
  else
    engine_ = std::make_unique<Stepper::Of<double>>(model, weights, options);
  engine_->store_state();
}
Stepper::~Stepper() = default;
Stepper::Stepper(Stepper&&) noexcept = default;
Stepper& Stepper::operator=(Stepper&&) noexcept = default;

Stepper::Engine& Stepper::engine() const {
  if (!engine_) fail(Status::usage, "U021", "a Stepper that was moved from");
  return *engine_;
}

const Tensors& Stepper::step(const Tensors& inputs) {
  engine().take(inputs);
  return step();
}
const Tensors& Stepper::step() {
  engine().step();
  engine_->store_outputs();
  return engine_->outputs;
}

template <class S>
std::span<S> Stepper::input(std::string_view name) {
  auto* own = dynamic_cast<Stepper::Of<S>*>(&engine());
  if (own == nullptr) fail(Status::usage, "D015", "the Stepper computes in another type");
  std::vector<std::string> known;
  for (runtime::StepTensor<S>& t : own->tensors.inputs) {
    if (t.name == name) return t.values;
    known.push_back(t.name);
  }
  unknown_in_stepper("input", name, known);
}

template <class S>
std::span<const S> Stepper::output(std::string_view name) const {
  const auto* own = dynamic_cast<const Stepper::Of<S>*>(&engine());
  if (own == nullptr) fail(Status::usage, "D015", "the Stepper computes in another type");
  std::vector<std::string> known;
  for (const runtime::StepTensor<S>& t : own->tensors.outputs) {
    if (t.name == name) return t.place;
    known.push_back(t.name);
  }
  unknown_in_stepper("output", name, known);
}

const Tensors& Stepper::state() {
  engine().store_state();
  return engine_->state;
}
void Stepper::set_state(const Tensors& state) { engine().set_state(state); }
void Stepper::reset(std::int64_t item) { engine().reset(item); }

template std::span<float> Stepper::input(std::string_view);
template std::span<double> Stepper::input(std::string_view);
template std::span<const float> Stepper::output(std::string_view) const;
template std::span<const double> Stepper::output(std::string_view) const;

}  // namespace taugrad
