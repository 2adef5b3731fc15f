#include "taugrad/exec/executor.h"

#include <algorithm>

#include "base/fail.h"
#include "exec/machine.h"
#include "exec/plan_of.h"

namespace taugrad {
namespace {

template <class S>
plan::ValueId leaf_value(const plan::Plan<S>& plan, NodeId id) {
  const auto found = std::lower_bound(plan.leaves.begin(), plan.leaves.end(), id);
  if (found == plan.leaves.end() || *found != id)
    fail(Status::bug, "B001", "node {} is not a leaf of the plan", id);
  return plan.leaf_values[static_cast<std::size_t>(found - plan.leaves.begin())];
}

template <class S>
plan::ValueId output_value(const plan::Plan<S>& plan, std::size_t output) {
  if (output >= plan.outputs.size()) fail(Status::bug, "B001", "the plan has no output {}", output);
  return plan.outputs[output];
}

}  // namespace

template <class S>
Executor<S>::Executor(const Tape& tape, std::span<const NodeId> outputs,
                      const ExecutorOptions& options)
    : plan_(std::make_unique<const plan::Plan<S>>(exec::plan_of<S>(tape, outputs, options))),
      machine_(std::make_unique<exec::Machine<S>>(*plan_, options)) {}

template <class S>
Executor<S>::~Executor() = default;
template <class S>
Executor<S>::Executor(Executor&&) noexcept = default;
template <class S>
Executor<S>& Executor<S>::operator=(Executor&&) noexcept = default;

template <class S>
std::span<const NodeId> Executor<S>::leaves() const {
  return plan_->leaves;
}

template <class S>
void Executor<S>::set_batch(const BatchContext& context, std::int64_t items) {
  machine_->set_batch(context, items);
}

template <class S>
std::span<const std::int32_t> Executor<S>::items(NodeId leaf) const {
  return machine_->items(leaf_value(*plan_, leaf));
}

template <class S>
std::span<const std::int32_t> Executor<S>::output_items(std::size_t output) const {
  return machine_->items(output_value(*plan_, output));
}

template <class S>
std::span<S> Executor<S>::leaf(NodeId id) {
  return machine_->leaf(leaf_value(*plan_, id));
}

template <class S>
void Executor<S>::bind(NodeId id, std::span<const S> values) {
  machine_->bind(leaf_value(*plan_, id), values);
}

template <class S>
void Executor<S>::run() {
  machine_->run();
}

template <class S>
void Executor<S>::watch(exec::Profile<S>* profile) {
  machine_->watch(profile);
}

template <class S>
std::span<const S> Executor<S>::value(std::size_t output) const {
  return machine_->output(output_value(*plan_, output));
}

template <class S>
OperationCount Executor<S>::operations() const {
  return machine_->operations();
}

template <class S>
std::size_t Executor<S>::bytes() const {
  return machine_->bytes();
}

template <class S>
std::size_t Executor<S>::steps() const {
  return plan_->steps.size();
}

template class Executor<float>;
template class Executor<double>;

}  // namespace taugrad
