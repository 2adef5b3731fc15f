#include "train/loop/plan.h"

#include <algorithm>
#include <utility>

#include "taugrad/autodiff/gradient.h"
#include "taugrad/ops/records.h"
#include "train/data/counted.h"

namespace taugrad {

std::vector<NodeId> add_weight_gradients(const Unfolded& u, const ResolvedModel& model,
                                         const LossRequest& request,
                                         std::vector<LossGraph::Slot>& slots, NodeId& forward) {
  const Tape& tape = u.graph().tape();
  const Var loss = counted_loss(u, request.partly);
  forward = tape.size();
  std::vector<Var> wrt;
  std::vector<NodeId> outputs = {loss.id};
  for (NodeId id = 0; id < forward; ++id) {
    if (&tape.op(id) != &kWeight) continue;
    const Symbol& s = model.symbols[static_cast<std::size_t>(model.find(tape.name(id)))];
    const WeightDeclaration& w =
        model.system.weights[static_cast<std::size_t>(s.declaration)].declaration;
    if (!w.trainable.value_or(true) || request.frozen.contains(s.name)) continue;
    wrt.push_back(u.graph().tape().var(id));
    slots.push_back({s.name, {tape.index(id).begin(), tape.index(id).end()}});
  }
  const Gradients gradients = gradient(loss, wrt);
  for (const Var& v : gradients.values()) outputs.push_back(v.id);
  return outputs;
}

double add_gradients(const Executor<float>& executor, const std::vector<LossGraph::Slot>& slots,
                     Tensors& gradients) {
  double loss = 0;
  for (const float x : executor.value(0)) loss += static_cast<double>(x);
  for (std::size_t k = 0; k < slots.size(); ++k) {
    Tensor& total = gradients.at(slots[k].name);
    const std::span<const float> g = executor.value(k + 1);
    const auto first = static_cast<std::size_t>(flat_position(total, slots[k].at)) * g.size();
    const std::span<float> to = total.values<float>().subspan(first, g.size());
    for (std::size_t i = 0; i < g.size(); ++i) to[i] += g[i];
  }
  return loss;
}

LossGraph loss_graph(const std::shared_ptr<const ResolvedModel>& model,
                     const std::vector<std::int64_t>& lengths, bool ragged, const Modes& modes,
                     const LossRequest& request) {
  UnfoldOptions how = unfold_options(*model, lengths, ragged, modes);
  how.train = true;
  return with_gradients(unfold(model, how), request);
}

LossGraph with_gradients(Unfolded u, const LossRequest& request) {
  LossGraph g{std::move(u), 0, {}, {}};
  g.outputs = add_weight_gradients(g.unfolded, g.unfolded.model(), request, g.slots, g.forward);
  return g;
}

namespace {

/// Outputs and, of those after the first, the weight and the position.
runtime::Asked asked(const Unfolded& u, const LossRequest& request) {
  LossGraph g = with_gradients(u, request);
  const ResolvedModel& model = u.model();
  std::size_t axes = 0;
  for (const LossGraph::Slot& slot : g.slots) axes = std::max(axes, slot.at.size());
  runtime::Asked asked{std::move(g.outputs), {plan::Table(1 + axes)}, g.forward - 1};
  for (const LossGraph::Slot& slot : g.slots) {
    auto& cells = asked.lists[0].cells;
    cells.push_back(model.find(slot.name));
    cells.insert(cells.end(), slot.at.begin(), slot.at.end());
    cells.resize(cells.size() + axes - slot.at.size());
  }
  return asked;
}

}  // namespace

LossPlanner::LossPlanner(std::shared_ptr<const ResolvedModel> model, bool ragged, Modes modes,
                         LossRequest request, bool checkpoint, const ExecutorOptions& options)
    : model_(std::move(model)),
      ragged_(ragged),
      modes_(std::move(modes)),
      planner_(
          model_, [request = std::move(request)](const Unfolded& u) { return asked(u, request); },
          options, checkpoint) {}

std::unique_ptr<LossPlan> LossPlanner::plan(const std::vector<std::int64_t>& lengths,
                                            std::int64_t levels) {
  UnfoldOptions how = unfold_options(*model_, lengths, ragged_, modes_);
  how.train = true;
  return std::make_unique<LossPlan>(*model_, planner_.plan(how, levels));
}

LossPlan::LossPlan(const ResolvedModel& model, runtime::Planned<float> planned)
    : plan_(model.lengths, std::move(planned.executor), std::move(planned.sources)) {
  const plan::Table& slots = planned.lists[0];
  for (std::size_t i = 0; i < slots.rows(); ++i) {
    const std::int64_t* row = slots.row(i);
    const Symbol& s = model.symbols[static_cast<std::size_t>(row[0])];
    slots_.push_back({s.name, {row + 1, row + 1 + s.axes.size()}});
  }
}

double LossPlan::run(const Items& data, const std::vector<std::size_t>& items, const BatchRun& how,
                     Tensors& gradients, const runtime::LevelRows& levels) {
  plan_.run(data, items, how, levels);
  return add_gradients(plan_.executor(), slots_, gradients);
}

}  // namespace taugrad
