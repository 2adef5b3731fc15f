// The flow of gradients through a graph: its positions are the indices of its names.
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "analysis/graph_point.h"
#include "analysis/probe.h"
#include "base/fail.h"
#include "base/index.h"
#include "base/shape_format.h"
#include "base/suggest.h"
#include "base/system/memory_limit.h"
#include "base/utf8.h"
#include "graph/named_nodes.h"
#include "taugrad/analysis/flow.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/autodiff/loss.h"
#include "taugrad/evaluate/check.h"
#include "taugrad/evaluate/run.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"
#include "taugrad/rewrite/surgery.h"

namespace taugrad {
namespace {

using analysis::along;
using analysis::GraphPoint;
using analysis::Probe;

double norm(const Tensor& t, std::int64_t first, std::int64_t size) {
  double sum = 0;
  for (std::int64_t i = first; i < first + size; ++i) sum += t.at(i) * t.at(i);
  return std::sqrt(sum);
}

/// Names whose value at one position is read where another is computed.
std::set<std::string> handed_on(const GraphPoint& p) {
  const Tape& tape = p.tape();
  std::set<std::string> names;
  for (NodeId id = 0; id < tape.size(); ++id) {
    const NodeId owner = p.owner[at(id)];
    if (owner < 0 || tape.name(id).starts_with("grad:")) continue;
    for (const NodeId in : tape.inputs(id))
      if (tape.is_value(in) && tape.index_id(in) != 0 &&
          tape.index(in).size() == tape.index(owner).size() &&
          (tape.index_id(in) != tape.index_id(owner) ||
           !std::ranges::equal(tape.letters(in), tape.letters(owner))))
        names.emplace(tape.name(in));
  }
  return names;
}

/// Why no flow is measured along the values of a name; empty where none of them is computed.
std::string obstacle(const Tape& tape, const std::vector<NodeId>& all) {
  std::set<std::int32_t> positions;
  for (const NodeId id : all) {
    if (tape.op(id).traits.leaf) return "";
    if (tape.category(id) > 0) return "is a category: gradients flow along numbers";
    if (tape.shape_id(id) != tape.shape_id(all[0]))
      return fmt::format("is {} at {} and {} at {}: a flow has one shape",
                         to_string(tape.shape(all[0])), tape.index(all[0])[0],
                         to_string(tape.shape(id)), tape.index(id)[0]);
    if (!positions.insert(tape.index(id)[0]).second)
      return fmt::format("stands at {} for several letters: the flow goes along one",
                         tape.index(id)[0]);
  }
  return fmt::format(
      "stands at {}: the flow is measured from position to position, 1, 2, 3, .. without gaps",
      positions_text(tape, all));
}

[[noreturn]] void refuse_without_states(const Tape& tape, const NamedNodes& nodes,
                                        const std::set<std::string>& states) {
  for (const std::string& name : states) {
    const std::vector<NodeId> all = nodes.positions(name);
    const auto has_one_index = [&](NodeId id) { return tape.index(id).size() == 1; };
    if (all.size() < 2 || !std::ranges::all_of(all, has_one_index)) continue;
    if (const std::string why = obstacle(tape, all); !why.empty())
      fail(Status::bad_input, "G028", "{} {}", printable(name), why);
  }
  fail(Status::bad_input, "G028",
       "no value of the graph with one index (h[1], h[2], ..) hands something from position to "
       "position");
}

std::vector<std::string> chosen(const GraphPoint& p, const NamedNodes& nodes,
                                const FlowOptions& o) {
  for (const std::string& name : o.variables)
    if (along(p.tape(), nodes, name).empty()) {
      Diagnostic d;
      d.code = "U002";
      d.message = fmt::format("\"{}\" is no value of the graph with numbers and one index 1..n",
                              printable(name));
      d.help = did_you_mean(name, nodes.names());
      fail(Status::usage, std::move(d));
    }
  if (!o.variables.empty()) return o.variables;
  std::vector<std::string> names;
  const std::set<std::string> states = handed_on(p);
  for (const std::string& name : nodes.names())
    if (states.contains(name) && !along(p.tape(), nodes, name).empty()) names.push_back(name);
  if (names.empty()) refuse_without_states(p.tape(), nodes, states);
  return names;
}

struct Step {
  std::vector<std::string> letters;
  std::vector<std::int32_t> index;
  auto operator<=>(const Step&) const = default;
};

/// The shares that readers have in the gradient of a weight, by the step that they belong to: one
/// node a step.
std::map<Step, Vars> shares_of(const GraphPoint& p, const Gradients& g, Var weight) {
  std::map<Step, Vars> shares;
  for (const EdgeContribution& e : g.edges(weight)) {
    const NodeId owner = e.user < std::ssize(p.owner) ? p.owner[at(e.user)] : -1;
    Step step;
    if (owner >= 0) {
      const auto letters = p.tape().letters(owner);
      const auto index = p.tape().index(owner);
      step = {{letters.begin(), letters.end()}, {index.begin(), index.end()}};
    }
    shares[std::move(step)].push_back(e.value);
  }
  return shares;
}

/// "W[3]", and where readers have different letters "W[t=3]".                               (R8)
std::string copy_text(const std::string& name, const Step& step, bool told) {
  std::string text;
  for (std::size_t i = 0; i < step.index.size(); ++i) {
    const bool letter = told && i < step.letters.size();
    text += fmt::format("{}{}{}", i == 0 ? "" : ",", letter ? step.letters[i] + "=" : "",
                        step.index[i]);
  }
  return fmt::format("{}[{}]", name, text);
}

/// dL/dh(t), and dL/dW with the share of each step, in one run.
class GradientNorms {
 public:
  GradientNorms(const GraphPoint& p, const NamedNodes& nodes, FlowReport& report)
      : p_(p), nodes_(nodes), report_(report), g_(clone(p.graph).graph()) {}

  void run(const std::string& loss_name) {
    Var loss = find_loss(g_, loss_name);
    if (!loss) loss = default_loss(g_);
    Vars wrt, weights;
    for (const VariableFlow& v : report_.variables)
      for (const NodeId id : along(p_.tape(), nodes_, v.name)) wrt.push_back(g_.tape().var(id));
    for (NodeId id = 0; id < p_.graph.size(); ++id)
      if (&p_.tape().op(id) == &kWeight) weights.push_back(g_.tape().var(id));
    wrt.insert(wrt.end(), weights.begin(), weights.end());
    const Gradients gradients = gradient(loss, wrt);
    for (VariableFlow& v : report_.variables)
      for (std::size_t i = along(p_.tape(), nodes_, v.name).size(); i > 0; --i)
        ask(gradients[outputs_.size()], [&](double norm) { v.gradient.push_back(norm); });
    for (const Var& w : weights) add_weight(w, gradients);
    const std::vector<Tensor> values = Probe(g_, outputs_, {}, p_.engine)(p_.inputs, p_.weights);
    for (std::size_t o = 0; o < values.size(); ++o) tell_[o](mean_norm(values[o], o));
  }

 private:
  void ask(Var v, std::function<void(double)> tell) {
    outputs_.push_back(v.id);
    tell_.push_back(std::move(tell));
  }

  void add_weight(Var w, const Gradients& gradients) {
    const bool named = p_.tape().is_value(w.id);
    const std::string name = named ? std::string(p_.tape().name(w.id)) : nodes_.text(w.id);
    const auto [place, fresh] = number_.try_emplace(name, report_.weights.size());
    if (fresh) report_.weights.push_back({.name = name});
    const std::size_t weight = place->second;  // of an untied weight: all of them
    ask(gradients.of(w), [this, weight](double norm) {
      report_.weights[weight].total = std::hypot(report_.weights[weight].total, norm);
    });
    const std::map<Step, Vars> shares = shares_of(p_, gradients, w);
    std::set<std::vector<std::string>> letters;
    for (const auto& [step, terms] : shares)
      if (!step.letters.empty()) letters.insert(step.letters);
    for (const auto& [step, terms] : shares) {
      auto& copies = report_.weights[weight].copies;
      const std::size_t copy = copies.size();
      copies.emplace_back(copy_text(name, step, letters.size() > 1), 0);
      ask(terms.size() == 1 ? terms.front() : add_n(terms), [this, weight, copy](double norm) {
        report_.weights[weight].copies[copy].second = norm;
      });
    }
  }

  /// Of what is per example the mean over the items.
  double mean_norm(const Tensor& t, std::size_t output) const {
    const bool shared = g_.tape().extent_id(outputs_[output]) == kShared;
    const std::int64_t rows = shared ? 1 : std::max<std::int64_t>(p_.items, 1);
    double sum = 0;
    for (std::int64_t row = 0; row < rows; ++row)
      sum += norm(t, row * (t.size() / rows), t.size() / rows);
    return sum / static_cast<double>(rows);
  }

  const GraphPoint& p_;
  const NamedNodes& nodes_;
  FlowReport& report_;
  Graph g_;
  std::vector<NodeId> outputs_;
  std::vector<std::function<void(double)>> tell_;  // what becomes of each output's norm
  std::map<std::string, std::size_t> number_;
};

void require_for_flow(const GraphPoint& p, const NamedNodes& nodes, const FlowReport& report) {
  std::vector<MemoryUse> plan;
  for (const VariableFlow& v : report.variables) {
    const auto length = static_cast<double>(along(p.tape(), nodes, v.name).size());
    plan.push_back({fmt::format("Jacobians of \"{}\"", v.name), length * length * sizeof(double)});
  }
  require_memory("the flow of gradients", plan);
}

}  // namespace

FlowReport flow(const Graph& graph, const Tensors& inputs, const Tensors& weights,
                const FlowOptions& options) {
  if (options.steps >= 0 || !options.lengths.empty())
    fail(Status::usage, "U007", "steps are of a definition: a graph is unfolded already");
  const GraphPoint p = analysis::point_of(graph, inputs, weights, options);
  const NamedNodes nodes(p.tape());
  FlowReport report{.name = "", .items = p.items, .norm = options.norm};
  for (const std::string& name : chosen(p, nodes, options))
    report.variables.push_back({.name = name});
  require_for_flow(p, nodes, report);
  std::int64_t done = 0, total = 0;
  for (const VariableFlow& v : report.variables)
    total += p.items * std::ssize(along(p.tape(), nodes, v.name));
  const auto told = [&] {
    if (options.progress) options.progress(++done, total);
  };
  for (VariableFlow& v : report.variables) {
    const std::vector<NodeId> positions = along(p.tape(), nodes, v.name);
    report.steps = std::max<std::int64_t>(report.steps, std::ssize(positions));
    analysis::add_jacobians(p, positions, options.norm, told, v);
    v.rate = rate_of(v.by_lag);
    v.verdict = verdict_of(v.by_lag, v.rate);
  }
  GradientNorms(p, nodes, report).run(options.loss);
  return report;
}

}  // namespace taugrad
