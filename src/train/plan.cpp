#include "train/plan.h"

#include "taugrad/ops/records.h"
#include "taugrad/passes/gradient.h"

namespace taugrad {

std::vector<NodeId> add_weight_gradients(const Unfolded& u, const Model& model,
                                         const std::set<std::string>& frozen,
                                         std::vector<LossGraph::Slot>& slots) {
  const Tape& tape = u.graph().tape();
  const NodeId forward = tape.size();
  std::vector<Var> wrt;
  std::vector<NodeId> outputs = {u.loss().id};
  for (NodeId id = 0; id < forward; ++id) {
    if (&tape.op(id) != &kWeight) continue;
    const Symbol& s = model.symbols[static_cast<std::size_t>(model.find(tape.name(id)))];
    const WeightDeclaration& w =
        model.system.weights[static_cast<std::size_t>(s.declaration)].declaration;
    if (!w.trainable.value_or(true) || frozen.contains(s.name)) continue;
    wrt.push_back(u.graph().tape().var(id));
    slots.push_back({s.name, {tape.index(id).begin(), tape.index(id).end()}});
  }
  const Gradients gradients = gradient(u.loss(), wrt);
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

LossGraph loss_graph(const std::shared_ptr<const Model>& model,
                     const std::vector<std::int64_t>& lengths, bool ragged, const Modes& modes,
                     const std::set<std::string>& frozen) {
  UnfoldOptions how = unfold_options(*model, lengths, ragged, modes);
  how.train = true;
  LossGraph g{unfold(model, how), 0, {}, {}};
  g.forward = g.unfolded.graph().tape().size();
  g.outputs = add_weight_gradients(g.unfolded, *model, frozen, g.slots);
  return g;
}

LossPlan::LossPlan(const std::shared_ptr<const Model>& model,
                   const std::vector<std::int64_t>& lengths, bool ragged, const Modes& modes,
                   const std::set<std::string>& frozen, bool checkpoint,
                   const ExecutorOptions& options) {
  LossGraph g = loss_graph(model, lengths, ragged, modes, frozen);
  ExecutorOptions own = options;
  own.checkpoint = checkpoint ? g.forward - 1 : -1;
  plan_ = std::make_unique<BatchPlan>(g.unfolded, g.outputs, own);
  slots_ = std::move(g.slots);
}

double LossPlan::run(const Dataset& data, const std::vector<std::size_t>& items,
                     const BatchRun& how, Tensors& gradients) {
  plan_->run(data, items, how);
  return add_gradients(plan_->executor(), slots_, gradients);
}

}  // namespace taugrad
