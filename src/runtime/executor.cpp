#include "taugrad/runtime/executor.h"

#include <utility>

#include "base/fail.h"
#include "runtime/plan_of.h"
#include "runtime/runtime.h"

namespace taugrad {
namespace {

template <class S>
plan::ValueId output_value(const plan::Plan<S>& plan, std::size_t output) {
  if (output >= plan.outputs.size())
    fail(Status::usage, "U022", "the plan has no output {}", output);
  return plan.outputs[output];
}

template <class S>
plan::Value value_of(const plan::Plan<S>& plan, std::size_t output) {
  return plan.values[static_cast<std::size_t>(output_value(plan, output))];
}

const ExecutorOptions& checked(const ExecutorOptions& options) {
  constexpr int kMostThreads = 1024;
  const int threads = options.engine.threads;
  if (threads < 0 || threads > kMostThreads)
    fail(Status::usage, "U002", "threads are 1..{}, or 0 for all cores, not {}", kMostThreads,
         threads);
  return options;
}

// what is wrong is said before anything is planned
const ExecutorOptions& checked(const Tape& tape, std::span<const NodeId> outputs,
                               const ExecutorOptions& options) {
  checked(options);
  for (const NodeId id : outputs) tape.check(id);
  if (options.checkpoint != -1) tape.check(options.checkpoint);
  return options;
}

}  // namespace

template <class S>
Executor<S>::Executor(const Tape& tape, std::span<const NodeId> outputs,
                      const ExecutorOptions& options)
    : plan_(std::make_unique<const plan::Plan<S>>(
          runtime::plan_of<S>(tape, outputs, checked(tape, outputs, options)))),
      machine_(std::make_unique<runtime::Runtime<S>>(*plan_, options)) {}

template <class S>
Executor<S>::Executor(std::unique_ptr<const plan::Plan<S>> plan, const ExecutorOptions& options)
    : plan_(std::move(plan)),
      machine_(std::make_unique<runtime::Runtime<S>>(*plan_, checked(options))) {}

template <class S>
Executor<S>::~Executor() = default;
template <class S>
Executor<S>::Executor(Executor&&) noexcept = default;
template <class S>
Executor<S>& Executor<S>::operator=(Executor&&) noexcept = default;

template <class S>
const plan::Plan<S>& Executor<S>::plan() const {
  if (!plan_) fail(Status::usage, "U021", "an executor that was moved from");
  return *plan_;
}

template <class S>
runtime::Runtime<S>& Executor<S>::machine() const {
  plan();
  return *machine_;
}

template <class S>
std::span<const NodeId> Executor<S>::leaves() const {
  return plan().leaves;
}

template <class S>
void Executor<S>::set_batch(const BatchContext& context, std::int64_t items) {
  const runtime::OneCaller::Call call(machine().one_caller());
  machine().set_batch(context, items);
}

template <class S>
std::span<const std::int32_t> Executor<S>::items(NodeId leaf) const {
  const runtime::OneCaller::Call call(machine().one_caller());
  return machine().items(machine().leaf_value(leaf));
}

template <class S>
std::span<const std::int32_t> Executor<S>::output_items(std::size_t output) const {
  const runtime::OneCaller::Call call(machine().one_caller());
  return machine().items(output_value(plan(), output));
}

template <class S>
bool Executor<S>::per_example(std::size_t output) const {
  return value_of(plan(), output).extent != kShared;
}

template <class S>
std::int64_t Executor<S>::elements(std::size_t output) const {
  return value_of(plan(), output).elements;
}

template <class S>
std::span<S> Executor<S>::leaf(NodeId id) {
  const runtime::OneCaller::Call call(machine().one_caller());
  return machine().leaf(machine().leaf_value(id));
}

template <class S>
void Executor<S>::bind(NodeId id, std::span<const S> values) {
  const runtime::OneCaller::Call call(machine().one_caller());
  machine().bind(machine().leaf_value(id), values);
}

template <class S>
void Executor<S>::run() {
  const runtime::OneCaller::Call call(machine().one_caller());
  machine().run();
}

template <class S>
void Executor<S>::watch(runtime::Profile<S>* profile) {
  const runtime::OneCaller::Call call(machine().one_caller());
  machine().watch(profile);
}

template <class S>
std::span<const S> Executor<S>::value(std::size_t output) const {
  const runtime::OneCaller::Call call(machine().one_caller());
  return machine().output(output_value(plan(), output));
}

template <class S>
OperationCount Executor<S>::operations() const {
  const runtime::OneCaller::Call call(machine().one_caller());
  return machine().operations();
}

template <class S>
std::size_t Executor<S>::bytes() const {
  const runtime::OneCaller::Call call(machine().one_caller());
  return machine().bytes();
}

template <class S>
std::size_t Executor<S>::steps() const {
  return plan().steps.size();
}

template class Executor<float>;
template class Executor<double>;

}  // namespace taugrad
