#include "taugrad/evaluate/program.h"

#include <algorithm>
#include <variant>

#include "base/fail.h"
#include "evaluate/leaves/bind.h"
#include "evaluate/leaves/leaf_names.h"
#include "runtime/in_use.h"

namespace taugrad {

/// A field of Runner, and so of no unnamed namespace: the files of a room are compiled at once.
struct ProgramOutput {
  std::string label;
  Shape shape;
  bool per_example;
};

namespace {

/// The same whatever other outputs there are, and whichever gradients were asked for before.
std::string label_of(const Tape& tape, NodeId id) {
  if (const std::string known = tape.known_as(id); !known.empty()) return known;
  const bool step = !tape.is_value(id) && !tape.name(id).empty();
  return step ? fmt::format("{} #{}", tape.label(id), id) : tape.label(id);
}

/// Labels tell outputs apart.
std::vector<ProgramOutput> outputs_of(const Tape& tape, const std::vector<NodeId>& nodes) {
  std::vector<ProgramOutput> outputs;
  std::map<std::string, NodeId> seen;
  for (const NodeId id : nodes) {
    std::string label = label_of(tape, id);
    if (const auto [it, fresh] = seen.try_emplace(label, id); !fresh && it->second != id)
      label += fmt::format(" #{}", id);
    outputs.push_back({std::move(label), tape.shape(id), tape.extent_id(id) != kShared});
  }
  return outputs;
}

std::vector<NodeId> ids_of(const Graph& graph, const Vars& outputs) {
  std::vector<NodeId> ids;
  for (const Var& v : outputs) ids.push_back(graph.tape().own(v));
  return ids;
}

template <class S>
Tensor collect(const Executor<S>& executor, std::size_t number, const ProgramOutput& output,
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

struct Outputs::Names {
  Vars nodes;
  std::vector<std::string> labels;
};

namespace {
// the first few
std::string listed(std::vector<std::string> labels) {
  constexpr std::size_t kMost = 8;
  const bool more = labels.size() > kMost;
  labels.resize(std::min(labels.size(), kMost));
  return labels.empty() ? "none" : fmt::format("{}{}", fmt::join(labels, ", "), more ? ", .." : "");
}
}  // namespace

const Tensor& Outputs::operator[](std::size_t number) const {
  const std::size_t count = names_ ? names_->labels.size() : 0;
  if (number >= count)
    fail(Status::usage, "U022", "the program has {} outputs: there is no number {}", count, number);
  return at(names_->labels[number]);
}

const Tensor& Outputs::operator[](const Var& output) const {
  const std::size_t count = names_ ? names_->nodes.size() : 0;
  for (std::size_t i = 0; i < count; ++i)
    if (names_->nodes[i] == output) return (*this)[i];
  fail(Status::usage, "U020", "{} is not an output of the program, which are {}",
       output ? output.tape->label(output.id) : "a Var that holds nothing",
       listed(names_ ? names_->labels : std::vector<std::string>()));
}

const Tensor& Outputs::operator[](std::string_view label) const {
  const auto found = find(std::string(label));
  if (found == end())
    fail(Status::usage, "U020", "the program has no output \"{}\": they are {}", label,
         listed(names_ ? names_->labels : std::vector<std::string>()));
  return found->second;
}

struct Program::Runner {
  runtime::Turns turns;
  std::variant<Executor<float>, Executor<double>> executor;
  std::vector<runtime::Source> sources;
  runtime::LengthRules lengths;
  runtime::LeafNames names_read;
  std::vector<ProgramOutput> outputs;
  std::shared_ptr<const Outputs::Names> names;
  std::uint64_t seed;
  bool train;

  Runner(auto made, std::vector<runtime::Source> from, runtime::LengthRules rules,
         runtime::LeafNames read, std::vector<ProgramOutput> wanted, Vars nodes,
         const ProgramOptions& options)
      : executor(std::move(made)),
        sources(std::move(from)),
        lengths(std::move(rules)),
        names_read(std::move(read)),
        outputs(std::move(wanted)),
        seed(options.seed),
        train(options.train) {
    auto all = std::make_shared<Outputs::Names>();
    all->nodes = std::move(nodes);
    for (const ProgramOutput& o : outputs) all->labels.push_back(o.label);
    names = std::move(all);
  }

  template <class S>
  Outputs run(Executor<S>& e, const Tensors& inputs, const Tensors& weights) const {
    // of an unfolded definition, whose inputs may be more than the graph needs, all are taken
    if (names_read.lengths.empty())
      for (const auto& [name, tensor] : inputs) names_read.check_input(name);
    runtime::BatchDescription batch = runtime::describe_batch(sources, lengths, inputs);
    batch.context.seed = seed;
    batch.context.train = train;
    e.set_batch(batch.context, batch.items);
    for (const runtime::Source& s : sources)
      runtime::bind_source(e, s, runtime::tensor_of(s, s.weight ? weights : inputs));
    e.run();
    Outputs results;
    results.names_ = names;
    for (std::size_t i = 0; i < outputs.size(); ++i)
      results.insert_or_assign(outputs[i].label, collect(e, i, outputs[i], batch.items));
    return results;
  }
};

Program::Program(const Graph& graph, const Vars& outputs, const ProgramOptions& options) {
  const std::vector<NodeId> ids = ids_of(graph, outputs);
  const Tape& tape = graph.tape();
  const ExecutorOptions executor_options{
      .engine = options.engine,
      .checkpoint = options.checkpoint ? tape.own(options.checkpoint) : -1};
  const auto make = [&](auto executor) {
    auto sources = runtime::sources_of(tape, executor.leaves());
    runner_ = std::make_unique<Runner>(
        std::move(executor), std::move(sources), runtime::length_rules(tape, options.lengths),
        runtime::leaf_names(tape), outputs_of(tape, ids), outputs, options);
  };
  if (options.dtype != Dtype::f32 && options.dtype != Dtype::f64)
    fail(Status::usage, "U020", "a program computes in f32 or f64, not in i64");
  if (options.dtype == Dtype::f32)
    make(Executor<float>(tape, ids, executor_options));
  else
    make(Executor<double>(tape, ids, executor_options));
}

Program::~Program() = default;
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;

Program::Runner& Program::runner() const {
  if (!runner_) fail(Status::usage, "U021", "a program that was moved from");
  return *runner_;
}

Outputs Program::operator()(const Tensors& inputs, const Tensors& weights) {
  Runner& r = runner();
  const runtime::Turns::Turn turn(r.turns);
  return std::visit([&](auto& e) { return r.run(e, inputs, weights); }, r.executor);
}

void Program::set_seed(std::uint64_t seed) {
  Runner& r = runner();
  const runtime::Turns::Turn turn(r.turns);
  r.seed = seed;
}

OperationCount Program::operations() const {
  Runner& r = runner();
  const runtime::Turns::Turn turn(r.turns);
  return std::visit([](const auto& e) { return e.operations(); }, r.executor);
}

std::size_t Program::bytes() const {
  Runner& r = runner();
  const runtime::Turns::Turn turn(r.turns);
  return std::visit([](const auto& e) { return e.bytes(); }, r.executor);
}

}  // namespace taugrad
