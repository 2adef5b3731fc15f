// One update: its minibatches or windows, their gradients, the weights.
#include "train/loop/trainer_parts.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "evaluate/memory_estimate.h"
#include "taugrad/evaluate/run.h"
#include "train/data/counted.h"
#include "train/loop/name_patterns.h"
#include "train/loop/without_effect.h"

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
  need(std::isfinite(o.clip_value) && o.clip_value >= 0, "clip_value must be finite and >= 0");
  need(o.accumulate >= 1, "accumulate must be >= 1");
  need(o.average >= 0 && o.average < 1, "average must be in [0, 1)");
  need(o.truncation.back >= 0 && o.truncation.every >= 0 && o.truncation.every <= o.truncation.back,
       "truncation is K steps back and an update every 1..K steps");
  need(o.schedule.empty() || o.final_lr == 1, "final_lr and schedule both say how lr falls");
}

LrSchedule lr_schedule(const TrainOptions& o) {
  if (!o.schedule.empty()) return LrSchedule(o.schedule);
  return LrSchedule(o.final_lr < 1 ? fmt::format("linear({})", o.final_lr) : "");
}

// Of an element of a weight: itself, its gradient where it is added up and where it is made, what
// is packed of it for products in both directions, the optimizer's moments, a copy while it is
// saved; and as drawn, in f64.
double bytes_of_weights(const OptimizerOptions& o) {
  const int moments = *rule_of(o.kind).moments[1] == '\0' ? 1 : 2;
  return static_cast<double>(sizeof(float)) * (6 + 2 * moments) + sizeof(double);
}

/// All that a training takes, before any of it is made.
void require_for_training(const ResolvedModel& model, const TrainOptions& o,
                          const Batching& batching, const Windows* windows) {
  const std::vector<std::int64_t>& longest = batching.longest();
  UnfoldOptions unfolding{.ragged = batching.ragged(), .train = true, .modes = o.modes};
  for (std::size_t l = 0; l < longest.size(); ++l)
    unfolding.lengths[model.lengths[l]] =
        windows != nullptr && model.lengths[l] == windows->length()
            ? std::min(longest[l], 2 * o.truncation.back)
            : longest[l];
  const GraphSize size = graph_size(model, unfolding).with_gradient();
  std::vector<MemoryUse> plan = memory_of_graph(size, 1, sizeof(float));
  for (const MemoryUse& use : memory_of_weights(model, longest, bytes_of_weights(o.optimizer)))
    plan.push_back({use.what + " with gradient and optimizer state", use.bytes});
  require_memory("training", plan, o.engine.max_memory);
}

}  // namespace

Trainer::Parts::Parts(const Definition& d, Dataset given, const TrainOptions& o)
    : options(o),
      definition(d),
      model(resolve(d)),
      data(std::move(given)),
      items(data),
      batching(model, items),
      schedule({}, 1, 0),
      lr(lr_schedule(o)),
      optimizer(o.optimizer),
      memory(o.memory ? o.memory : shared_memory()) {
  check(o);
  check_modes(*model, o.modes);
  if (items.size() == 0) fail(Status::bad_input, "D002", "there is no item to train on");
  std::int64_t targets = 0;
  for (std::size_t i = 0; i < items.size(); ++i) targets += items.targets(*model, i);
  if (targets == 0 || all_empty(items)) fail_without_targets(items, "nothing can be learned");
  std::vector<std::int64_t> sizes;
  DrawOptions draw;
  draw.seed = o.seed;
  for (std::size_t i = 0; i < items.size(); ++i) sizes.push_back(items.work(i));
  for (std::size_t l = 0; l < model->lengths.size(); ++l)
    draw.lengths[model->lengths[l]] = batching.longest()[l];
  make_windows();
  require_for_training(*model, o, batching, windows.get());
  schedule = Schedule(std::move(sizes), static_cast<std::size_t>(o.batch), o.seed);
  draw_weights(draw);
  if (o.average > 0) averaged = weights;
  guarded.look(weights, gradients, optimizer);
  count_updates();
}

// the weights, and gradients of those that are trained
void Trainer::Parts::draw_weights(const DrawOptions& draw) {
  std::vector<std::string> names, trainable, trained;
  for (const auto& [name, w] : initial_weights(definition, draw)) {
    names.push_back(name);
    weights.emplace(name, w.to(Dtype::f32));
    const Symbol& s = model->symbols[static_cast<std::size_t>(model->find(name))];
    if (!model->system.weights[static_cast<std::size_t>(s.declaration)]
             .declaration.trainable.value_or(true))
      continue;
    trainable.push_back(name);
    if (matches_any(options.frozen, name)) continue;
    trained.push_back(name);
    gradients.emplace(name, Tensor(w.dims(), Dtype::f32));
    idle.insert(name);
  }
  if (trainable.empty())
    fail(Status::bad_input, "G029", "no weight of {} is trained: there is nothing to learn",
         definition.name.empty() ? "the definition" : definition.name);
  require_effect_on("--freeze (\"frozen\")", options.frozen, names, trainable,
                    "is not trained anyway");
  if (trained.empty())
    fail(Status::usage, "U007", "--freeze (\"frozen\"): \"{}\" leaves no weight to train, of {}",
         options.frozen, fmt::join(names, ", "));
  require_effect_on("--decay-of (\"decayed\")", options.optimizer.decayed, names, trained,
                    "is not trained");
}

// windows only where some item is longer than one
void Trainer::Parts::make_windows() {
  if (options.truncation.back == 0) return;
  std::set<std::string> frozen;
  for (const Symbol& s : model->symbols)
    if (s.kind == SymbolKind::weight && matches_any(options.frozen, s.name)) frozen.insert(s.name);
  auto made = std::make_unique<Windows>(model, options.modes, options.truncation,
                                        LossRequest{std::move(frozen), partly_given(data)},
                                        options.checkpoint, executor_options());
  std::int64_t longest = 0;
  for (std::size_t i = 0; i < items.size(); ++i)
    longest = std::max(longest, made->steps_of(items, i));
  if (made->count(longest) > 1) windows = std::move(made);
}

std::vector<std::size_t> Trainer::Parts::items_at(std::int64_t minibatch) {
  return schedule.batch(minibatch / schedule.batches(), minibatch % schedule.batches());
}

// windows of some minibatches; without truncation each is one
std::int64_t Trainer::Parts::windows_between(std::int64_t minibatch, std::int64_t end) const {
  if (!windows) return std::max<std::int64_t>(end - minibatch, 0);
  std::int64_t count = 0;
  Schedule own = schedule;
  for (std::int64_t b = minibatch; b < end; ++b)
    count +=
        windows->count(windows->longest(items, own.batch(b / own.batches(), b % own.batches())));
  return count;
}

void Trainer::Parts::count_updates() {
  const std::int64_t done = windows ? from / options.truncation.stride() : 0;
  const std::int64_t left = windows_between(position(), options.epochs * schedule.batches()) - done;
  total = optimizer.updates() + (left + options.accumulate - 1) / options.accumulate;
}

// Adds the gradients of a minibatch, or of its next window; returns the loss.
double Trainer::Parts::add_piece(Update& u, const BatchRun& how) {
  const std::vector<std::size_t> batch = items_at(position());
  double loss = 0;
  if (windows && windows->count(windows->longest(items, batch)) > 1) {
    if (from == 0) windows->begin(batch.size());
    windows->load(items, batch, from);
    u.targets += windows->targets(items, batch, from);
    loss = windows->run(items, batch, from, how, weights, gradients);
  } else {
    for (const std::size_t i : batch) u.targets += items.targets(*model, i);
    items.load(batch);
    for (const auto& group : batching.groups(items, batch)) loss += add_group(group, how);
  }
  pieces.emplace_back(batch, how);
  return loss;
}

// Where a loss or a gradient that is not finite comes from.
std::optional<Replayed> Trainer::Parts::source_of_not_finite() {
  for (const auto& [batch, how] : pieces)
    if (auto found = replay(model, options.modes, weights, data, batch, how)) return found;
  return {};
}

// Items that run together; trees level by level.
double Trainer::Parts::add_group(const std::vector<std::size_t>& group, const BatchRun& how) {
  make_planner();
  const std::vector<std::int64_t> lengths = batching.lengths_for(items, group);
  if (!planner->circle()) return plan_for(lengths, 0).run(items, group, how, gradients);
  const std::vector<std::size_t> sorted = longest_first(*model, items, group);
  const runtime::LevelRows rows = level_rows(*model, *planner->circle(), items, sorted);
  return plan_for(lengths, levels_for(rows, lengths[0])).run(items, sorted, how, gradients, rows);
}

void Trainer::Parts::make_planner() {
  if (planner) return;
  std::set<std::string> frozen;
  for (const auto& [name, w] : weights)
    if (!gradients.contains(name)) frozen.insert(name);
  planner.emplace(model, batching.ragged(), options.modes,
                  LossRequest{std::move(frozen), partly_given(data)}, options.checkpoint,
                  executor_options());
}

LossPlan& Trainer::Parts::plan_for(std::vector<std::int64_t> key, std::int64_t levels) {
  const std::vector<std::int64_t> lengths = key;
  key.push_back(levels);
  auto it = plans.find(key);
  if (it == plans.end()) {
    if (plans.size() >= kMostPlans) plans.clear();
    std::unique_ptr<LossPlan> plan = planner->plan(lengths, levels);
    plan->bind(weights);
    it = plans.emplace(std::move(key), std::move(plan)).first;
  }
  return *it->second;
}

void Trainer::Parts::check_state(const TrainState& s) const {
  for (const auto& [name, w] : weights) {
    const auto it = s.weights.find(name);
    if (it == s.weights.end() || it->second.dims() != w.dims() || it->second.dtype() != w.dtype())
      fail(Status::bad_input, "S013",
           "the saved weight \"{}\" is {}, this definition and data need {}", name,
           it == s.weights.end() ? "missing" : dims_text(it->second.dims()), dims_text(w.dims()));
  }
}

// Where the training stands after a minibatch, or a window of one.
void Trainer::Parts::next_piece(const std::vector<std::size_t>& batch) {
  if (windows) {
    const std::int64_t longest = windows->longest(items, batch);
    from += options.truncation.stride();
    if (windows->count(longest) > 1 && from < longest) {
      --ahead;  // the next update takes this minibatch again
      return;
    }
  }
  from = 0;
}

// a <- x a + (1 - x) w, x no more than (1 + k) / (10 + k) after update k
void Trainer::Parts::average() {
  if (options.average <= 0) return;
  const auto k = static_cast<double>(optimizer.updates());
  const auto keep = static_cast<float>(std::min(options.average, (1 + k) / (10 + k)));
  for (const auto& [name, g] : gradients) {
    const std::span<const float> w = std::as_const(weights.at(name)).values<float>();
    const std::span<float> a = averaged.at(name).values<float>();
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = keep * a[i] + (1 - keep) * w[i];
  }
}

// The update itself, from the sums of loss and gradients.
void Trainer::Parts::finish(Update& u) {
  const std::int64_t targets = std::max<std::int64_t>(u.targets, 1);  // items may have none
  u.loss /= static_cast<double>(targets);
  for (auto& [name, g] : gradients)
    for (float& x : g.values<float>()) x /= static_cast<float>(targets);
  std::erase_if(idle, [&](const std::string& name) {
    return std::ranges::any_of(gradients.at(name).values<float>(), [](float x) { return x != 0; });
  });
  if (options.clip_value > 0) clip_by_value(gradients, options.clip_value);
  u.norm = options.clip > 0 ? clip_by_norm(gradients, options.clip) : global_norm(gradients);
  if (!std::isfinite(u.loss) || !std::isfinite(u.norm))
    fail_not_finite(u, data, source_of_not_finite());
  const double factor = lr.factor(optimizer.updates(), total, plateau);
  u.lr = optimizer.options().lr * factor;
  const double norm = options.clip > 0 ? std::min(u.norm, options.clip) : u.norm;
  if (const auto problem = guarded.update(weights, gradients, norm, factor, optimizer))
    fail_not_finite(u, *problem);
  average();
}

}  // namespace taugrad
