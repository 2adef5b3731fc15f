#include "train/predict/score_plan.h"

#include <algorithm>

#include "base/fail.h"
#include "train/data/windows.h"
#include "train/predict/in_segments.h"

namespace taugrad {
namespace {

constexpr std::size_t kMostPlans = 8;

SegmentRequest request_of(const ResolvedModel& model, const Modes& modes) {
  SegmentRequest r;
  r.modes = modes;
  r.loss = !model.loss.empty();
  for (const Symbol& s : model.symbols) {
    if (!s.random()) continue;
    r.likelihoods.push_back(s.name);
    r.values.push_back(s.name);
  }
  return r;
}

/// The nodes that tell the scores, each with what it tells.
runtime::Asked asked(const Unfolded& u, const Modes& modes) {
  const ScoreOutputs outputs(u, modes);
  return {outputs.nodes(), {outputs.rows()}, -1};
}

}  // namespace

ScorePlanner::ScorePlanner(std::shared_ptr<const ResolvedModel> model, bool ragged, Modes modes,
                           const ExecutorOptions& options)
    : model_(std::move(model)),
      ragged_(ragged),
      modes_(std::move(modes)),
      planner_(
          model_, [this](const Unfolded& u) { return asked(u, modes_); }, options, false) {}

std::unique_ptr<ScorePlan> ScorePlanner::plan(const std::vector<std::int64_t>& lengths,
                                              std::int64_t levels) {
  return std::make_unique<ScorePlan>(
      *model_, planner_.plan(unfold_options(*model_, lengths, ragged_, modes_), levels));
}

ScorePlan::ScorePlan(const ResolvedModel& model, runtime::Planned<float> planned)
    : outputs_(planned.lists[0], model),
      plan_(model.lengths, std::move(planned.executor), std::move(planned.sources)) {}

void ScorePlan::run(const Items& data, const std::vector<std::size_t>& items, const BatchRun& how,
                    ItemTable& table, const runtime::LevelRows& levels) {
  plan_.run(data, items, how, levels);
  outputs_.add_to(table, plan_.executor(), data, items);
}

LongScores::LongScores(const std::shared_ptr<const ResolvedModel>& model,
                       const SegmentRequest& request, const ExecutorOptions& options)
    : model_(model), segments_(model, request), modes_(request.modes), options_(options) {}

std::unique_ptr<LongScores> LongScores::of(const std::shared_ptr<const ResolvedModel>& model,
                                           const Modes& modes, const ExecutorOptions& options) {
  try {
    auto scores =
        std::unique_ptr<LongScores>(new LongScores(model, request_of(*model, modes), options));
    return scores->segments_.settled() < 0 ? nullptr : std::move(scores);
  } catch (const Error& e) {
    if (e.diagnostics().front().code != "G040") throw;
    return nullptr;
  }
}

LongScores::Plan& LongScores::plan_for(const runtime::SegmentShape& shape, const Tensors& weights) {
  std::vector<std::int64_t> key = shape.lengths;
  key.insert(key.end(), shape.of_state.begin(), shape.of_state.end());
  key.push_back(std::min(shape.first, std::max<std::int64_t>(segments_.settled(), 1)));
  if (const auto known = plans_.find(key); known != plans_.end()) return known->second;
  if (plans_.size() >= kMostPlans) plans_.clear();
  Plan plan;
  const auto outputs = [&](const Unfolded& u) {
    plan.outputs.emplace(u, modes_, segments_.length());
    return plan.outputs->nodes();
  };
  plan.segment = std::make_unique<runtime::SegmentPlan<float>>(
      segments_, shape, runtime::SegmentDraws{.given = random_names(*model_)}, outputs, options_);
  plan.segment->bind(weights);
  plan.segment->forget_graph();
  return plans_.emplace(key, std::move(plan)).first->second;
}

void LongScores::run(Items& data, const std::vector<std::size_t>& items, const BatchRun& how,
                     const Tensors& weights, ItemTable& table) {
  std::int64_t longest = 0;
  std::vector<std::int64_t> lengths(model_->lengths.size(), 0);
  for (const std::size_t i : items) {
    longest = std::max(longest, steps_of(data, i));
    for (std::size_t l = 0; l < lengths.size(); ++l)
      lengths[l] = std::max(lengths[l], data.length(i, model_->lengths[l]));
  }
  auto state = runtime::empty_state<float>(*model_, segments_.slots(lengths), items.size());
  for (std::int64_t from = 0; from < std::max<std::int64_t>(longest, 1);) {
    // what has equations of its own comes first, step by step
    const std::int64_t settled = std::max<std::int64_t>(segments_.settled(), 1);
    run_group(data, items, lengths, from, how, weights, state, table);
    from += from < settled ? std::min(settled, kRead) : kRead;
  }
}

void LongScores::run_group(Items& data, const std::vector<std::size_t>& items,
                           const std::vector<std::int64_t>& of_state, std::int64_t from,
                           const BatchRun& how, const Tensors& weights,
                           runtime::SegmentState<float>& state, ItemTable& table) {
  const auto cut = static_cast<std::size_t>(segments_.length());
  const std::int64_t settled = std::max<std::int64_t>(segments_.settled(), 1);
  const std::int64_t most = from < settled ? std::min(settled, kRead) : kRead;
  const bool ragged = can_be_ragged(*model_);
  data.load(items, from, from + most);
  std::map<std::vector<std::int64_t>, runtime::SegmentItems> groups;
  for (std::size_t i = 0; i < items.size(); ++i) {
    std::vector<std::int64_t> own;
    for (const std::string& name : model_->lengths) own.push_back(data.length(items[i], name));
    own[cut] = std::clamp<std::int64_t>(own[cut] - from, 0, most);
    if (own[cut] == 0 && from > 0) continue;  // it has ended
    runtime::SegmentItems& group = groups[ragged ? std::vector<std::int64_t>{} : own];
    group.items.push_back(i);
    group.lengths.resize(own.size());
    for (std::size_t l = 0; l < own.size(); ++l) group.lengths[l].push_back(own[l]);
    group.keys.push_back(static_cast<std::int64_t>(items[i]));
  }
  for (auto& [key, batch] : groups) {
    runtime::SegmentShape shape{.first = from, .steps = most, .lengths = {}, .ragged = ragged};
    for (const auto& lengths : batch.lengths)
      shape.lengths.push_back(*std::ranges::max_element(lengths));
    shape.of_state = of_state;
    shape.of_state[cut] = 0;
    if (!ragged) shape.steps = shape.lengths[cut];
    shape.lengths[cut] = shape.steps;
    batch.seed = how.seed;
    batch.mixes = how.mixes;
    Plan& plan = plan_for(shape, weights);
    plan.segment->run(batch, state, [&](const runtime::SegmentRead& r, std::span<float> to) {
      read_item(*model_, data, items[r.item], r, to);
    });
    std::vector<std::size_t> places;
    for (const std::size_t i : batch.items) places.push_back(items[i]);
    plan.outputs->add_to(table, plan.segment->executor(), data, places, from);
  }
}

}  // namespace taugrad
