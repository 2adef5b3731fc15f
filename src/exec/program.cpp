#include "taugrad/exec/program.h"

#include <algorithm>
#include <variant>

#include "base/fail.h"
#include "exec/bind.h"

namespace taugrad {
namespace {

struct Output {
  std::string label;
  Shape shape;
  bool per_example;
};

/// Labels tell outputs apart, even where several are steps on the way to one variable.
std::vector<Output> outputs_of(const Tape& tape, const std::vector<NodeId>& nodes) {
  std::vector<Output> outputs;
  std::map<std::string, NodeId> seen;
  for (const NodeId id : nodes) {
    std::string label = tape.label(id);
    if (const auto [it, fresh] = seen.try_emplace(label, id); !fresh && it->second != id)
      label += fmt::format(" #{}", id);
    outputs.push_back({std::move(label), tape.shape(id), tape.extent_id(id) != kShared});
  }
  return outputs;
}

std::vector<NodeId> ids_of(const Graph& graph, const Vars& outputs) {
  std::vector<NodeId> ids;
  for (const Var v : outputs) {
    if (v.tape != &graph.tape())
      fail(Status::bug, "B001", "output {} is not of this graph", ids.size());
    ids.push_back(v.id);
  }
  return ids;
}

template <class S>
Tensor collect(const Executor<S>& executor, std::size_t number, const Output& output,
               std::int64_t items) {
  Dims dims(output.shape.dims().begin(), output.shape.dims().end());
  if (output.per_example) dims.insert(dims.begin(), items);
  Tensor tensor(std::move(dims), std::is_same_v<S, float> ? Dtype::f32 : Dtype::f64);
  const auto from = executor.value(number);
  const auto to = tensor.template values<S>();
  if (!output.per_example) {
    std::copy(from.begin(), from.end(), to.begin());
    return tensor;
  }
  const std::int64_t n = output.shape.size();
  const auto rows = executor.output_items(number);
  for (std::size_t r = 0; r < rows.size(); ++r)
    std::copy_n(from.data() + static_cast<std::int64_t>(r) * n, n, to.data() + rows[r] * n);
  return tensor;
}

}  // namespace

struct Program::Runner {
  std::variant<Executor<float>, Executor<double>> executor;
  std::vector<exec::Source> sources;
  exec::LengthRules lengths;
  std::vector<Output> outputs;
  std::uint64_t seed;
  bool train;

  template <class S>
  Tensors run(Executor<S>& e, const Tensors& inputs, const Tensors& weights) const {
    exec::BatchDescription batch = exec::describe_batch(sources, lengths, inputs);
    batch.context.seed = seed;
    batch.context.train = train;
    e.set_batch(batch.context, batch.items);
    for (const exec::Source& s : sources)
      exec::bind_source(e, s, exec::tensor_of(s, s.weight ? weights : inputs));
    e.run();
    Tensors results;
    for (std::size_t i = 0; i < outputs.size(); ++i)
      results.insert_or_assign(outputs[i].label, collect(e, i, outputs[i], batch.items));
    return results;
  }
};

Program::Program(const Graph& graph, const Vars& outputs, const ProgramOptions& options) {
  const std::vector<NodeId> ids = ids_of(graph, outputs);
  const Tape& tape = graph.tape();
  const ExecutorOptions executor_options{.max_memory = options.max_memory,
                                         .threads = options.threads,
                                         .without = options.without,
                                         .checkpoint = options.checkpoint.id,
                                         .precision = options.precision};
  const auto make = [&](auto executor) {
    auto sources = exec::sources_of(tape, executor.leaves());
    runner_ = std::make_unique<Runner>(Runner{std::move(executor), std::move(sources),
                                              exec::length_rules(tape, options.lengths),
                                              outputs_of(tape, ids), options.seed, options.train});
  };
  if (options.dtype == Dtype::i64)
    fail(Status::usage, "U020", "a program computes in f32 or f64, not in i64");
  if (options.dtype == Dtype::f32)
    make(Executor<float>(tape, ids, executor_options));
  else
    make(Executor<double>(tape, ids, executor_options));
}

Program::~Program() = default;
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;

Tensors Program::operator()(const Tensors& inputs, const Tensors& weights) {
  return std::visit([&](auto& e) { return runner_->run(e, inputs, weights); }, runner_->executor);
}

void Program::set_seed(std::uint64_t seed) { runner_->seed = seed; }

OperationCount Program::operations() const {
  return std::visit([](const auto& e) { return e.operations(); }, runner_->executor);
}

std::size_t Program::bytes() const {
  return std::visit([](const auto& e) { return e.bytes(); }, runner_->executor);
}

}  // namespace taugrad
