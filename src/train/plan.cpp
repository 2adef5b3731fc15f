#include "train/plan.h"

#include "taugrad/ops/records.h"
#include "taugrad/passes/gradient.h"

namespace taugrad {

LossGraph loss_graph(const std::shared_ptr<const Model>& model,
                     const std::vector<std::int64_t>& lengths, bool ragged, const Modes& modes) {
  UnfoldOptions how = unfold_options(*model, lengths, ragged, modes);
  how.train = true;
  LossGraph g{unfold(model, how), 0, {}, {}};
  const Tape& tape = g.unfolded.graph().tape();
  g.forward = tape.size();
  std::vector<Var> wrt;
  g.outputs = {g.unfolded.loss().id};
  for (NodeId id = 0; id < g.forward; ++id) {
    if (&tape.op(id) != &kWeight) continue;
    const Symbol& s = model->symbols[static_cast<std::size_t>(model->find(tape.name(id)))];
    const WeightDeclaration& w =
        model->system.weights[static_cast<std::size_t>(s.declaration)].declaration;
    if (!w.trainable.value_or(true)) continue;
    wrt.push_back(g.unfolded.graph().tape().var(id));
    g.slots.push_back({s.name, {tape.index(id).begin(), tape.index(id).end()}});
  }
  const Gradients gradients = gradient(g.unfolded.loss(), wrt);
  for (const Var& v : gradients.values()) g.outputs.push_back(v.id);
  return g;
}

LossPlan::LossPlan(const std::shared_ptr<const Model>& model,
                   const std::vector<std::int64_t>& lengths, bool ragged, const Modes& modes,
                   bool checkpoint, const ExecutorOptions& options) {
  LossGraph g = loss_graph(model, lengths, ragged, modes);
  ExecutorOptions own = options;
  own.checkpoint = checkpoint ? g.forward - 1 : -1;
  plan_ = std::make_unique<BatchPlan>(g.unfolded, g.outputs, own);
  slots_ = std::move(g.slots);
}

double LossPlan::run(const Dataset& data, const std::vector<std::size_t>& items,
                     const BatchRun& how, Tensors& gradients) {
  plan_->run(data, items, how);
  double loss = 0;
  for (const float x : plan_->executor().value(0)) loss += static_cast<double>(x);
  for (std::size_t k = 0; k < slots_.size(); ++k) {
    Tensor& total = gradients.at(slots_[k].name);
    const std::span<const float> g = plan_->executor().value(k + 1);
    const auto first = static_cast<std::size_t>(flat_position(total, slots_[k].at)) * g.size();
    const std::span<float> to = total.values<float>().subspan(first, g.size());
    for (std::size_t i = 0; i < g.size(); ++i) to[i] += g[i];
  }
  return loss;
}

}  // namespace taugrad
