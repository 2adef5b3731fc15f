#include "taugrad/exec/check.h"

#include <map>

#include "base/fail.h"
#include "exec/generic.h"
#include "exec/memory_estimate.h"
#include "exec/stream.h"
#include "recurrence/model.h"
#include "taugrad/exec/run.h"
#include "taugrad/ops/records.h"
#include "taugrad/recurrence/unfold.h"

namespace taugrad {
namespace {

std::vector<double> leaf_values(const Tape& tape, NodeId leaf, std::int64_t items, const Tensors& tensors, std::uint64_t seed) {
  const std::int64_t size = tape.shape(leaf).size();
  const bool shared = tape.extent_id(leaf) == kShared;
  std::vector<double> values(static_cast<std::size_t>(shared ? size : size * items));
  const auto tensor = tensors.find(data_of(tape.name(leaf)));
  if (tensor == tensors.end()) {  // cotangents and stop variables, which follow from nothing else
    Stream stream(seed, "check:" + tape.label(leaf));
    for (double& x : values) x = stream.normal();
    return values;
  }
  std::int64_t flat = 0;
  const auto index = tape.index(leaf);
  for (std::size_t a = 0; a < index.size(); ++a) flat = flat * tensor->second.dims()[a] + index[a] - 1;
  const std::int64_t first = flat * static_cast<std::int64_t>(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = tensor->second.at(first + static_cast<std::int64_t>(i));
  return values;
}

// Of a draw that stops the gradient, a numeric derivative sees what the gradient leaves out.
void check_draws(const Model& model, const Modes& modes) {
  for (const auto& [name, mode] : modes) {
    const Symbol& s = model.symbols[static_cast<std::size_t>(model.find(name))];
    if (mode.draws() && !mode.pathwise && s.distribution == DistributionKind::normal) {
      Diagnostic d;
      d.code = "U002";
      d.message = fmt::format("{}={}: no gradient flows through its draws, though they depend on the weights", name, to_string(mode));
      d.help = "check it with the pathwise gradient: " + name + "=sampled(pathwise)";
      fail(Status::usage, std::move(d));
    }
  }
}

// The interpreter keeps the values of all nodes, as complex numbers or as two steps of differences.
void require_for_check(const Model& model, const UnfoldOptions& unfolding, const DefinitionCheckOptions& options) {
  constexpr double kInterpreted = 200;  // bytes a node
  const std::vector<std::int64_t> lengths = lengths_of(model, unfolding);
  GraphSize size = graph_size(model, unfolding);
  for (int order = 0; order < options.order; ++order) size = size.with_gradient();
  std::vector<MemoryUse> plan = {
      {fmt::format("a graph of about {:.3g} nodes", size.nodes), size.graph_bytes()},
      {"interpreters", size.nodes * kInterpreted},
      {"the values of its nodes", (size.elements * static_cast<double>(options.batch) + size.constants) * 2 * sizeof(double)}};
  for (const MemoryUse& use : memory_of_inputs(model, lengths, options.batch)) plan.push_back(use);
  for (const MemoryUse& use : memory_of_weights(model, lengths, 4 * sizeof(double))) plan.push_back(use);
  require_memory(fmt::format("checking {} items", options.batch), plan);
}

}  // namespace

CheckReport check(const Definition& d, const DefinitionCheckOptions& options) {
  const auto model = resolve(d);
  UnfoldOptions unfolding;
  unfolding.steps = options.steps;
  unfolding.lengths = options.lengths;
  unfolding.modes = options.modes;
  check_modes(*model, options.modes);
  check_draws(*model, options.modes);
  if (!has_loss(*model)) unfolding.cotangents = numeric_variables(*model);
  require_for_check(*model, unfolding, options);
  const Unfolded u = unfold(model, unfolding);
  const DrawOptions draw{.steps = options.steps, .lengths = options.lengths, .batch = options.batch, .seed = options.seed};
  Tensors tensors = random_inputs(d, draw);
  add_stops(*model, u, options.batch, tensors);
  tensors.merge(generic_weights(*model, initial_weights(d, draw), options.seed));
  for (const auto& [name, mode] : options.modes)
    if (mode.kind == Mode::Kind::mixed) tensors[mix_input(name)] = Tensor::of({}, std::vector<double>{mode.data.at(0)});

  Tape& tape = u.graph().tape();
  CheckPoint point;
  point.items = options.batch;
  for (const std::string& name : model->lengths)
    point.batch.lengths.emplace_back(static_cast<std::size_t>(options.batch), u.length(name));
  std::vector<Var> variables;
  const Var loss = u.loss();
  for (NodeId id = 0; id < tape.size(); ++id) {
    const bool weight = &tape.op(id) == &kWeight, input = &tape.op(id) == &kInput;
    const bool number = !tape.attrs(id).has("category");
    if (weight || input) point.leaves.emplace_back(tape.var(id), leaf_values(tape, id, options.batch, tensors, options.seed));
    const int symbol = model->find(tape.name(id));
    const bool data = symbol < 0 || model->symbols[static_cast<std::size_t>(symbol)].random();
    if (weight || (input && number && !data)) variables.push_back(tape.var(id));
  }
  for (const SystemWeight& w : model->system.weights)
    for (const auto& [label, copy] : u.copies(w.name)) variables.push_back(copy);
  CheckOptions how;
  how.method = options.method;
  how.order = options.order;
  how.seed = options.seed;
  how.max_runs = options.max_runs;
  how.progress = options.progress;
  return check_gradients(loss, variables, point, how);
}

}  // namespace taugrad
