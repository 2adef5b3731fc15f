#include "taugrad/train/trainer.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "exec/memory_estimate.h"
#include "taugrad/exec/run.h"
#include "train/not_finite.h"
#include "train/plan.h"
#include "train/replay.h"
#include "train/schedule.h"
#include "train/stack.h"

namespace taugrad {
namespace {

constexpr std::size_t kMostPlans = 32;

void check(const TrainOptions& o) {
  const auto need = [](bool ok, const char* what) {
    if (!ok) fail(Status::usage, "U002", "{}", what);
  };
  need(o.batch >= 1, "the batch must be >= 1");
  need(o.epochs >= 1, "epochs must be >= 1");
  need(std::isfinite(o.clip) && o.clip >= 0, "clip must be finite and >= 0");
  need(o.final_lr >= 0 && o.final_lr <= 1, "final_lr must be in [0, 1]");
}

// Of an element of a weight: itself, its gradient where it is added up and where it is made, what
// is packed of it for products in both directions, the optimizer's moments, a copy while it is
// saved; and as drawn, in f64.
double bytes_of_weights(const OptimizerOptions& o) {
  const int moments = *rule_of(o.kind).moments[1] == '\0' ? 1 : 2;
  return static_cast<double>(sizeof(float)) * (6 + 2 * moments) + sizeof(double);
}

/// All that a training takes, before any of it is made.
void require_for_training(const Model& model, const TrainOptions& o, const Batching& batching) {
  const std::vector<std::int64_t>& longest = batching.longest();
  UnfoldOptions unfolding{.ragged = batching.ragged(), .train = true, .modes = o.modes};
  for (std::size_t l = 0; l < longest.size(); ++l)
    unfolding.lengths[model.lengths[l]] = longest[l];
  const GraphSize size = graph_size(model, unfolding).with_gradient();
  std::vector<MemoryUse> plan = memory_of_graph(size, 1, sizeof(float));
  for (const MemoryUse& use : memory_of_weights(model, longest, bytes_of_weights(o.optimizer)))
    plan.push_back({use.what + " with gradient and optimizer state", use.bytes});
  require_memory("training", plan, o.max_memory);
}

// the same share of the same epoch
std::int64_t moved(std::int64_t position, std::int64_t batches, std::int64_t batches_now) {
  if (batches <= 0 || batches == batches_now) return position;
  return position / batches * batches_now + position % batches * batches_now / batches;
}

}  // namespace

struct Trainer::Parts {
  Parts(const Definition& d, Dataset given, const TrainOptions& o);

  LossPlan& plan_for(const std::vector<std::size_t>& items);
  void check_state(const TrainState& s) const;

  TrainOptions options;
  Definition definition;
  std::shared_ptr<const Model> model;
  Dataset data;
  Batching batching;
  Schedule schedule;
  std::int64_t position() const { return optimizer.updates() + ahead; }

  Optimizer optimizer;
  Tensors weights, gradients;
  GuardedUpdate guarded;
  std::int64_t ahead = 0;  ///< of the updates, in minibatches
  LossPlanner planner;
  std::map<std::vector<std::int64_t>, std::unique_ptr<LossPlan>> plans;
};

Trainer::Parts::Parts(const Definition& d, Dataset given, const TrainOptions& o)
    : options(o),
      definition(d),
      model(resolve(d)),
      data(std::move(given)),
      batching(model, data),
      schedule({}, 1, 0),
      optimizer(o.optimizer),
      planner(model, batching.ragged(), o.modes, o.checkpoint,
              {.max_memory = o.max_memory, .threads = o.threads, .precision = o.precision}) {
  check(o);
  check_modes(*model, o.modes);
  if (data.examples.empty()) fail(Status::bad_input, "D002", "there is no item to train on");
  std::vector<std::int64_t> sizes;
  DrawOptions draw;
  draw.seed = o.seed;
  for (const Example& e : data.examples) sizes.push_back(work_of(e));
  for (std::size_t l = 0; l < model->lengths.size(); ++l)
    draw.lengths[model->lengths[l]] = batching.longest()[l];
  require_for_training(*model, o, batching);
  schedule = Schedule(std::move(sizes), static_cast<std::size_t>(o.batch), o.seed);
  for (const auto& [name, w] : initial_weights(d, draw)) {
    weights.emplace(name, w.to(Dtype::f32));
    const Symbol& s = model->symbols[static_cast<std::size_t>(model->find(name))];
    if (model->system.weights[static_cast<std::size_t>(s.declaration)]
            .declaration.trainable.value_or(true))
      gradients.emplace(name, Tensor(w.dims(), Dtype::f32));
  }
  guarded.look(weights, gradients, optimizer);
}

LossPlan& Trainer::Parts::plan_for(const std::vector<std::size_t>& items) {
  const std::vector<std::int64_t> lengths = batching.lengths_for(data, items);
  auto it = plans.find(lengths);
  if (it == plans.end()) {
    if (plans.size() >= kMostPlans) plans.clear();
    std::unique_ptr<LossPlan> plan = planner.plan(lengths);
    plan->bind(weights);
    it = plans.emplace(lengths, std::move(plan)).first;
  }
  return *it->second;
}

Trainer::Trainer(const Definition& d, Dataset data, const TrainOptions& options)
    : parts_(std::make_unique<Parts>(d, std::move(data), options)) {}
Trainer::~Trainer() = default;
Trainer::Trainer(Trainer&&) noexcept = default;

void Trainer::Parts::check_state(const TrainState& s) const {
  for (const auto& [name, w] : weights) {
    const auto it = s.weights.find(name);
    if (it == s.weights.end() || it->second.dims() != w.dims() || it->second.dtype() != w.dtype())
      fail(Status::bad_input, "S013",
           "the saved weight \"{}\" is {}, this definition and data need {}", name,
           it == s.weights.end() ? "missing" : dims_text(it->second.dims()), dims_text(w.dims()));
  }
}

Trainer::Parts& Trainer::parts() const {
  if (!parts_) fail(Status::usage, "U021", "a trainer that was moved from");
  return *parts_;
}

void Trainer::restore(TrainState state) {
  Parts& p = parts();
  if (state.updates < 0)
    fail(Status::usage, "U022", "a training of {} updates", state.updates);
  p.check_state(state);
  p.plans.clear();  // they read the weights where these were
  p.weights = std::move(state.weights);
  p.ahead = moved(state.updates + state.place.ahead, state.place.batches, p.schedule.batches()) -
            state.updates;
  p.optimizer.restore(std::move(state.optimizer), state.updates);
  p.guarded.look(p.weights, p.gradients, p.optimizer);
}

TrainState Trainer::state() const {
  const Parts& p = parts();
  return {updates(), p.weights, p.optimizer.state(), {p.schedule.batches(), p.ahead}};
}

Update Trainer::step() {
  Parts& p = parts();
  Update u;
  u.update = updates() + 1;
  u.epoch = p.position() / p.schedule.batches();
  const std::vector<std::size_t> items =
      p.schedule.batch(u.epoch, p.position() % p.schedule.batches());
  for (const std::size_t i : items) u.targets += targets_of(*p.model, p.data.examples[i]);
  u.targets = std::max<std::int64_t>(u.targets, 1);
  for (const auto& [name, mode] : p.options.modes)
    if (mode.kind == Mode::Kind::mixed) u.mixes[name] = mode.data.at(updates());
  for (auto& [name, g] : p.gradients) std::ranges::fill(g.values<float>(), 0.0F);
  const BatchRun how{
      .seed = p.options.seed + 0x9E3779B97F4A7C15ULL * static_cast<std::uint64_t>(u.update),
      .train = true,
      .mixes = u.mixes};
  for (const auto& group : p.batching.groups(p.data, items))
    u.loss += p.plan_for(group).run(p.data, group, how, p.gradients);
  u.loss /= static_cast<double>(u.targets);
  for (auto& [name, g] : p.gradients)
    for (float& x : g.values<float>()) x /= static_cast<float>(u.targets);
  u.norm =
      p.options.clip > 0 ? clip_by_norm(p.gradients, p.options.clip) : global_norm(p.gradients);
  if (!std::isfinite(u.loss) || !std::isfinite(u.norm))
    fail_not_finite(u, p.data, replay(p.model, p.options.modes, p.weights, p.data, items, how));
  const double done = static_cast<double>(updates()) /
                      static_cast<double>(std::max<std::int64_t>(total_updates(), 1));
  const double norm = p.options.clip > 0 ? std::min(u.norm, p.options.clip) : u.norm;
  if (const auto problem = p.guarded.update(p.weights, p.gradients, norm,
                                            1 - (1 - p.options.final_lr) * done, p.optimizer))
    fail_not_finite(u, *problem);
  return u;
}

std::vector<StateFlow> Trainer::flow() const {
  const Parts& p = parts();
  Schedule schedule = p.schedule;  // arranging an epoch is not this one's business
  const auto items =
      schedule.batch(p.position() / schedule.batches(), p.position() % schedule.batches());
  FlowOptions options;
  options.seed = p.options.seed;
  return state_flow(p.definition,
                    stacked(*p.model, p.data, p.batching.groups(p.data, items).front()), p.weights,
                    options);
}

std::int64_t Trainer::updates() const { return parts().optimizer.updates(); }
std::int64_t Trainer::total_updates() const {
  return parts().options.epochs * parts().schedule.batches() - parts().ahead;
}
const Tensors& Trainer::weights() const { return parts().weights; }
std::int64_t Trainer::parameters() const {
  std::int64_t n = 0;
  for (const auto& [name, w] : parts().weights) n += w.size();
  return n;
}

}  // namespace taugrad
