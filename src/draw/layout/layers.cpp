#include <algorithm>
#include <vector>

#include "base/index.h"
#include "draw/layout/plan.h"

namespace taugrad::draw {
namespace {

using Neighbours = std::vector<std::vector<int>>;  // by node: numbers of edges

struct Adjacency {
  Neighbours out, in;
  explicit Adjacency(const Plan& plan) : out(plan.nodes.size()), in(plan.nodes.size()) {
    for (std::size_t e = 0; e < plan.edges.size(); ++e) {
      const PlanEdge& edge = plan.edges[e];
      if (edge.loop) continue;
      out[at(edge.upper)].push_back(static_cast<int>(e));
      in[at(edge.lower)].push_back(static_cast<int>(e));
    }
  }
};

// Depth-first search with a stack of our own: nodes in topological order; edges that close a cycle
// become loops.
std::vector<int> topological_order(Plan& plan) {
  enum : char { unseen, open, done };
  const Adjacency adjacent(plan);
  std::vector<char> state(plan.nodes.size(), unseen);
  std::vector<std::size_t> next(plan.nodes.size(), 0);
  std::vector<int> finished, stack;
  for (std::size_t root = 0; root < plan.nodes.size(); ++root) {
    if (state[root] != unseen) continue;
    stack.push_back(static_cast<int>(root));
    state[root] = open;
    while (!stack.empty()) {
      const int n = stack.back();
      if (next[at(n)] == adjacent.out[at(n)].size()) {
        state[at(n)] = done;
        finished.push_back(n);
        stack.pop_back();
        continue;
      }
      PlanEdge& edge = plan.edges[at(adjacent.out[at(n)][next[at(n)]++])];
      if (state[at(edge.lower)] == open) edge.loop = true;
      if (state[at(edge.lower)] == unseen) {
        state[at(edge.lower)] = open;
        stack.push_back(edge.lower);
      }
    }
  }
  std::reverse(finished.begin(), finished.end());
  return finished;
}

bool is_port_edge(const Plan& plan, const PlanEdge& e) {
  return !plan.nodes[at(e.upper)].is_real() || !plan.nodes[at(e.lower)].is_real();
}

// layer = longest path from a source
void sink_by_longest_path(Plan& plan, const std::vector<int>& order, const Adjacency& adjacent) {
  for (const int n : order) {
    if (!plan.nodes[at(n)].is_real()) continue;
    plan.nodes[at(n)].layer = std::max(plan.nodes[at(n)].layer, 1);
    for (const int e : adjacent.out[at(n)]) {
      PlanNode& lower = plan.nodes[at(plan.edges[at(e)].lower)];
      if (lower.is_real()) lower.layer = std::max(lower.layer, plan.nodes[at(n)].layer + 1);
    }
  }
}

// A node with room below moves down to its first user, where that makes edges no longer (or always,
// for `all`).
void move_down(Plan& plan, const std::vector<int>& order, const Adjacency& adjacent, bool all) {
  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    PlanNode& node = plan.nodes[at(*it)];
    if (!node.is_real()) continue;
    int room = plan.layers + 1;
    std::size_t uses = 0, inputs = 0;
    for (const int e : adjacent.out[at(*it)]) {
      if (is_port_edge(plan, plan.edges[at(e)])) continue;
      room = std::min(room, plan.nodes[at(plan.edges[at(e)].lower)].layer);
      ++uses;
    }
    for (const int e : adjacent.in[at(*it)])
      inputs += is_port_edge(plan, plan.edges[at(e)]) ? 0 : 1;
    if ((uses > 0 && inputs <= uses) || all) node.layer = std::max(node.layer, room - 1);
  }
}

}  // namespace

void assign_layers(Plan& plan, bool fixed, bool rise) {
  if (fixed) {
    for (PlanEdge& e : plan.edges) {
      if (!is_port_edge(plan, e))
        e.loop = plan.nodes[at(e.upper)].layer >= plan.nodes[at(e.lower)].layer;
    }
  } else {
    const std::vector<int> order = topological_order(plan);
    const Adjacency adjacent(plan);
    sink_by_longest_path(plan, order, adjacent);
    for (const PlanNode& n : plan.nodes) plan.layers = std::max(plan.layers, n.layer);
    move_down(plan, order, adjacent, rise);
  }
  for (const PlanNode& n : plan.nodes) plan.layers = std::max(plan.layers, n.layer);
  for (PlanNode& n : plan.nodes) {
    if (n.kind == PlanNode::Kind::top_port) n.layer = 0;
    if (n.kind == PlanNode::Kind::bottom_port) n.layer = plan.layers + 1;
  }
}

}  // namespace taugrad::draw
