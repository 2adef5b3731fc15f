#include "reports/evaluation_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace taugrad::cli {
namespace {

double per(double sum, std::int64_t count) {
  return sum / static_cast<double>(std::max<std::int64_t>(count, 1));
}

double accuracy(const Score& s) { return per(static_cast<double>(s.right), s.judged); }

double bits(double nats) { return nats / std::numbers::ln2; }

std::string row(const std::string& name, const VariableScores& v) {
  const double nats = per(v.all.nats, v.all.targets);
  std::string text = fmt::format("{:<10} {:>10}  {:>10.4f}", name, v.all.targets, nats);
  if (v.discrete)
    text += fmt::format("  {:>10.4f}  {:>10.4f}  {:>8.4f}", bits(nats), std::exp(nats),
                        accuracy(v.all));
  return text + "\n";
}

void write_score(json::Writer& w, const VariableScores& v) {
  const double nats = per(v.all.nats, v.all.targets);
  w.field("targets", v.all.targets).field("nats", nats);
  if (!v.discrete) return;
  w.field("bits", bits(nats)).field("perplexity", std::exp(nats));
  w.field("accuracy", accuracy(v.all));
}

}  // namespace

std::string EvaluationText::table() const {
  std::string text = options_.per_item ? items() + "\n" : "";
  if (forced_ != nullptr) text += divergence();
  return text + summary();
}

std::string EvaluationText::summary() const {
  std::string text;
  if (!e_.variables.empty())
    text += fmt::format("{:<10} {:>10}  {:>10}  {:>10}  {:>10}  {:>8}\n", "variable", "targets",
                        "nats", "bits", "perplexity", "accuracy");
  for (const VariableScores& v : e_.variables) text += row(v.name, v);
  text += fmt::format("{} items, ", e_.items.size());
  if (!e_.has_loss) return text + "and no loss: the definition has no random variable\n";
  text += fmt::format("loss {:.5g} in all, {:.4f} per target", e_.loss, per(e_.loss, e_.targets));
  if (!options_.unit.empty() && !e_.own_loss && e_.variables.size() == 1)
    text += fmt::format(", {:.4f} bits per {}", bits(per(e_.loss, e_.targets)),
                        options_.unit == "char" ? "character" : options_.unit);
  return text + "\n";
}

std::string EvaluationText::items() const {
  std::string text = fmt::format("{:<8} {:>8}  {:>12}  {:>12}", "item", "steps",
                                 e_.own_loss ? "loss" : "log p", "per target");
  for (const VariableScores& v : e_.variables)
    if (v.discrete) text += fmt::format("  {:>12}", "right " + v.name);
  text += "\n";
  for (std::size_t i = 0; i < e_.items.size(); ++i) {
    const ItemScores& item = e_.items[i];
    std::int64_t targets = 0;
    for (const Score& s : item.variables) targets += s.targets;
    const double value = e_.own_loss ? item.loss : -item.loss;
    text +=
        fmt::format("{:<8} {:>8}  {:>12.5g}  {:>12.4f}", i, item.steps, value, per(value, targets));
    for (std::size_t v = 0; v < e_.variables.size(); ++v)
      if (e_.variables[v].discrete)
        text += fmt::format(
            "  {:>12}", fmt::format("{}/{}", item.variables[v].right, item.variables[v].judged));
    text += "\n";
  }
  return text;
}

std::string EvaluationText::divergence() const {
  std::string text;
  for (std::size_t v = 0; v < e_.variables.size(); ++v) {
    const std::vector<Score>& open = e_.variables[v].steps;
    const std::vector<Score>& forced = forced_->variables[v].steps;
    if (open.empty()) continue;
    text += fmt::format("{:<10} {:>10}  {:>10}  {:>10}  {:>10}  {:>10}\n", e_.variables[v].name,
                        "items", "apart", "nats", "forced", "difference");
    for (std::size_t t = 0; t < open.size(); ++t) {
      const double nats = per(open[t].nats, open[t].targets),
                   truth = per(forced[t].nats, forced[t].targets);
      text += fmt::format("{:<10} {:>10}  {:>10.4f}  {:>10.4f}  {:>10.4f}  {:>10.4f}\n",
                          fmt::format("[{}]", t + 1), open[t].targets,
                          per(open[t].apart, open[t].targets), nats, truth, nats - truth);
    }
    text += "\n";
  }
  return text;
}

std::string EvaluationText::json() const {
  json::Writer w;
  w.begin_object()
      .field("items", static_cast<std::int64_t>(e_.items.size()))
      .field("targets", e_.targets);
  if (e_.has_loss) w.field("loss", e_.loss).field("loss_per_target", per(e_.loss, e_.targets));
  // one random variable is what the whole is about
  if (e_.variables.size() == 1 && !e_.own_loss && e_.variables[0].discrete) {
    const double nats = per(e_.variables[0].all.nats, e_.variables[0].all.targets);
    w.field("bits_per_symbol", bits(nats)).field("perplexity", std::exp(nats));
    w.field("accuracy", accuracy(e_.variables[0].all));
  }
  write_variables(w);
  if (options_.per_item) write_items(w);
  if (forced_ != nullptr) write_divergence(w);
  w.end_object();
  return w.text() + "\n";
}

void EvaluationText::write_variables(json::Writer& w) const {
  w.key("variables").begin_array();
  for (const VariableScores& v : e_.variables) {
    w.begin_object().field("name", v.name);
    write_score(w, v);
    w.end_object();
  }
  w.end_array();
}

void EvaluationText::write_items(json::Writer& w) const {
  w.key("per_item").begin_array();
  for (const ItemScores& item : e_.items) {
    w.begin_object().field("steps", item.steps).field("loss", item.loss);
    if (!e_.own_loss) w.field("log_likelihood", -item.loss);
    w.key("variables").begin_object();
    for (std::size_t v = 0; v < e_.variables.size(); ++v) {
      const Score& s = item.variables[v];
      w.key(e_.variables[v].name).begin_object();
      w.field("targets", s.targets).field("nats", s.nats);
      if (e_.variables[v].discrete) w.field("judged", s.judged).field("right", s.right);
      w.end_object();
    }
    w.end_object().end_object();
  }
  w.end_array();
}

void EvaluationText::write_divergence(json::Writer& w) const {
  w.key("divergence").begin_array();
  for (std::size_t v = 0; v < e_.variables.size(); ++v) {
    const std::vector<Score>& open = e_.variables[v].steps;
    const std::vector<Score>& forced = forced_->variables[v].steps;
    for (std::size_t t = 0; t < open.size(); ++t)
      w.begin_object()
          .field("variable", e_.variables[v].name)
          .field("step", static_cast<std::int64_t>(t + 1))
          .field("items", open[t].targets)
          .field("apart", per(open[t].apart, open[t].targets))
          .field("nats", per(open[t].nats, open[t].targets))
          .field("forced_nats", per(forced[t].nats, forced[t].targets))
          .end_object();
  }
  w.end_array();
}

}  // namespace taugrad::cli
