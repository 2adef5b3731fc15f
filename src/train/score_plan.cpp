#include "train/score_plan.h"

#include <algorithm>

#include "recurrence/drawing.h"

namespace taugrad {
namespace {

bool is_normal(const Symbol& s) { return s.distribution == DistributionKind::normal; }

// elements that differ; of numbers the square of the distance
Var distance(const Symbol& s, Var value, Var target) {
  if (!is_normal(s)) return sum(not_equal(value, target));
  const Var off = value - target;
  return sum(off * off);
}

}  // namespace

ScorePlan::ScorePlan(const std::shared_ptr<const Model>& model,
                     const std::vector<std::int64_t>& lengths, bool ragged, const Modes& modes,
                     const ExecutorOptions& options) {
  const Unfolded u = unfold(model, unfold_options(*model, lengths, ragged, modes));
  if (!model->loss.empty()) add(Kind::loss, u.loss(), {});
  for (const Symbol& s : model->symbols) {
    if (!s.random()) continue;
    const auto mode = modes.find(s.name);
    add_scores(u, s, variables_++, mode == modes.end() ? Mode::observed : mode->second);
  }
  plan_ = std::make_unique<BatchPlan>(u, nodes_, options);
}

void ScorePlan::add(Kind kind, Var v, const Output& like) {
  nodes_.push_back(v.id);
  outputs_.push_back(like);
  outputs_.back().kind = kind;
}

void ScorePlan::add_scores(const Unfolded& u, const Symbol& s, std::size_t variable,
                           const Mode& mode) {
  Tape& tape = u.graph().tape();
  std::vector<std::pair<std::vector<std::int32_t>, NodeId>> likelihoods;
  u.each_nll(s.name, [&](const auto& at, NodeId id) {
    likelihoods.emplace_back(std::vector<std::int32_t>(at.begin(), at.end()), id);
  });
  for (const auto& [at, id] : likelihoods) {
    const Output here{Kind::nats, variable, at.empty() ? 0 : std::max(at[0], 0), s.shape.size()};
    add(Kind::nats, tape.var(id), here);
    // the inputs of a likelihood: the distribution's first argument and the target
    const Var first = tape.var(tape.inputs(id)[0]), second = tape.var(tape.inputs(id)[1]);
    const Var target = is_normal(s) ? first : second;
    if (!is_normal(s)) add(Kind::right, sum(equal(likeliest(s, first), target)), here);
    if (!mode.draws() || s.length >= 0) continue;
    const Var value = u.at(s.name, at);
    if (value.id == target.id) continue;
    add(Kind::apart, distance(s, value, target), here);
  }
}

void ScorePlan::run(const Dataset& data, const std::vector<std::size_t>& items, const BatchRun& how,
                    std::vector<ItemScores>& scores,
                    std::vector<std::vector<std::vector<Score>>>& steps) {
  plan_->run(data, items, how);
  for (const std::size_t i : items) {
    for (const auto& [name, n] : data.examples[i].lengths)
      scores[i].steps = std::max(scores[i].steps, n);
    scores[i].variables.resize(variables_);
    steps[i].resize(variables_);
  }
  for (std::size_t o = 0; o < outputs_.size(); ++o) {
    const std::span<const float> values = plan_->executor().value(o);
    const std::span<const std::int32_t> rows = plan_->executor().output_items(o);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const std::size_t item = items[static_cast<std::size_t>(rows[r])];
      store(outputs_[o], values[r], scores[item], steps[item]);
    }
  }
}

void ScorePlan::store(const Output& o, float value, ItemScores& item,
                      std::vector<std::vector<Score>>& steps) const {
  if (o.kind == Kind::loss) {
    item.loss = static_cast<double>(value);
    return;
  }
  Score score;
  if (o.kind == Kind::nats) {
    score.targets = 1;
    score.nats = static_cast<double>(value);
  } else if (o.kind == Kind::right) {
    score.judged = o.elements;
    score.right = static_cast<std::int64_t>(value);
  } else {
    score.apart = static_cast<double>(value);
  }
  item.variables[o.variable].add(score);
  if (o.step < 1) return;
  std::vector<Score>& own = steps[o.variable];
  if (own.size() < static_cast<std::size_t>(o.step)) own.resize(static_cast<std::size_t>(o.step));
  own[static_cast<std::size_t>(o.step) - 1].add(score);
}

}  // namespace taugrad
