#include "taugrad/evaluate/check.h"

#include <algorithm>

#include "base/fail.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "evaluate/check/check_how.h"
#include "evaluate/check/check_point.h"
#include "evaluate/memory_estimate.h"
#include "language/resolve/resolved_model.h"
#include "runtime/generic.h"
#include "taugrad/evaluate/run.h"
#include "taugrad/ops/records.h"
#include "taugrad/unfold/unfold.h"
#include "unfold/unfold_check.h"

namespace taugrad {
namespace {

// Of a draw that stops the gradient, a numeric derivative sees what the gradient leaves out.
void check_draws(const ResolvedModel& model, const Modes& modes) {
  for (const auto& [name, mode] : modes) {
    const Symbol& s = model.symbols[static_cast<std::size_t>(model.find(name))];
    if (mode.draws() && !mode.pathwise && s.normal()) {
      Diagnostic d;
      d.code = "U002";
      d.message = fmt::format(
          "{}={}: no gradient flows through its draws, though they depend on the weights", name,
          to_string(mode));
      d.help = "check it with the pathwise gradient: " + name + "=sampled(pathwise)";
      fail(Status::usage, std::move(d));
    }
  }
}

void put_weights(const ResolvedModel& model, const Tensors& given, Tensors& tensors) {
  std::vector<std::string> known;
  for (const FlatWeight& w : model.system.weights) known.push_back(w.name);
  for (const auto& [name, t] : given) {
    const auto drawn = tensors.find(name);
    if (std::ranges::find(known, name) == known.end() || drawn == tensors.end()) {
      Diagnostic d;
      d.code = "D016";
      d.message = fmt::format("the definition has no weight \"{}\"", printable(name, 80));
      d.help = did_you_mean(name, known);
      fail(Status::bad_input, std::move(d));
    }
    if (t.dims() != drawn->second.dims())
      fail(Status::bad_input, "D011", "the weight \"{}\" has axes {}, want {}", name,
           dims_text(t.dims()), dims_text(drawn->second.dims()));
    drawn->second = t;
  }
}

// The interpreter keeps the values of all nodes, as complex numbers or as two steps of differences.
void require_for_check(const ResolvedModel& model, const UnfoldOptions& unfolding,
                       const DefinitionCheckOptions& options) {
  const std::vector<std::int64_t> lengths = lengths_of(model, unfolding);
  const GraphSize size = graph_size(model, unfolding);
  GraphSize grown = size;
  for (int order = 0; order < options.order; ++order) grown = grown.with_gradient();
  const double values =
      size.elements * static_cast<double>(options.batch) + size.constants + size.shared;
  double variables = 0;
  for (const MemoryUse& use : memory_of_weights(model, lengths, 1)) variables += use.bytes;
  std::vector<MemoryUse> plan =
      memory_of_check(size.with_gradient().nodes, values, variables, options.order);
  plan.push_back({fmt::format("a graph of about {:.3g} nodes", grown.nodes), grown.graph_bytes()});
  for (const MemoryUse& use : memory_of_inputs(model, lengths, options.batch)) plan.push_back(use);
  require_memory(fmt::format("checking {} items", options.batch), plan);
}

}  // namespace

CheckReport check(const Definition& d, const DefinitionCheckOptions& options) {
  const Watch watch(options.control.seconds);
  const auto model = resolve(d);
  UnfoldOptions unfolding;
  unfolding.steps = options.steps;
  unfolding.lengths = options.lengths;
  unfolding.modes = options.modes;
  check_modes(*model, options.modes);
  check_constant_mixes(options.modes);
  check_length_names(*model, options.lengths);
  check_draws(*model, options.modes);
  if (!has_loss(*model)) unfolding.cotangents = numeric_variables(*model);
  require_for_check(*model, unfolding, options);
  const Unfolded u = unfold(model, unfolding);
  const DrawOptions draw{.steps = options.steps,
                         .lengths = options.lengths,
                         .batch = options.batch,
                         .seed = options.seed};
  Tensors tensors = random_inputs(d, draw);
  add_stops(*model, u, options.batch, tensors);
  tensors.merge(generic_weights(*model, initial_weights(d, draw), options.seed));
  put_weights(*model, options.weights, tensors);
  for (const auto& [name, mode] : options.modes)
    if (mode.kind == Mode::Kind::mixed)
      tensors[mix_input(name)] = Tensor::of({}, std::vector<double>{mode.data.at(0)});

  Tape& tape = u.graph().tape();
  BatchContext batch;
  for (const std::string& name : model->lengths)
    batch.lengths.emplace_back(static_cast<std::size_t>(options.batch), u.length(name));
  const std::vector<NodeId> leaves = runtime::given_leaves(tape);
  std::vector<Var> variables;
  for (const NodeId id : leaves) {
    const int symbol = model->find(tape.name(id));
    const bool data = symbol < 0 || model->symbols[static_cast<std::size_t>(symbol)].random();
    const bool number = !tape.attrs(id).has("category") && !tape.attrs(id).has("position");
    if (&tape.op(id) == &kWeight || (number && !data)) variables.push_back(tape.var(id));
  }
  for (const FlatWeight& w : model->system.weights)
    for (const auto& [label, copy] : u.copies(w.name)) variables.push_back(copy);
  const Var loss = u.loss();
  const CheckPoint point =
      runtime::point_of(tape, leaves, tensors, std::move(batch), options.batch, options.seed);
  return check_gradients(loss, variables, point, how_of(options, watch));
}

}  // namespace taugrad
