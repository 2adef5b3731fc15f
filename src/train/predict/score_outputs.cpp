#include "train/predict/score_outputs.h"

#include <algorithm>

#include "language/resolve/drawing.h"
#include "unfold/segments.h"

namespace taugrad {
namespace {

constexpr std::int64_t kMostSteps = 4096;  ///< that are told one by one

// elements that differ; of numbers the square of the distance
Var distance(const Symbol& s, Var value, Var target) {
  if (!s.normal()) return sum(not_equal(value, target));
  const Var off = value - target;
  return sum(off * off);
}

}  // namespace

ScoreOutputs::ScoreOutputs(const Unfolded& u, const Modes& modes, int cut) {
  if (!u.model().loss.empty()) add(Kind::loss, u.loss(), {});
  for (const Symbol& s : u.model().symbols) {
    if (!s.random()) continue;
    const auto mode = modes.find(s.name);
    names_.push_back(s.name);
    add_scores(u, s, names_.size() - 1, mode == modes.end() ? Mode::observed : mode->second, cut);
  }
}

ScoreOutputs::ScoreOutputs(const plan::Table& rows, const ResolvedModel& model) {
  std::vector<std::size_t> axes;
  for (const Symbol& s : model.symbols) {
    if (!s.random()) continue;
    names_.push_back(s.name);
    axes.push_back(s.axes.size());
  }
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const std::int64_t* row = rows.row(i);
    outputs_.push_back({static_cast<Kind>(row[0]), static_cast<std::size_t>(row[1]),
                        static_cast<std::int32_t>(row[2]), row[3] != 0, row[4]});
    if (outputs_.back().kind == Kind::loss) continue;
    const std::size_t own = axes[outputs_.back().variable];
    for (std::size_t a = 0; a < own; ++a)
      outputs_.back().at.push_back(static_cast<std::int32_t>(row[5 + a]));
  }
}

plan::Table ScoreOutputs::rows() const {
  std::size_t axes = 0;
  for (const Output& o : outputs_) axes = std::max(axes, o.at.size());
  plan::Table rows(5 + axes);
  for (const Output& o : outputs_) {
    rows.cells.insert(rows.cells.end(),
                      {static_cast<std::int64_t>(o.kind), static_cast<std::int64_t>(o.variable),
                       o.step, o.moves, o.elements});
    rows.cells.insert(rows.cells.end(), o.at.begin(), o.at.end());
    rows.cells.resize(rows.cells.size() + axes - o.at.size());
  }
  return rows;
}

void ScoreOutputs::add(Kind kind, Var v, const Output& like) {
  nodes_.push_back(v.id);
  outputs_.push_back(like);
  outputs_.back().kind = kind;
}

void ScoreOutputs::add_scores(const Unfolded& u, const Symbol& s, std::size_t variable,
                              const Mode& mode, int cut) {
  Tape& tape = u.graph().tape();
  const int axis = cut < 0 ? -1 : axis_along(u.model(), s, cut);
  const Segment* segment = u.segment() != nullptr ? &u.segment()->of : nullptr;
  if (segment != nullptr && axis < 0 && segment->from > 0) return;  // an earlier segment had it
  const std::int64_t before = segment != nullptr ? segment->first : 0;
  std::vector<std::pair<std::vector<std::int32_t>, NodeId>> likelihoods;
  u.each_nll(s.name, [&](const auto& at, NodeId id) {
    likelihoods.emplace_back(std::vector<std::int32_t>(at.begin(), at.end()), id);
  });
  for (const auto& [at, id] : likelihoods) {
    const auto first = at.empty() ? 0 : at[0] - (axis == 0 ? static_cast<std::int32_t>(before) : 0);
    Output here{Kind::nats, variable, std::max(first, 0), axis == 0, s.shape.size(), at, axis};
    if (axis >= 0) here.at[static_cast<std::size_t>(axis)] -= static_cast<std::int32_t>(before);
    add(Kind::nats, tape.var(id), here);
    // the inputs of a likelihood: the distribution's first argument and the target
    const Var argument = tape.var(tape.inputs(id)[0]), second = tape.var(tape.inputs(id)[1]);
    const Var target = s.normal() ? argument : second;
    if (!s.normal()) add(Kind::right, sum(equal(likeliest(s, argument), target)), here);
    if (!mode.draws() || s.length >= 0) continue;
    const Var value = u.at(s.name, at);
    if (value.id == target.id) continue;
    add(Kind::apart, distance(s, value, target), here);
  }
}

bool ScoreOutputs::is_given(const Output& o, const Items& data, std::size_t item,
                            std::int64_t from) const {
  if (data[item].missing.empty() || o.kind == Kind::loss) return true;
  std::vector<std::int32_t> at = o.at;
  if (o.cut >= 0) at[static_cast<std::size_t>(o.cut)] += static_cast<std::int32_t>(from);
  return data.has_target(item, names_[o.variable], at);
}

void ScoreOutputs::add_to(ItemTable& table, const Executor<float>& executor, const Items& data,
                          std::span<const std::size_t> items, std::int64_t from) const {
  for (const std::size_t i : items) {
    table.items[i].variables.resize(names_.size());
    table.steps[i].resize(names_.size());
  }
  for (std::size_t o = 0; o < outputs_.size(); ++o) {
    const std::span<const float> values = executor.value(o);
    const std::span<const std::int32_t> rows = executor.output_items(o);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const std::size_t item = items[static_cast<std::size_t>(rows[r])];
      if (is_given(outputs_[o], data, item, from))
        store(outputs_[o], values[r], from, table.items[item], table.steps[item]);
    }
  }
}

void ScoreOutputs::store(const Output& o, float value, std::int64_t from, ItemScores& item,
                         std::vector<std::vector<Score>>& steps) const {
  if (o.kind == Kind::loss) {
    item.loss += static_cast<double>(value);
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
  const std::int64_t step = o.step + (o.moves ? from : 0);
  if (o.step < 1 || step > kMostSteps) return;
  std::vector<Score>& own = steps[o.variable];
  if (own.size() < static_cast<std::size_t>(step)) own.resize(static_cast<std::size_t>(step));
  own[static_cast<std::size_t>(step) - 1].add(score);
}

}  // namespace taugrad
