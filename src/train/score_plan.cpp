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

/// The nodes that tell the scores, each with what it tells.
class Scores {
 public:
  Scores(const Unfolded& u, const Modes& modes) {
    if (!u.model().loss.empty()) add(ScorePlan::Kind::loss, u.loss(), {});
    std::size_t variable = 0;
    for (const Symbol& s : u.model().symbols) {
      if (!s.random()) continue;
      const auto mode = modes.find(s.name);
      add_variable(u, s, variable++, mode == modes.end() ? Mode::observed : mode->second);
    }
  }
  exec::Asked asked() && { return {std::move(nodes_), {std::move(outputs_)}, -1}; }

 private:
  void add(ScorePlan::Kind kind, Var v, const ScorePlan::Output& like) {
    nodes_.push_back(v.id);
    outputs_.cells.insert(outputs_.cells.end(),
                          {static_cast<std::int64_t>(kind),
                           static_cast<std::int64_t>(like.variable), like.step, like.elements});
  }
  void add_variable(const Unfolded& u, const Symbol& s, std::size_t variable, const Mode& mode);

  std::vector<NodeId> nodes_;
  plan::Table outputs_{4};
};

void Scores::add_variable(const Unfolded& u, const Symbol& s, std::size_t variable,
                          const Mode& mode) {
  using Kind = ScorePlan::Kind;
  Tape& tape = u.graph().tape();
  std::vector<std::pair<std::vector<std::int32_t>, NodeId>> likelihoods;
  u.each_nll(s.name, [&](const auto& at, NodeId id) {
    likelihoods.emplace_back(std::vector<std::int32_t>(at.begin(), at.end()), id);
  });
  for (const auto& [at, id] : likelihoods) {
    const ScorePlan::Output here{Kind::nats, variable, at.empty() ? 0 : std::max(at[0], 0),
                                 s.shape.size()};
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

}  // namespace

ScorePlanner::ScorePlanner(std::shared_ptr<const Model> model, bool ragged, Modes modes,
                           const ExecutorOptions& options)
    : model_(std::move(model)),
      ragged_(ragged),
      modes_(std::move(modes)),
      planner_(
          model_, [this](const Unfolded& u) { return Scores(u, modes_).asked(); }, options, false) {
}

std::unique_ptr<ScorePlan> ScorePlanner::plan(const std::vector<std::int64_t>& lengths) {
  return std::make_unique<ScorePlan>(
      *model_, planner_.plan(unfold_options(*model_, lengths, ragged_, modes_)));
}

ScorePlan::ScorePlan(const Model& model, exec::Planned<float> planned)
    : plan_(model.lengths, std::move(planned.executor), std::move(planned.sources)) {
  for (const Symbol& s : model.symbols) variables_ += s.random();
  const plan::Table& outputs = planned.lists[0];
  for (std::size_t i = 0; i < outputs.rows(); ++i) {
    const std::int64_t* row = outputs.row(i);
    outputs_.push_back({static_cast<Kind>(row[0]), static_cast<std::size_t>(row[1]),
                        static_cast<std::int32_t>(row[2]), row[3]});
  }
}

void ScorePlan::run(const Dataset& data, const std::vector<std::size_t>& items, const BatchRun& how,
                    std::vector<ItemScores>& scores,
                    std::vector<std::vector<std::vector<Score>>>& steps) {
  plan_.run(data, items, how);
  for (const std::size_t i : items) {
    for (const auto& [name, n] : data.examples[i].lengths)
      scores[i].steps = std::max(scores[i].steps, n);
    scores[i].variables.resize(variables_);
    steps[i].resize(variables_);
  }
  for (std::size_t o = 0; o < outputs_.size(); ++o) {
    const std::span<const float> values = plan_.executor().value(o);
    const std::span<const std::int32_t> rows = plan_.executor().output_items(o);
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
