#include "taugrad/train/trainer.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "recurrence/unfolder.h"
#include "taugrad/exec/run.h"
#include "train/plan.h"
#include "train/schedule.h"
#include "train/stack.h"

namespace taugrad {
namespace {

constexpr std::size_t kMostPlans = 32;

// Few different lengths, so that plans are shared: multiples of 8, later of an eighth of a power of
// two.
std::int64_t rounded_up(std::int64_t n) {
  std::int64_t step = 8;
  while (step * 16 <= n) step *= 2;
  return (n + step - 1) / step * step;
}

std::int64_t work_of(const Example& e) {
  std::int64_t steps = 1;
  for (const auto& [name, n] : e.lengths) steps *= std::max<std::int64_t>(n, 1);
  return steps;
}

void check(const TrainOptions& o) {
  const auto need = [](bool ok, const char* what) {
    if (!ok) fail(Status::usage, "U002", "{}", what);
  };
  need(o.batch >= 1, "the batch must be >= 1");
  need(o.epochs >= 1, "epochs must be >= 1");
  need(std::isfinite(o.clip) && o.clip >= 0, "clip must be finite and >= 0");
  need(o.final_lr >= 0 && o.final_lr <= 1, "final_lr must be in [0, 1]");
}

}  // namespace

struct Trainer::Parts {
  Parts(const Definition& d, Dataset given, const TrainOptions& o);

  std::int64_t targets_of(const std::vector<std::size_t>& items) const;
  LossPlan& plan_for(const std::vector<std::size_t>& items);
  std::vector<std::vector<std::size_t>> groups(const std::vector<std::size_t>& items) const;
  void check_state(const TrainState& s) const;

  TrainOptions options;
  Definition definition;
  std::shared_ptr<const Model> model;
  Dataset data;
  bool ragged;
  std::vector<std::int64_t> longest;  ///< by length number
  Schedule schedule;
  Optimizer optimizer;
  Tensors weights, gradients;
  std::map<std::vector<std::int64_t>, std::unique_ptr<LossPlan>> plans;
};

Trainer::Parts::Parts(const Definition& d, Dataset given, const TrainOptions& o)
    : options(o),
      definition(d),
      model(resolve(d)),
      data(std::move(given)),
      ragged(can_be_ragged(*model)),
      schedule({}, 1, 0),
      optimizer(o.optimizer) {
  check(o);
  if (data.examples.empty()) fail(Status::bad_input, "D002", "there is no item to train on");
  std::vector<std::int64_t> sizes;
  longest.assign(model->lengths.size(), 0);
  DrawOptions draw;
  draw.seed = o.seed;
  for (const Example& e : data.examples) {
    sizes.push_back(work_of(e));
    for (std::size_t l = 0; l < longest.size(); ++l)
      longest[l] = std::max(longest[l], e.lengths.at(model->lengths[l]));
  }
  for (std::size_t l = 0; l < longest.size(); ++l) draw.lengths[model->lengths[l]] = longest[l];
  schedule = Schedule(std::move(sizes), static_cast<std::size_t>(o.batch), o.seed);
  for (const auto& [name, w] : initial_weights(d, draw)) {
    weights.emplace(name, w.to(Dtype::f32));
    const Symbol& s = model->symbols[static_cast<std::size_t>(model->find(name))];
    if (model->system.weights[static_cast<std::size_t>(s.declaration)]
            .declaration.trainable.value_or(true))
      gradients.emplace(name, Tensor(w.dims(), Dtype::f32));
  }
}

// Positions of observed random variables; a definition without any counts items. (R13)
std::int64_t Trainer::Parts::targets_of(const std::vector<std::size_t>& items) const {
  std::int64_t targets = 0;
  bool any = false;
  for (const Symbol& s : model->symbols) {
    if (!s.random()) continue;
    any = true;
    for (const std::size_t i : items) {
      std::int64_t positions = 1;
      for (const int axis : s.axes)
        positions *= data.examples[i].lengths.at(model->lengths[static_cast<std::size_t>(
            model->index_length[static_cast<std::size_t>(axis)])]);
      targets += positions;
    }
  }
  return any ? targets : static_cast<std::int64_t>(items.size());
}

LossPlan& Trainer::Parts::plan_for(const std::vector<std::size_t>& items) {
  std::vector<std::int64_t> lengths(longest.size(), 0);
  for (std::size_t l = 0; l < longest.size(); ++l) {
    for (const std::size_t i : items)
      lengths[l] = std::max(lengths[l], data.examples[i].lengths.at(model->lengths[l]));
    if (ragged && model->fixed_lengths[l] < 0)
      lengths[l] = std::min(rounded_up(lengths[l]), longest[l]);
  }
  auto it = plans.find(lengths);
  if (it == plans.end()) {
    if (plans.size() >= kMostPlans) plans.clear();
    const ExecutorOptions run{.max_memory = options.max_memory,
                              .threads = options.threads,
                              .precision = options.precision};
    auto plan = std::make_unique<LossPlan>(model, lengths, ragged, options.checkpoint, run);
    it = plans.emplace(lengths, std::move(plan)).first;
    it->second->bind(weights);
  }
  return *it->second;
}

std::vector<std::vector<std::size_t>> Trainer::Parts::groups(
    const std::vector<std::size_t>& items) const {
  if (ragged) return {items};
  std::map<std::map<std::string, std::int64_t>, std::vector<std::size_t>> by_lengths;
  for (const std::size_t i : items) by_lengths[data.examples[i].lengths].push_back(i);
  std::vector<std::vector<std::size_t>> all;
  for (auto& [lengths, group] : by_lengths) all.push_back(std::move(group));
  return all;
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

void Trainer::restore(TrainState state) {
  parts_->check_state(state);
  parts_->plans.clear();  // they read the weights where these were
  parts_->weights = std::move(state.weights);
  parts_->optimizer.restore(std::move(state.optimizer), state.updates);
}

TrainState Trainer::state() const {
  return {updates(), parts_->weights, parts_->optimizer.state()};
}

Update Trainer::step() {
  Parts& p = *parts_;
  Update u;
  u.update = updates() + 1;
  u.epoch = updates() / p.schedule.batches();
  const std::vector<std::size_t> items =
      p.schedule.batch(u.epoch, updates() % p.schedule.batches());
  u.targets = std::max<std::int64_t>(p.targets_of(items), 1);
  for (auto& [name, g] : p.gradients) std::ranges::fill(g.values<float>(), 0.0F);
  const std::uint64_t seed =
      p.options.seed + 0x9E3779B97F4A7C15ULL * static_cast<std::uint64_t>(u.update);
  for (const auto& group : p.groups(items))
    u.loss += p.plan_for(group).run(p.data, group, seed, p.gradients);
  u.loss /= static_cast<double>(u.targets);
  for (auto& [name, g] : p.gradients)
    for (float& x : g.values<float>()) x /= static_cast<float>(u.targets);
  u.norm =
      p.options.clip > 0 ? clip_by_norm(p.gradients, p.options.clip) : global_norm(p.gradients);
  if (!std::isfinite(u.loss) || !std::isfinite(u.norm)) {
    Diagnostic d;
    d.code = "N001";
    d.message = fmt::format("update {}: the loss is {}, the norm of the gradient {}", u.update,
                            u.loss, u.norm);
    d.help = "a smaller --lr or --clip keeps training from diverging";
    fail(Status::numerical, std::move(d));
  }
  const double done = static_cast<double>(updates()) / static_cast<double>(total_updates());
  p.optimizer.update(p.weights, p.gradients, 1 - (1 - p.options.final_lr) * done);
  return u;
}

std::vector<StateFlow> Trainer::flow() const {
  const Parts& p = *parts_;
  Schedule schedule = p.schedule;  // arranging an epoch is not this one's business
  const auto items = schedule.batch(updates() / schedule.batches(), updates() % schedule.batches());
  FlowOptions options;
  options.seed = p.options.seed;
  return state_flow(p.definition, stacked(*p.model, p.data, p.groups(items).front()), p.weights,
                    options);
}

std::int64_t Trainer::updates() const { return parts_->optimizer.updates(); }
std::int64_t Trainer::total_updates() const {
  return parts_->options.epochs * parts_->schedule.batches();
}
const Tensors& Trainer::weights() const { return parts_->weights; }
std::int64_t Trainer::parameters() const {
  std::int64_t n = 0;
  for (const auto& [name, w] : parts_->weights) n += w.size();
  return n;
}

}  // namespace taugrad
