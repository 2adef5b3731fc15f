// What folding a definition and folding a graph have in common.
#include "fold/folding.h"

#include <algorithm>
#include <utility>

#include "base/index.h"
#include "taugrad/graph/op.h"
#include "taugrad/ops/records.h"

namespace taugrad {

bool FoldedEdge::delayed() const {
  return data || std::any_of(delay.begin(), delay.end(), [](int d) { return d != 0; });
}

namespace folding {
namespace {

bool is_leaf(const FoldedNode& n) {
  return n.kind == FoldedKind::input || n.kind == FoldedKind::weight ||
         n.kind == FoldedKind::constant || n.kind == FoldedKind::random;
}

// Which nodes go: leaves that nothing reads, and what only initial values need. From users to
// inputs, by a work list.
std::vector<char> dropped(const Sketch& s) {
  const std::size_t count = s.graph.nodes.size();
  std::vector<std::vector<std::size_t>> inputs(count);
  std::vector<int> users(count, 0);
  std::vector<char> drop(count, 0), serves_boundary(count, 0);
  for (std::size_t e = 0; e < s.graph.edges.size(); ++e) {
    const FoldedEdge& edge = s.graph.edges[e];
    if (s.initial[e]) {
      serves_boundary[at(edge.from)] = 1;
    } else {
      inputs[at(edge.to)].push_back(e);
      ++users[at(edge.from)];
    }
  }
  std::vector<int> work;
  const auto consider = [&](int n) {
    if (drop[at(n)] || users[at(n)] > 0) return;
    if (!serves_boundary[at(n)] && !is_leaf(s.graph.nodes[at(n)])) return;
    drop[at(n)] = 1;
    work.push_back(n);
  };
  for (std::size_t n = 0; n < count; ++n) consider(static_cast<int>(n));
  while (!work.empty()) {
    const int n = work.back();
    work.pop_back();
    for (const std::size_t e : inputs[at(n)]) {
      const int from = s.graph.edges[e].from;
      serves_boundary[at(from)] = 1;
      --users[at(from)];
      consider(from);
    }
  }
  return drop;
}

}  // namespace

int Sketch::add(FoldedNode node) {
  graph.nodes.push_back(std::move(node));
  return static_cast<int>(graph.nodes.size()) - 1;
}

void Sketch::connect(FoldedEdge edge, bool is_initial) {
  graph.edges.push_back(std::move(edge));
  initial.push_back(is_initial ? 1 : 0);
}

FoldedGraph without_boundaries(Sketch sketch) {
  const std::vector<char> drop = dropped(sketch);
  FoldedGraph& from = sketch.graph;
  FoldedGraph out{.name = std::move(from.name), .nodes = {}, .edges = {}, .initial = {}};
  out.initial = std::move(from.initial);
  std::vector<int> number(from.nodes.size(), -1);
  for (std::size_t n = 0; n < from.nodes.size(); ++n) {
    if (drop[n]) continue;
    number[n] = static_cast<int>(out.nodes.size());
    out.nodes.push_back(std::move(from.nodes[n]));
  }
  for (std::size_t e = 0; e < from.edges.size(); ++e) {
    FoldedEdge& edge = from.edges[e];
    if (sketch.initial[e] || number[at(edge.from)] < 0 || number[at(edge.to)] < 0) continue;
    edge.from = number[at(edge.from)];
    edge.to = number[at(edge.to)];
    out.edges.push_back(std::move(edge));
  }
  return out;
}

int first_term(const Op& op) { return &op == &kAddN ? 0 : &op == &kMeanN ? 1 : -1; }

Attrs essential(const Attrs& attrs) {
  Attrs kept;
  for (const auto& [name, value] : attrs)
    if (name != "extent" && name != "init") kept.set(name, value);
  return kept;
}

FoldedNode node_of(const Tape& tape, NodeId id) {
  const Op& op = tape.op(id);
  const std::string name(tape.name(id));
  const bool value = tape.is_value(id);
  FoldedKind kind = value ? FoldedKind::variable : FoldedKind::operation;
  if (&op == &kWeight)
    kind = FoldedKind::weight;
  else if (value && (name == "loss" || name.starts_with("nll:")))
    kind = FoldedKind::loss;
  else if (value && tape.find_value("nll:" + name, tape.index(id)) >= 0)
    kind = FoldedKind::random;
  else if (&op == &kInput)
    kind = FoldedKind::input;
  else if (op.traits.leaf)
    kind = FoldedKind::constant;
  return {.kind = kind,
          .op = std::string(op.name),
          .attrs = essential(tape.attrs(id)),
          .shape = tape.shape(id),
          .name = name,
          .over = {}};
}

}  // namespace folding
}  // namespace taugrad
