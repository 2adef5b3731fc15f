// One run for the numbers on a picture.
#include "taugrad/draw/values.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "analysis/flow_data.h"
#include "analysis/graph_point.h"
#include "analysis/probe.h"
#include "base/fail.h"
#include "base/index.h"
#include "draw/values/facts.h"
#include "evaluate/leaves/leaf_names.h"
#include "plan/lower/lowering.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/autodiff/loss.h"
#include "taugrad/evaluate/check.h"
#include "taugrad/graph/reachable.h"
#include "taugrad/ops/records.h"
#include "taugrad/rewrite/surgery.h"
#include "unfold/graph_size.h"

namespace taugrad {
namespace {

constexpr double kMostNodes = 1'000'000;  // of a graph whose values are drawn

analysis::FlowData data_of(const Definition& d, const Tensors& inputs, const Tensors& weights,
                           const ValueOptions& options) {
  const bool told = options.steps >= 0 || !options.lengths.empty() || !inputs.empty();
  return analysis::flow_data(
      d, inputs, weights,
      {.steps = told ? options.steps : 3, .lengths = options.lengths, .seed = options.seed});
}

void require_item(std::int64_t item, std::int64_t items) {
  if (item < 0 || item >= items)
    fail(Status::usage, "U002", "there is no item {}: the batch has {}, from 0", item, items);
}

Unfolded unfolded_for(const analysis::FlowData& data, std::int64_t item) {
  UnfoldOptions options{.cotangents = data.cotangents};
  for (std::size_t l = 0; l < data.model->lengths.size(); ++l)
    options.lengths[data.model->lengths[l]] = data.batch.lengths[l][at(item)];
  if (graph_size(*data.model, options).nodes > kMostNodes)
    fail(Status::resource, "R002",
         "values are drawn of graphs of up to {:.0f} nodes: take fewer steps", kMostNodes);
  return unfold(data.model, options);
}

/// Nodes of a tape, each once, in its order.
std::vector<NodeId> drawn_nodes(const std::vector<const Picture*>& pictures) {
  std::vector<NodeId> nodes;
  for (const Picture* p : pictures)
    for (const PictureNode& n : p->nodes)
      if (n.source >= 0) nodes.push_back(n.source);
  std::ranges::sort(nodes);
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  return nodes;
}

double dot(const Tensor& a, const Tensor& b) {
  const auto x = a.values<double>(), y = b.values<double>();
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
  return sum;
}

/// What is asked of the executor, and where its answers go.
class Asking {
 public:
  Asking(const Graph& graph, Var loss, NodeId forward_end, std::vector<NodeId> nodes)
      : graph_(graph), loss_(std::move(loss)), tape_(graph.tape()), nodes_(std::move(nodes)) {
    const std::vector<char> needed_by_loss = reachable(tape_, std::vector<NodeId>{loss_.id});
    for (const NodeId id : nodes_)
      if (id < forward_end && needed_by_loss[at(id)] && has_gradient(id))
        wrt_.push_back(tape_.var(id));
  }

  GraphValues run(const Tensors& inputs, const Tensors& weights,
                  const std::vector<std::int64_t>& lengths) {
    if (wrt_.empty()) return answered(inputs, weights, lengths, nullptr);
    const Gradients g = gradient(loss_, wrt_);
    return answered(inputs, weights, lengths, &g);
  }

 private:
  bool has_gradient(NodeId id) const {
    return tape_.category(id) == 0 && &tape_.op(id) != &kConstant && &tape_.op(id) != &kLength;
  }

  GraphValues answered(const Tensors& inputs, const Tensors& weights,
                       const std::vector<std::int64_t>& lengths, const Gradients* g) {
    std::vector<NodeId> outputs = nodes_;
    const std::size_t first_gradient = outputs.size();
    for (std::size_t i = 0; i < wrt_.size(); ++i) outputs.push_back((*g)[i].id);
    const std::size_t first_edge = outputs.size();
    for (const Var& v : wrt_)
      for (const EdgeContribution& e : g->edges(v)) outputs.push_back(e.value.id);
    const std::vector<Tensor> values = analysis::Probe(graph_, outputs, lengths)(inputs, weights);

    GraphValues result;
    result.entry.assign(at(tape_.size()), -1);
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const NodeId id = nodes_[i];
      result.entry[at(id)] = static_cast<std::int32_t>(i);
      const Shape& shape = tape_.shape(id);
      result.facts.push_back({.value = draw::facts_of(values[i].values<double>(), shape),
                              .operations = plan::work_of(tape_, id).operations,
                              .bytes = shape.size() * 4});
    }
    std::size_t edge = first_edge;
    for (std::size_t i = 0; i < wrt_.size(); ++i) {
      const Tensor& total = values[first_gradient + i];
      NodeFacts& facts = result.facts[at(result.entry[at(wrt_[i].id)])];
      facts.has_gradient = true;
      facts.gradient = draw::facts_of(total.values<double>(), tape_.shape(wrt_[i].id));
      const double square = dot(total, total);
      for (const EdgeContribution& e : g->edges(wrt_[i]))
        result.shares.push_back({wrt_[i].id, e.user, dot(values[edge++], total) / square});
    }
    return result;
  }

  const Graph& graph_;
  Var loss_;
  Tape& tape_;
  std::vector<NodeId> nodes_;
  Vars wrt_;
};

/// For every node the drawn one that it leads to: itself, or what all its ways meet first; -1:
/// none, -2: several. Nodes up to `forward` count: not those of the gradient.
std::vector<std::int32_t> leads_to(const Picture& picture, const Tape& tape, NodeId forward) {
  std::vector<std::int32_t> to(at(tape.size()), -1);
  std::vector<char> drawn(to.size(), 0);
  for (std::size_t n = 0; n < picture.nodes.size(); ++n) {
    const NodeId id = picture.nodes[n].source;
    if (id < 0 || (drawn[at(id)] && picture.nodes[n].kind == NodeKind::constant)) continue;
    drawn[at(id)] = 1;
    to[at(id)] = static_cast<std::int32_t>(n);
  }
  for (NodeId id = forward; id >= 0; --id)
    for (const NodeId in : tape.inputs(id)) {
      if (drawn[at(in)]) continue;
      std::int32_t& known = to[at(in)];
      const std::int32_t one = to[at(id)];
      if (one != -1) known = known == -1 || known == one ? one : -2;
    }
  return to;
}

}  // namespace

ValuedGraph::ValuedGraph(const Definition& d, const Tensors& inputs, const Tensors& weights,
                         const ValueOptions& options) {
  const analysis::FlowData data = data_of(d, inputs, weights, options);
  require_item(options.item, data.batch.items);
  inputs_ = analysis::item_repeated(data, options.item, 1);
  weights_ = data.weights;
  unfolded_ = unfolded_for(data, options.item);
  graph_ = unfolded_.graph();
  loss_ = unfolded_.loss();
  const Tape& tape = graph_.tape();
  for (const std::string& name : tape.length_names) lengths_.push_back(unfolded_.length(name));
  forward_end_ = tape.size();
  if (data.cotangents.empty()) return;
  for (NodeId id = 0; id < tape.size(); ++id) {
    const std::string_view name = tape.name(id);
    if (tape.is_value(id) && name != "loss" && !name.starts_with("cotangent:"))
      outputs_.push_back(id);
  }
}

ValuedGraph::ValuedGraph(const Graph& graph, const Tensors& inputs, const Tensors& weights,
                         const ValueOptions& options, std::string_view loss) {
  if (options.steps >= 0 || !options.lengths.empty())
    fail(Status::usage, "U007", "steps are of a definition: a graph is unfolded already");
  if (static_cast<double>(graph.size()) > kMostNodes)
    fail(Status::resource, "R002", "values are drawn of graphs of up to {:.0f} nodes", kMostNodes);
  const runtime::LeafNames known = runtime::leaf_names(graph.tape());
  for (const auto& [name, tensor] : inputs) known.check_input(name);
  const analysis::GraphPoint point =
      analysis::point_of(graph, inputs, weights, {.seed = options.seed});
  require_item(options.item, point.items);
  graph_ = clone(graph).graph();
  inputs_ = analysis::item_repeated(graph_.tape(), point.inputs, options.item, 1);
  weights_ = point.weights;
  forward_end_ = graph_.size();
  loss_ = find_loss(graph_, loss);
  if (!loss_) loss_ = default_loss(graph_);
}

GraphValues ValuedGraph::values_of(const std::vector<const Picture*>& pictures) {
  return Asking(graph_, loss_, forward_end_, drawn_nodes(pictures))
      .run(inputs_, weights_, lengths_);
}

std::vector<double> shares_of(const Picture& picture, const Tape& tape, const GraphValues& values) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> shares(picture.edges.size(), kNone);
  const auto key = [](int from, int to) {
    return static_cast<std::uint64_t>(from) << 32 | static_cast<std::uint32_t>(to);
  };
  std::unordered_map<std::uint64_t, std::size_t> edges;
  for (std::size_t e = 0; e < picture.edges.size(); ++e)
    edges.try_emplace(key(picture.edges[e].from, picture.edges[e].to), e);
  NodeId forward = -1;
  for (const EdgeShare& s : values.shares) forward = std::max(forward, s.user);
  const std::vector<std::int32_t> to = leads_to(picture, tape, forward);
  for (const EdgeShare& s : values.shares) {
    const std::int32_t from = to[at(s.from)], user = to[at(s.user)];
    if (from < 0 || user < 0 || picture.nodes[at(from)].source != s.from) continue;
    const auto edge = edges.find(key(from, user));
    if (edge == edges.end()) continue;
    double& share = shares[edge->second];
    share = std::isnan(share) ? s.share : share + s.share;
  }
  return shares;
}

}  // namespace taugrad
