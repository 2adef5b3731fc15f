#include "train/plan.h"

#include <algorithm>

#include "base/fail.h"
#include "taugrad/graph/op.h"
#include "taugrad/passes/gradient.h"

namespace taugrad {
namespace {

UnfoldOptions options_of(const Model& model, const std::vector<std::int64_t>& lengths,
                         bool ragged) {
  UnfoldOptions o;
  o.ragged = ragged;
  o.train = true;
  for (std::size_t l = 0; l < lengths.size(); ++l) o.lengths[model.lengths[l]] = lengths[l];
  return o;
}

// the flat number of a position (1-based) among leading axes
std::int64_t flat_position(const Tensor& t, const std::vector<std::int32_t>& at) {
  std::int64_t flat = 0;
  for (std::size_t a = 0; a < at.size(); ++a) flat = flat * t.dims()[a] + at[a] - 1;
  return flat;
}

bool inside(const Tensor& t, const std::vector<std::int32_t>& at) {
  for (std::size_t a = 0; a < at.size(); ++a)
    if (at[a] < 1 || at[a] > t.dims()[a]) return false;
  return true;
}

}  // namespace

LossPlan::LossPlan(std::shared_ptr<const Model> model, const std::vector<std::int64_t>& lengths,
                   bool ragged, bool checkpoint, const ExecutorOptions& options)
    : unfolded_(unfold(model, options_of(*model, lengths, ragged))), lengths_(model->lengths) {
  Tape& tape = unfolded_.graph().tape();
  const NodeId forward = tape.size();
  std::vector<Var> wrt;
  std::vector<NodeId> outputs = {unfolded_.loss().id};
  for (NodeId id = 0; id < forward; ++id) {
    if (tape.op(id).name != "weight") continue;
    const Symbol& s = model->symbols[static_cast<std::size_t>(model->find(tape.name(id)))];
    const WeightDeclaration& w =
        model->system.weights[static_cast<std::size_t>(s.declaration)].declaration;
    if (!w.trainable.value_or(true)) continue;
    wrt.push_back(tape.var(id));
    slots_.push_back({s.name, {tape.index(id).begin(), tape.index(id).end()}});
  }
  const Gradients g = gradient(unfolded_.loss(), wrt);
  for (const Var v : g.values()) outputs.push_back(v.id);
  ExecutorOptions own = options;
  own.checkpoint = checkpoint ? forward - 1 : -1;
  executor_ = std::make_unique<Executor<float>>(tape, outputs, own);
  for (const NodeId id : executor_->leaves()) {
    Leaf leaf{
        id, std::string(tape.name(id)), {tape.index(id).begin(), tape.index(id).end()}, false};
    const Symbol& s = model->symbols[static_cast<std::size_t>(model->find(leaf.name))];
    leaf.category = s.category >= 0;
    (s.kind == SymbolKind::weight ? weights_ : inputs_).push_back(std::move(leaf));
  }
}

void LossPlan::bind(const Tensors& weights) {
  for (const Leaf& leaf : weights_) {
    const Tensor& w = weights.at(leaf.name);
    const auto size = static_cast<std::size_t>(unfolded_.graph().tape().shape(leaf.id).size());
    executor_->bind(leaf.id, w.values<float>().subspan(
                                 static_cast<std::size_t>(flat_position(w, leaf.at)) * size, size));
  }
}

void LossPlan::fill(const Leaf& leaf, const Dataset& data, const std::vector<std::size_t>& items) {
  const std::span<float> to = executor_->leaf(leaf.id);
  const auto size = static_cast<std::size_t>(unfolded_.graph().tape().shape(leaf.id).size());
  const std::span<const std::int32_t> rows = executor_->items(leaf.id);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const Tensor& from =
        data.examples[items[static_cast<std::size_t>(rows[r])]].values.at(leaf.name);
    const bool given = inside(from, leaf.at);
    const auto first = given ? flat_position(from, leaf.at) * static_cast<std::int64_t>(size) : 0;
    // outside an item a number is zero and a symbol absent (R4)
    for (std::size_t i = 0; i < size; ++i)
      to[r * size + i] = given ? static_cast<float>(from.at(first + static_cast<std::int64_t>(i)))
                         : leaf.category ? -1.0F
                                         : 0.0F;
  }
}

double LossPlan::run(const Dataset& data, const std::vector<std::size_t>& items, std::uint64_t seed,
                     Tensors& gradients) {
  BatchContext context;
  context.seed = seed;
  context.train = true;
  context.lengths.resize(lengths_.size());
  for (const std::size_t i : items) {
    context.item.push_back(static_cast<std::int64_t>(i));
    for (std::size_t l = 0; l < lengths_.size(); ++l)
      context.lengths[l].push_back(data.examples[i].lengths.at(lengths_[l]));
  }
  executor_->set_batch(context, static_cast<std::int64_t>(items.size()));
  for (const Leaf& leaf : inputs_) fill(leaf, data, items);
  executor_->run();
  double loss = 0;
  for (const float x : executor_->value(0)) loss += static_cast<double>(x);
  for (std::size_t k = 0; k < slots_.size(); ++k) {
    Tensor& total = gradients.at(slots_[k].name);
    const std::span<const float> g = executor_->value(k + 1);
    const auto first = static_cast<std::size_t>(flat_position(total, slots_[k].at)) * g.size();
    const std::span<float> to = total.values<float>().subspan(first, g.size());
    for (std::size_t i = 0; i < g.size(); ++i) to[i] += g[i];
  }
  return loss;
}

}  // namespace taugrad
