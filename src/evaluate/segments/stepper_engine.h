#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "evaluate/segments/step_plan.h"
#include "taugrad/evaluate/stepper.h"
#include "unfold/segments.h"

namespace taugrad {

/// Of either type of numbers.
struct Stepper::Engine {
  virtual ~Engine() = default;
  virtual void step() = 0;
  virtual void take(const Tensors& inputs) = 0;
  virtual void store_outputs() = 0;
  virtual void store_state() = 0;
  virtual void set_state(const Tensors& state) = 0;
  virtual void reset(std::int64_t item) = 0;
  Tensors outputs, state;
};

/// Its plans, by how many steps were made, and the tensors that they share.
template <class S>
struct Stepper::Of final : Stepper::Engine {
  template <class T>
  using StepTensor = runtime::StepTensor<T>;
  template <class T>
  using StepPlan = runtime::StepPlan<T>;

  Of(std::shared_ptr<const ResolvedModel> m, const Tensors& weights, const StepperOptions& o);
  bool letter_given(std::size_t length) const;
  std::size_t batch() const { return static_cast<std::size_t>(options.batch); }
  Tensor slot_tensor(const StateSlot& slot) const;
  StepTensor<S> tensor_for(const Symbol& s) const;
  StepTensor<S> output_of(const std::string& name) const;
  std::size_t plan_of(std::int64_t steps) const;
  void step() override;
  void run_on(StepPlan<S>* plan);
  void find_state();  ///< takes it from the plan that holds it
  void take(const Tensors& given) override;
  bool fits(const StepTensor<S>& t, const Dims& dims) const;
  void store_outputs() override;
  void store_state() override;
  void set_state(const Tensors& given) override;
  void reset(std::int64_t item) override;

  std::shared_ptr<const ResolvedModel> model;
  StepperOptions options;
  Segments segments;
  std::vector<std::int64_t> lengths;
  runtime::StepTensors<S> tensors;
  std::vector<std::pair<std::span<const S>, Tensor*>> symbols;  // outputs of another type
  std::vector<std::unique_ptr<StepPlan<S>>> plans;  // by steps made; the last one of all later ones
  StepPlan<S>* holds_state = nullptr;               // of all items; null: `tensors` does
  StepPlan<S>* goes_on = nullptr;                   // that plan, where all later steps are its own
  std::vector<char> mine;
  std::vector<std::string> names;  // of slots
};

/// @throws Error (U020)
[[noreturn]] void unknown_in_stepper(const char* what, std::string_view name,
                                     const std::vector<std::string>& known);

}  // namespace taugrad
