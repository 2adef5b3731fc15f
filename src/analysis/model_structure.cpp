// What a graphical model says: its form without states, its structure, table sizes, independence.
#include <algorithm>
#include <limits>

#include "base/fail.h"
#include "base/in_range.h"
#include "base/index.h"
#include "json/json_writer.h"
#include "taugrad/analysis/graphical_model.h"

namespace taugrad {
namespace {

/// Nodes that reach a random variable through states alone.
std::vector<int> parents_beyond_states(const GraphicalModel& m, int node, std::vector<int>& seen) {
  std::vector<int> found, stack = m.nodes[at(node)].parents;
  for (const int p : stack) seen[at(p)] = node;
  while (!stack.empty()) {
    const int n = stack.back();
    stack.pop_back();
    if (m.nodes[at(n)].role != ModelRole::state) {
      found.push_back(n);
      continue;
    }
    for (const int p : m.nodes[at(n)].parents)
      if (seen[at(p)] != node) {
        seen[at(p)] = node;
        stack.push_back(p);
      }
  }
  return found;
}

/// How far back the random parents of a node lie along the only index; 0: nowhere; -1: elsewhere.
std::int32_t reach_of(const GraphicalModel& m, const ModelNode& n) {
  std::int32_t reach = 0;
  for (const int p : n.parents) {
    const ModelNode& parent = m.nodes[at(p)];
    if (parent.role != ModelRole::random) continue;
    if (n.position.size() != 1 || parent.position.size() != 1 ||
        parent.position[0] >= n.position[0])
      return -1;
    reach = std::max(reach, n.position[0] - parent.position[0]);
  }
  return reach;
}

/// Whether every node has all random variables of the `order` positions before it as parents.
bool is_markov(const GraphicalModel& m, const std::vector<int>& random, std::int32_t order) {
  for (const int n : random) {
    const ModelNode& node = m.nodes[at(n)];
    std::size_t want = 0, have = 0;
    for (const int other : random) {
      const std::int32_t back = node.position[0] - m.nodes[at(other)].position[0];
      want += back >= 1 && back <= order;
    }
    for (const int p : node.parents) have += m.nodes[at(p)].role == ModelRole::random;
    if (want != have) return false;
  }
  return true;
}

}  // namespace

GraphicalModel marginalised(const GraphicalModel& with_states) {
  GraphicalModel m = with_states;
  m.with_states = false;
  m.nodes.clear();
  std::vector<int> number(with_states.nodes.size(), -1), seen(with_states.nodes.size(), -1);
  for (std::size_t n = 0; n < number.size(); ++n) {
    if (with_states.nodes[n].role == ModelRole::state) continue;
    number[n] = static_cast<int>(m.nodes.size());
    m.nodes.push_back(with_states.nodes[n]);
    if (with_states.nodes[n].role == ModelRole::random)
      m.nodes.back().parents = parents_beyond_states(with_states, static_cast<int>(n), seen);
  }
  for (ModelNode& n : m.nodes) {
    for (int& p : n.parents) p = number[at(p)];
    std::sort(n.parents.begin(), n.parents.end());
  }
  return m;
}

ModelStructure structure_of(const GraphicalModel& model) {
  if (model.with_states) return structure_of(marginalised(model));
  using Kind = ModelStructure::Kind;
  const std::vector<int> random = model.of(ModelRole::random);
  const auto n = static_cast<std::int64_t>(random.size());
  const std::int64_t edges = model.edges(ModelRole::random, ModelRole::random);
  if (edges == 0) return {Kind::independent, 0};
  if (edges == n * (n - 1) / 2) return {Kind::complete, 0};
  std::int32_t order = 0;
  for (const int i : random) {
    const std::int32_t reach = reach_of(model, model.nodes[at(i)]);
    if (reach < 0) return {Kind::other, 0};
    order = std::max(order, reach);
  }
  const bool markov = std::all_of(random.begin(), random.end(),
                                  [&](int i) { return model.nodes[at(i)].position.size() == 1; }) &&
                      is_markov(model, random, order);
  return markov ? ModelStructure{Kind::markov, order} : ModelStructure{Kind::other, 0};
}

std::string to_text(const ModelStructure& s) {
  switch (s.kind) {
    case ModelStructure::Kind::independent:
      return "independent given the inputs: p is the product of p(y | x) (eq 31)";
    case ModelStructure::Kind::complete:
      return "complete: every pair of random variables is connected (eq 28)";
    case ModelStructure::Kind::markov:
      return s.order == 1
                 ? "Markov: each position depends on the one before it"
                 : fmt::format("Markov of order {}: each position depends on the {} before it",
                               s.order, s.order);
    case ModelStructure::Kind::other:
      break;
  }
  return "neither complete nor independent";
}

double table_entries(const GraphicalModel& model) {
  if (model.with_states) return table_entries(marginalised(model));
  double entries = 0;
  for (const ModelNode& n : model.nodes) {
    if (n.role != ModelRole::random) continue;
    if (n.symbols < 0) return std::numeric_limits<double>::infinity();
    double rows = 1;
    for (const int p : n.parents) {
      const std::int64_t k = model.nodes[at(p)].symbols;
      if (k < 0) return std::numeric_limits<double>::infinity();
      rows *= static_cast<double>(k);
    }
    entries += static_cast<double>(n.symbols - 1) * rows;
  }
  return entries;
}

// Bayes ball: from a, arriving at a node from a child (up) or from a parent (down).
bool separated(const GraphicalModel& model, std::span<const int> a, std::span<const int> b,
               std::span<const int> given) {
  if (model.with_states)
    fail(Status::usage, "U002", "independence is read off the form without states");
  const std::size_t size = model.nodes.size();
  for (const auto& numbers : {a, b, given})
    for (const int n : numbers) check_number("node", n, size);
  for (const ModelNode& n : model.nodes)
    for (const int p : n.parents) check_number("node", p, size);
  std::vector<std::vector<int>> children(size);
  std::vector<char> observed(size, 0), wanted(size, 0), above(size, 0);
  for (std::size_t n = 0; n < size; ++n) {
    for (const int p : model.nodes[n].parents) children[at(p)].push_back(static_cast<int>(n));
    observed[n] = model.nodes[n].role == ModelRole::given;
  }
  for (const int n : given) observed[at(n)] = 1;
  for (const int n : b) wanted[at(n)] = 1;
  std::vector<int> stack;  // above: an observed node or an ancestor of one: opens a collider
  for (std::size_t n = 0; n < size; ++n)
    if (observed[n]) stack.push_back(static_cast<int>(n));
  while (!stack.empty()) {
    const int n = stack.back();
    stack.pop_back();
    if (above[at(n)]) continue;
    above[at(n)] = 1;
    for (const int p : model.nodes[at(n)].parents) stack.push_back(p);
  }
  std::vector<std::pair<int, bool>> ball;  // node, whether it came from a child
  for (const int n : a) ball.emplace_back(n, true);
  std::vector<char> been(2 * size, 0);
  while (!ball.empty()) {
    const auto [n, up] = ball.back();
    ball.pop_back();
    if (been[2 * at(n) + (up ? 1 : 0)]) continue;
    been[2 * at(n) + (up ? 1 : 0)] = 1;
    if (!observed[at(n)] && wanted[at(n)]) return false;
    if (!observed[at(n)])
      for (const int c : children[at(n)]) ball.emplace_back(c, false);
    if (up ? !observed[at(n)] : above[at(n)] != 0)
      for (const int p : model.nodes[at(n)].parents) ball.emplace_back(p, true);
  }
  return true;
}

std::string to_json(const GraphicalModel& model) {
  constexpr const char* kRoles[] = {"random", "given", "state"};
  constexpr const char* kKinds[] = {"independent", "markov", "complete", "other"};
  json::Writer w;
  const ModelStructure s = structure_of(model);
  w.begin_object().field("format", "taugrad-model").field("version", 1).field("name", model.name);
  w.field("states", model.with_states).field("structure", kKinds[static_cast<int>(s.kind)]);
  if (s.kind == ModelStructure::Kind::markov) w.field("order", std::int64_t{s.order});
  w.field("parameters", model.parameters).field("table_entries", table_entries(model));
  w.field("edges", model.edges()).key("nodes").begin_array();
  for (std::size_t n = 0; n < model.nodes.size(); ++n) {
    const ModelNode& node = model.nodes[n];
    w.begin_object().field("id", n).field("name", node.name).key("position").begin_array();
    for (const std::int32_t i : node.position) w.value(std::int64_t{i});
    w.end_array().field("role", kRoles[static_cast<int>(node.role)]);
    if (!node.distribution.empty()) w.field("distribution", node.distribution);
    if (node.symbols >= 0) w.field("symbols", node.symbols);
    w.key("shape").begin_array();
    for (const std::int64_t i : node.shape.dims()) w.value(i);
    w.end_array().key("parents").begin_array();
    for (const int p : node.parents) w.value(p);
    w.end_array().end_object();
  }
  w.end_array().end_object();
  return w.text() + "\n";
}

}  // namespace taugrad
