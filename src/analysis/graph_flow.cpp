// The flow of gradients through a graph: its positions are the indices of its names.
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "analysis/matrix_norm.h"
#include "analysis/probe.h"
#include "base/fail.h"
#include "base/memory_limit.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "graph/adjoint.h"
#include "graph/named_nodes.h"
#include "graph/positions.h"
#include "passes/tape_copy.h"
#include "taugrad/analysis/flow.h"
#include "taugrad/exec/check.h"
#include "taugrad/exec/run.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"
#include "taugrad/passes/gradient.h"
#include "taugrad/passes/loss.h"

namespace taugrad {
namespace {

using analysis::Probe;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

constexpr const char* kUnit = "flow:cotangent";  // unit vectors, of the Jacobians

double norm(const Tensor& t, std::int64_t first, std::int64_t size) {
  double sum = 0;
  for (std::int64_t i = first; i < first + size; ++i) sum += t.at(i) * t.at(i);
  return std::sqrt(sum);
}

/// The graph, and where its derivatives are taken.
struct GraphPoint {
  Graph graph;  ///< never appended to: each question has a copy
  Tensors inputs, weights;
  std::vector<NodeId> owner;  ///< graph/positions.h
  std::int64_t items = 1;

  const Tape& tape() const { return graph.tape(); }
};

GraphPoint point_of(const Graph& graph, const Tensors& inputs, const Tensors& weights,
                    const FlowOptions& o) {
  GraphPoint p{.graph = graph, .inputs = inputs, .weights = weights, .owner = {}};
  const DrawOptions draw{.batch = o.batch, .seed = o.seed};
  if (inputs.empty()) p.inputs = random_inputs(graph, draw);
  if (weights.empty()) p.weights = initial_weights(graph, draw);
  p.owner = position_owners(graph.tape(), adjoint_nodes(graph.tape()));
  std::vector<NodeId> leaves;
  for (NodeId id = 0; id < graph.size(); ++id)
    if (&graph.tape().op(id) == &kInput) leaves.push_back(id);
  p.items = exec::describe_batch(exec::sources_of(graph.tape(), leaves),
                                 exec::length_rules(graph.tape(), {}), p.inputs)
                .items;
  return p;
}

bool is_number(const Tape& tape, const std::vector<NodeId>& nodes) {
  return std::ranges::all_of(nodes, [&](NodeId id) {
    const bool copy = &tape.op(id) == &kCopy && &tape.op(tape.inputs(id)[0]) == &kWeight;
    return tape.category(id) == 0 && !tape.op(id).traits.leaf && !copy;
  });
}

/// h[1..n] where the name has one index and numbers, else nothing.
std::vector<NodeId> along(const Tape& tape, const NamedNodes& nodes, const std::string& name) {
  PositionStack stack = stacked(tape, nodes.positions(name));
  const bool fits = stack.lengths.size() == 1 && is_number(tape, stack.nodes);
  return fits ? std::move(stack.nodes) : std::vector<NodeId>();
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
  if (names.empty())
    fail(Status::bad_input, "G028",
         "no value of the graph with one index (h[1], h[2], ..) hands something from position to "
         "position");
  return names;
}

Vars vars(const Graph& g, const std::vector<NodeId>& ids) {
  Vars all;
  for (const NodeId id : ids) all.push_back(g.tape().var(id));
  return all;
}

/// |dh(t)/dh(k)| for all positions: a batch of unit vectors for each t and item.
class JacobianNorms {
 public:
  JacobianNorms(const GraphPoint& p, const std::vector<NodeId>& nodes)
      : p_(p), g_(copy_of(p.tape())), h_(vars(g_, nodes)), probe_(g_, outputs()) {}

  void run(MatrixNorm kind, VariableFlow& v) {
    const std::size_t length = h_.size();
    v.jacobian.assign(length, std::vector<double>(length, 0));
    std::vector<double> logs(length, 0), counts(length, 0);
    const std::int64_t items = shared_ ? 1 : p_.items;
    for (std::int64_t item = 0; item < items; ++item) {
      inputs_ = shared_ ? p_.inputs : analysis::item_repeated(p_.tape(), p_.inputs, item, rows());
      for (std::size_t t = 0; t < length; ++t) {
        const auto jacobians = at_position(t);
        for (std::size_t k = 0; k < length; ++k) {
          const double n = analysis::norm_of(jacobians[k], size(), kind);
          v.jacobian[t][k] += n / static_cast<double>(items);
          if (n == 0) continue;
          logs[k > t ? k - t : t - k] += std::log(n);
          counts[k > t ? k - t : t - k] += 1;
        }
      }
    }
    for (std::size_t lag = 0; lag < length; ++lag)
      v.by_lag.push_back(counts[lag] > 0 ? std::exp(logs[lag] / counts[lag]) : 0);
  }

 private:
  std::int64_t size() const { return h_.front().shape().size(); }
  std::int64_t rows() const { return shared_ ? 1 : size(); }  // unit vectors in one run

  std::vector<NodeId> outputs() {
    Vars units;
    for (std::int32_t t = 0; const Var& x : h_) {
      ++t;
      units.push_back(g_.tape().named_leaf(kInput, x.shape(), x.extent(), {}, kUnit, {&t, 1}));
      shared_ = shared_ || !x.per_example();
    }
    std::vector<NodeId> ids;
    for (const Var& y : gradient(h_, units, h_).values()) ids.push_back(y.id);
    return ids;
  }

  /// [k]: dh(t)/dh(k), row by row.
  std::vector<std::vector<double>> at_position(std::size_t t) {
    std::vector<std::vector<double>> j(h_.size());
    for (std::int64_t first = 0; first < size(); first += rows()) {
      Dims dims{std::ssize(h_)};
      if (!shared_) dims.push_back(rows());
      dims.insert(dims.end(), h_[0].shape().dims().begin(), h_[0].shape().dims().end());
      Tensor unit(dims, Dtype::f64);
      for (std::int64_t r = 0; r < rows(); ++r)
        unit.set((static_cast<std::int64_t>(t) * rows() + r) * size() + first + r, 1);
      inputs_.insert_or_assign(kUnit, std::move(unit));
      const std::vector<Tensor> values = probe_(inputs_, p_.weights);
      for (std::size_t k = 0; k < j.size(); ++k)
        for (std::int64_t i = 0; i < rows() * size(); ++i) j[k].push_back(values[k].at(i));
    }
    return j;
  }

  const GraphPoint& p_;
  Graph g_;
  Vars h_;
  bool shared_ = false;
  Probe probe_;
  Tensors inputs_ = {};
};

/// The shares that readers have in the gradient of a weight, by the step that they belong to: one
/// node a step.
std::map<std::vector<std::int32_t>, Vars> shares_of(const GraphPoint& p, const Gradients& g,
                                                    Var weight) {
  std::map<std::vector<std::int32_t>, Vars> shares;
  for (const EdgeContribution& e : g.edges(weight)) {
    const NodeId owner = e.user < std::ssize(p.owner) ? p.owner[at(e.user)] : -1;
    std::vector<std::int32_t> index;
    if (owner >= 0) index.assign(p.tape().index(owner).begin(), p.tape().index(owner).end());
    shares[std::move(index)].push_back(e.value);
  }
  return shares;
}

/// dL/dh(t), and dL/dW with the share of each step, in one run.
class GradientNorms {
 public:
  GradientNorms(const GraphPoint& p, const NamedNodes& nodes, FlowReport& report)
      : p_(p), nodes_(nodes), report_(report), g_(copy_of(p.tape())) {}

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
    const std::vector<Tensor> values = Probe(g_, outputs_)(p_.inputs, p_.weights);
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
    for (auto& [index, terms] : shares_of(p_, gradients, w)) {
      auto& copies = report_.weights[weight].copies;
      const std::size_t copy = copies.size();
      copies.emplace_back(fmt::format("{}[{}]", name, fmt::join(index, ",")), 0);
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
  const GraphPoint p = point_of(graph, inputs, weights, options);
  const NamedNodes nodes(p.tape());
  FlowReport report{.name = "", .items = p.items, .norm = options.norm};
  for (const std::string& name : chosen(p, nodes, options))
    report.variables.push_back({.name = name});
  require_for_flow(p, nodes, report);
  for (VariableFlow& v : report.variables) {
    const std::vector<NodeId> positions = along(p.tape(), nodes, v.name);
    report.steps = std::max<std::int64_t>(report.steps, std::ssize(positions));
    JacobianNorms(p, positions).run(options.norm, v);
    v.rate = rate_of(v.by_lag);
    v.verdict = verdict_of(v.by_lag, v.rate);
  }
  GradientNorms(p, nodes, report).run(options.loss);
  return report;
}

}  // namespace taugrad
