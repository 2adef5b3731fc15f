#include "evaluate/graphs/graph_request.h"

#include <algorithm>
#include <set>

#include "base/fail.h"
#include "base/utf8.h"
#include "rewrite/own_gradients.h"
#include "taugrad/autodiff/loss.h"
#include "taugrad/ops/ops.h"
#include "taugrad/rewrite/surgery.h"

namespace taugrad {
namespace {

bool has_cotangents(const Tensors& inputs) {
  return std::ranges::any_of(inputs,
                             [](const auto& t) { return t.first.starts_with("cotangent:"); });
}

bool is_gradient_name(const std::string& text) { return text.starts_with("grad:"); }

}  // namespace

GraphRequest::GraphRequest(const Graph& graph, const Tensors& inputs, const RunOptions& options)
    : graph_(graph), forward_end_(graph.size() - 1), loss_name_(options.loss) {
  bool changes = has_cotangents(inputs) || !options.loss.empty();
  const std::vector<GraphFetch> fetches = read_fetches(options, changes);
  for (const GraphFetch& f : fetches) changes = changes || f.gradient || f.nodes.empty();
  if (changes) {
    graph_ = clone(graph).graph();
    losses_ = cotangent_terms(graph_, inputs);
    forward_end_ = graph_.size() - 1;
  }
  differentiate(fetches);
  for (const GraphFetch& f : fetches) add(f);
}

// a graph without one loss has gradients of its outputs: they are nobody else's
bool GraphRequest::holds_other_gradients() const {
  const Var loss = find_loss(graph_, loss_name_);
  if (!loss) return false;
  const GraphCopy copy = clone(graph_);
  return !holds_gradients_of(copy.graph(), copy[loss]);
}

/// @param other_loss  `loss` is not the graph's own
std::vector<GraphFetch> GraphRequest::read_fetches(const RunOptions& options, bool other_loss) {
  const NamedNodes nodes(tape());
  std::vector<std::string> texts = options.fetch;
  if (texts.empty()) {
    texts = everything(tape(), nodes);
    // grad:W is the gradient of the loss wherever it is asked for by name
    const bool others = std::ranges::any_of(texts, is_gradient_name) && holds_other_gradients();
    if (others && std::erase_if(texts, is_gradient_name) > 0)
      warnings_.emplace_back(
          "the graph's own gradients are not those of its loss, and left out: --fetch grad:W takes "
          "that of the loss, --fetch '#17' a node by its number");
  }
  std::vector<GraphFetch> fetches;
  for (const std::string& text : texts)
    fetches.push_back(text == "loss" && other_loss
                          ? GraphFetch{.text = text}
                          : parse_fetch(tape(), nodes, text, options.fetch.empty()));
  return fetches;
}

const Vars& GraphRequest::losses() {
  if (losses_.empty()) losses_ = {loss_of(graph_, loss_name_)};
  return losses_;
}

void GraphRequest::differentiate(const std::vector<GraphFetch>& fetches) {
  Vars wrt;
  std::set<NodeId> asked;
  for (const GraphFetch& f : fetches)
    for (const NodeId id : f.nodes)
      if (f.gradient && asked.insert(id).second) wrt.push_back(graph_.tape().var(id));
  if (wrt.empty()) return;
  losses();
  forward_end_ = graph_.size() - 1;
  gradients_ = gradient(losses(), {}, wrt);
  for (std::size_t i = 0; i < wrt.size(); ++i) gradient_of_[wrt[i].id] = i;
}

NodeId GraphRequest::sum_of_losses() {
  const Vars& terms = losses();
  for (const Var& v : terms)
    if (v.extent() != terms.front().extent())
      fail(Status::usage, "U020",
           "there is no one loss: cotangents stand beside values for each example and shared ones");
  return terms.size() == 1 ? terms.front().id : add_n(terms).id;
}

void GraphRequest::add(const GraphFetch& f) {
  GraphResult r{.text = f.text, .lengths = f.lengths, .first = outputs_.size()};
  if (f.nodes.empty()) outputs_.push_back(sum_of_losses());
  for (const NodeId id : f.nodes) {
    if (!f.gradient) {
      outputs_.push_back(id);
      continue;
    }
    r.per_example = r.per_example || tape().extent_id(id) != kShared;
    const std::size_t number = gradient_of_.at(id);
    if (f.edge.empty()) {
      outputs_.push_back(gradients_[number].id);
      continue;
    }
    r.adds = true;  // the share of the mentions in one equation (R8)
    for (const EdgeContribution& e : gradients_.edges(graph_.tape().var(id)))
      if (tape().name(e.user) == f.edge) outputs_.push_back(e.value.id);
  }
  r.count = outputs_.size() - r.first;
  if (r.count == 0)
    fail(Status::usage, "U020", "cannot fetch \"{}\": nothing named \"{}\" reads it there",
         printable(f.text), printable(f.edge));
  results_.push_back(std::move(r));
}

}  // namespace taugrad
