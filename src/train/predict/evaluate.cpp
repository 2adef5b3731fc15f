#include "taugrad/train/evaluate.h"

#include <algorithm>
#include <memory>
#include <numeric>

#include "base/fail.h"
#include "evaluate/memory_estimate.h"
#include "rewrite/chunks/chunks.h"
#include "train/data/counted.h"
#include "train/predict/score_plan.h"
#include "unfold/unfold_check.h"

namespace taugrad {
namespace {

void check(const ResolvedModel& model, const Items& data, const EvaluateOptions& o) {
  if (data.size() == 0) fail(Status::bad_input, "D002", "there is no item to evaluate");
  if (o.batch < 1) fail(Status::usage, "U002", "the batch must be >= 1");
  check_modes(model, o.modes);
}

/// Items of like length together, longest first.
std::vector<std::size_t> by_work(const Items& data) {
  std::vector<std::size_t> order(data.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return data.work(a) > data.work(b); });
  return order;
}

Tensors in_f32(const Tensors& weights) {
  Tensors narrow;
  for (const auto& [name, w] : weights)
    narrow.emplace(name, w.dtype() == Dtype::f32 ? w : w.to(Dtype::f32));
  return narrow;
}

std::map<std::string, double> mixes_of(const Modes& modes) {
  std::map<std::string, double> mixes;
  check_constant_mixes(modes);
  for (const auto& [name, mode] : modes)
    if (mode.kind == Mode::Kind::mixed) mixes[name] = mode.data.from;
  return mixes;
}

// item after item, so that the sums do not depend on batches
void add_up(Evaluation& e) {
  for (ItemScores& item : e.items) {
    if (!e.own_loss)
      for (const Score& s : item.variables) item.loss += s.nats;
    e.loss += item.loss;
    for (std::size_t v = 0; v < e.variables.size(); ++v) e.variables[v].all.add(item.variables[v]);
  }
}

// those of a batch's items, in the order of all, and forgets them: there is one for each step
void add_up_steps(Evaluation& e, const std::vector<std::size_t>& items, ItemTable& table) {
  for (const std::size_t i : items) {
    for (std::size_t v = 0; v < e.variables.size(); ++v) {
      std::vector<Score>& all = e.variables[v].steps;
      const std::vector<Score>& own = table.steps[i][v];
      all.resize(std::max(all.size(), own.size()));
      for (std::size_t t = 0; t < own.size(); ++t) all[t].add(own[t]);
    }
    table.steps[i] = {};
  }
}

/// All that an evaluation takes, before any of it is made.
void require_for_evaluation(const ResolvedModel& model, const EvaluateOptions& o,
                            const Batching& batching, const LongScores* in_segments) {
  UnfoldOptions unfolding{.ragged = batching.ragged(), .modes = o.modes};
  for (std::size_t l = 0; l < model.lengths.size(); ++l)
    unfolding.lengths[model.lengths[l]] =
        in_segments != nullptr && in_segments->length_name() == model.lengths[l]
            ? std::min(batching.longest()[l], LongScores::kLong)
            : batching.longest()[l];
  require_memory("evaluating", memory_of_graph(graph_size(model, unfolding), 1, sizeof(float)),
                 o.engine.max_memory);
}

}  // namespace

void Score::add(const Score& other) {
  targets += other.targets;
  nats += other.nats;
  judged += other.judged;
  right += other.right;
  apart += other.apart;
}

Evaluation evaluate(const Definition& d, const Tensors& weights, const Dataset& all,
                    const EvaluateOptions& options) {
  const std::shared_ptr<const ResolvedModel> model = resolve(d);
  Items data(all);
  check(*model, data, options);
  const Tensors narrow = in_f32(weights);
  const BatchRun how{.seed = options.seed, .mixes = mixes_of(options.modes)};
  const ExecutorOptions executor{.engine = options.engine,
                                 .memory = options.memory ? options.memory : shared_memory()};
  const Batching batching(model, data);
  std::unique_ptr<LongScores> in_segments;
  if (std::ranges::any_of(batching.longest(), [](std::int64_t n) { return n > LongScores::kLong; }))
    in_segments = LongScores::of(model, options.modes, executor);
  require_for_evaluation(*model, options, batching, in_segments.get());
  Evaluation e;
  e.own_loss = !model->loss.empty();
  for (const Symbol& s : model->symbols)
    if (s.random()) e.variables.push_back({s.name, !s.normal()});
  e.has_loss = e.own_loss || !e.variables.empty();
  for (std::size_t i = 0; i < data.size(); ++i) e.targets += data.targets(*model, i);
  if (e.targets == 0) fail_without_targets(data, "nothing can be measured");
  ItemTable table{std::vector<ItemScores>(data.size()),
                  std::vector<std::vector<std::vector<Score>>>(data.size())};
  for (std::size_t i = 0; i < data.size(); ++i)
    for (const auto& [name, n] : data.lengths(i))
      table.items[i].steps = std::max(table.items[i].steps, n);
  ScorePlanner planner(model, batching.ragged(), options.modes, executor);
  std::unique_ptr<ScorePlan> plan;
  bool any_whole = false;
  std::vector<std::int64_t> lengths;
  const std::vector<std::size_t> order = by_work(data);
  for (std::size_t from = 0; from < order.size(); from += static_cast<std::size_t>(options.batch)) {
    const std::size_t to = std::min(from + static_cast<std::size_t>(options.batch), order.size());
    const std::vector<std::size_t> items(order.begin() + static_cast<std::ptrdiff_t>(from),
                                         order.begin() + static_cast<std::ptrdiff_t>(to));
    const bool segments = in_segments && std::ranges::any_of(items, [&](std::size_t i) {
                            return in_segments->steps_of(data, i) > LongScores::kLong;
                          });
    if (segments)
      in_segments->run(data, items, how, narrow, table);
    else
      data.load(items);
    for (const std::vector<std::size_t>& group :
         segments ? std::vector<std::vector<std::size_t>>{} : batching.groups(data, items)) {
      std::vector<std::int64_t> wanted = batching.lengths_for(data, group);
      std::vector<std::size_t> members = group;
      runtime::LevelRows rows;
      if (planner.circle()) {
        members = longest_first(*model, data, group);
        rows = level_rows(*model, *planner.circle(), data, members);
      }
      const std::int64_t levels = rows.levels() > 0 ? levels_for(rows, wanted[0]) : 0;
      wanted.push_back(levels);
      if (!plan || wanted != lengths) {
        plan.reset();
        lengths = wanted;
        wanted.pop_back();
        plan = planner.plan(wanted, levels);
        plan->bind(narrow);
        any_whole = true;
      }
      plan->run(data, members, how, table, rows);
    }
    add_up_steps(e, items, table);
    if (options.progress) options.progress(static_cast<std::int64_t>(to));
  }
  e.items = std::move(table.items);
  add_up(e);
  if (planner.lacks_chunks())
    e.warnings.push_back(fmt::format(
        "a chunk of {} changes nothing: {}", options.engine.chunk,
        any_whole ? std::string(kNoChunks)
                  : fmt::format("items of more than {} steps run in segments", LongScores::kLong)));
  return e;
}

}  // namespace taugrad
