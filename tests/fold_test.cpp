// Row S08: a definition's circuit, and the step of an unfolded graph found again.
#include "taugrad/fold/fold.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>
#include <string>

#include "taugrad/base/error.h"
#include "taugrad/graph/op.h"
#include "taugrad/layers/layers.h"
#include "taugrad/ops/ops.h"
#include "taugrad/unfold/unfold.h"

using namespace taugrad;

namespace {

/// A net with these equations for h, and an output at each step.
Definition net(const std::vector<std::string>& equations) {
  Definition d("net");
  const auto t = d.index("t", "tau");
  const auto n = d.size("n", 2), m = d.size("m", 3), k = d.size("k", 4);
  d.input("x", {t}, {n});
  d.weight("U", {m, n});
  for (const char* square : {"W", "Z"}) d.weight(square, {m, m});
  for (const char* vector : {"b", "h0"}) d.weight(vector, {m});
  d.weight("V", {k, m});
  d.weight("c", {k});
  for (const std::string& e : equations) d.equation(e);
  d.equation("o[t] = c + V @ h[t]");
  d.equation("y[t] ~ categorical(logits = o[t])");
  return d;
}

Graph unfolded(const Definition& d, std::int64_t steps) {
  return unfold(d, {.steps = steps}).graph();
}

/// The same graph without names and positions, its nodes in the order of `place`.
Graph renumbered(const Graph& g, const std::vector<NodeId>& order) {
  Graph out;
  Tape& to = out.tape();
  const Tape& from = g.tape();
  to.length_names = from.length_names;
  std::map<NodeId, NodeId> place;
  for (const NodeId id : order) {
    std::vector<NodeId> inputs;
    for (const NodeId in : from.inputs(id)) inputs.push_back(place.at(in));
    place[id] = to.append_raw(from.op(id), inputs, to.intern_shape(from.shape(id)),
                              to.intern_attrs(from.attrs(id)), from.extent_id(id));
  }
  return out;
}

Graph nameless(const Graph& g) {
  std::vector<NodeId> order;
  for (NodeId id = 0; id < g.size(); ++id) order.push_back(id);
  return renumbered(g, order);
}

/// Nodes in a random order in which inputs still come before users.
Graph shuffled(const Graph& g, unsigned seed) {
  std::mt19937 random(seed);
  const Tape& tape = g.tape();
  std::vector<std::size_t> waiting;
  std::vector<std::vector<NodeId>> users(static_cast<std::size_t>(g.size()));
  std::vector<NodeId> ready, order;
  for (NodeId id = 0; id < g.size(); ++id) {
    waiting.push_back(tape.inputs(id).size());
    for (const NodeId in : tape.inputs(id)) users[static_cast<std::size_t>(in)].push_back(id);
    if (tape.inputs(id).empty()) ready.push_back(id);
  }
  while (!ready.empty()) {
    std::swap(ready[random() % ready.size()], ready.back());
    const NodeId id = ready.back();
    ready.pop_back();
    order.push_back(id);
    for (const NodeId user : users[static_cast<std::size_t>(id)])
      if (--waiting[static_cast<std::size_t>(user)] == 0) ready.push_back(user);
  }
  return renumbered(g, order);
}

// The delays of all delay edges, ascending.
std::vector<int> delays(const FoldedGraph& g) {
  std::vector<int> all;
  for (const FoldedEdge& e : g.edges)
    if (e.delayed()) all.push_back(e.delay[0]);
  std::sort(all.begin(), all.end());
  return all;
}

const FoldedNode& named(const FoldedGraph& g, const std::string& name) {
  return *std::find_if(g.nodes.begin(), g.nodes.end(), [&](const FoldedNode& n) {
    return n.name == name && n.kind != FoldedKind::operation;
  });
}

void check_folds(const Definition& d, std::initializer_list<std::int64_t> lengths) {
  const FoldedGraph circuit = folded(d);
  for (const std::int64_t steps : lengths) {
    CAPTURE(d.name, steps);
    const Graph g = unfolded(d, steps);
    const FoldedGraph found = fold(g), without_names = fold(nameless(g));
    CHECK(isomorphic(found, circuit));
    CHECK(isomorphic(without_names, circuit));
    CHECK(found.nodes.size() == circuit.nodes.size());  // whatever the length
  }
}

std::string code_of(const Graph& g) {
  try {
    fold(g);
  } catch (const Error& e) {
    return e.diagnostics().front().code;
  }
  return "";
}

}  // namespace

TEST_CASE("S08: the step of an unfolded graph is the circuit of its definition", "[fold][rows]") {
  for (const char* name : {"elman",
                           "output_recurrent",
                           "many_to_one",
                           "lstm",
                           "gru",
                           "bidirectional",
                           "stacked_bidirectional_lstm",
                           "output_recurrent_deterministic",
                           "sequence_model",
                           "vector_to_sequence_both",
                           "same_length_output_edges",
                           "tied_bidirectional",
                           "time_delay",
                           "mean_pooling",
                           "autoencoder",
                           "encoder_decoder",
                           "predicted_length",
                           "bernoulli_stop",
                           "untied",
                           "generated_weights",
                           "gaussian_output",
                           "two_level_import",
                           "char_lm"})
    check_folds(load_definition(name), {4, 5, 8, 13, 40});
  check_folds(load_definition("dynamical_system"), {4, 5, 8});  // s[1] = s0 is a boundary
  check_folds(load_definition("skip_connections"), {4, 5, 8, 13});
}

TEST_CASE("S08: the step of every recurrent cell's graph is its circuit", "[fold][rows]") {
  for (const RecurrentCell& cell : recurrent_cells()) {
    CAPTURE(cell.name);
    const Definition d = load_definition(cell.name);
    check_folds(d, {6, 7, 12});
    CHECK(delays(fold(unfolded(d, 12))) == delays(folded(d)));
  }
}

TEST_CASE("S08: one delay edge a recurrence", "[fold][rows]") {
  const std::map<std::string, std::vector<int>> expected = {
      {"elman", {1}},
      {"output_recurrent", {1}},
      {"many_to_one", {1}},
      {"bidirectional", {-1, 1}},
      {"lstm", {1, 1}},
      {"gru", {1, 1}},  // h[t-1] is read by the gates and by h itself
      {"skip_connections", {1, 3}},
      {"stacked_bidirectional_lstm", {-1, -1, -1, -1, 1, 1, 1, 1}}};
  for (const auto& [name, wanted] : expected) {
    CAPTURE(name);
    const Definition d = load_definition(name);
    CHECK(delays(folded(d)) == wanted);
    CHECK(delays(fold(unfolded(d, 9))) == wanted);
  }
}

TEST_CASE("fold sees a delay as soon as there is one step more than it is long", "[fold]") {
  const Definition d = net({"h[t] = tanh(b + W @ h[t-1] + Z @ h[t-5] + U @ x[t])"});
  check_folds(d, {6, 7, 8, 12, 30});
  CHECK(delays(fold(unfolded(d, 6))) == std::vector<int>{1, 5});
  CHECK_FALSE(isomorphic(fold(unfolded(d, 5)), folded(d)));  // h[t-5] is zero at every step
}

TEST_CASE("fold needs three steps, and steps that are alike", "[fold]") {
  const Definition d = load_definition("elman");
  CHECK(code_of(unfolded(d, 3)).empty());
  CHECK(code_of(unfolded(d, 2)) == "G026");
  CHECK(code_of(unfolded(load_definition("logistic_regression"), 5)) == "G026");
  CHECK(code_of(Graph()) == "G026");
  CHECK_THROWS_WITH(fold(unfolded(d, 2)),
                    Catch::Contains("at least 3 times") && Catch::Contains("unfold it to 3 steps"));
}

TEST_CASE("fold reads structure, not the order of nodes", "[fold]") {
  for (const char* name : {"elman", "lstm", "gru", "many_to_one", "vector_to_sequence_both"})
    for (unsigned seed = 1; seed <= 5; ++seed) {
      CAPTURE(name, seed);
      const Definition d = load_definition(name);
      CHECK(isomorphic(fold(shuffled(unfolded(d, 12), seed)), folded(d)));
    }
}

TEST_CASE("fold tells boundaries from steps", "[fold]") {
  const std::vector<std::vector<std::string>> nets = {
      {"h[0] = h0", "h[t] = tanh(b + W @ h[t-1] + U @ x[t])"},
      {"h[0] = tanh(b)", "h[t] = tanh(b + W @ h[t-1] + U @ x[t])"},  // looks like a step
      {"h[0] = tanh(h0 + Z @ h0)", "h[t] = tanh(b + W @ h[t-1] + U @ x[t])"},
      {"h[0] = h0", "h[-1] = 0.5 * h0", "h[t] = tanh(b + W @ h[t-1] + Z @ h[t-2] + U @ x[t])"},
      {"h[tau+1] = tanh(h0)", "h[t] = tanh(b + W @ h[t+1] + U @ x[t])"},
      {"h[t] = tanh(b + W @ h[t-1] + U @ x[t-1])"},  // x[tau] is never read
      {"h[t] = tanh(b + W @ h[t-1] + U @ x[t+2])"},
      {"h[t] = tanh(b + W @ h[t-1] + Z @ h[t-2] + U @ x[t] + Z @ (U @ x[last]))"},
      {"h[t] = tanh(b + W @ h[t-1] + U @ (x[t] + x[1]) + t * h0)"}};
  for (const std::vector<std::string>& equations : nets) {
    CAPTURE(equations);
    check_folds(net(equations), {6, 7, 11});
  }
}

TEST_CASE("reductions over the steps are one node", "[fold]") {
  for (const std::string reduction : {"sum", "mean", "max"}) {
    CAPTURE(reduction);
    Definition d = net({"h[t] = tanh(b + W @ h[t-1] + U @ x[t])"});
    d.equation("p = " + reduction + "[t](h[t])");
    d.equation("q = Z @ " + reduction + "[t](0.5 * h[t])");
    check_folds(d, {5, 8});
  }
}

TEST_CASE("a graph built by hand folds, without copies of its weights", "[fold]") {
  Graph g;
  const Var W = g.weight("W", {3, 3}), U = g.weight("U", {3, 2});
  Var h = g.constant(0, {3});
  for (int t = 0; t < 7; ++t) h = tanh(matmul(W, h) + matmul(U, g.input("", {2})));
  const FoldedGraph step = fold(g);
  CHECK(step.nodes.size() == 7);
  CHECK(delays(step) == std::vector<int>{1});
}

TEST_CASE("a folded graph carries names, kinds and initial values", "[fold]") {
  const Definition d = load_definition("vector_to_sequence_state");
  for (const FoldedGraph& g : {folded(d), fold(unfolded(d, 6))}) {
    CHECK(named(g, "h").kind == FoldedKind::variable);
    CHECK(named(g, "h").over == std::vector<std::string>{"t"});
    CHECK(named(g, "W").kind == FoldedKind::weight);
    CHECK(named(g, "W").over.empty());
    CHECK(named(g, "y").kind == FoldedKind::random);
    CHECK(named(g, "loss").kind == FoldedKind::loss);
    CHECK(std::none_of(g.nodes.begin(), g.nodes.end(),
                       [](const FoldedNode& n) { return n.name == "R"; }));  // serves h[0] alone
  }
  REQUIRE(folded(d).initial.size() == 1);
  CHECK(folded(d).initial[0].equation == "h[0] = R @ x");
}

TEST_CASE("a folded grid has a delay for each index", "[fold]") {
  const FoldedGraph g = folded(load_definition("grid_four_directions"));
  std::vector<std::vector<int>> found;
  for (const FoldedEdge& e : g.edges)
    if (e.delayed()) found.push_back(e.delay);
  std::sort(found.begin(), found.end());
  CHECK(found == std::vector<std::vector<int>>{
                     {-1, 0}, {-1, 0}, {0, -1}, {0, -1}, {0, 1}, {0, 1}, {1, 0}, {1, 0}});
}

TEST_CASE("isomorphic compares all but names and order", "[fold]") {
  const FoldedGraph g = folded(load_definition("bidirectional"));
  FoldedGraph other = g;
  std::reverse(other.nodes.begin(), other.nodes.end());
  for (FoldedEdge& e : other.edges) {
    e.from = static_cast<int>(g.nodes.size()) - 1 - e.from;
    e.to = static_cast<int>(g.nodes.size()) - 1 - e.to;
  }
  std::reverse(other.edges.begin(), other.edges.end());
  for (FoldedNode& n : other.nodes) n.name.clear();
  CHECK(isomorphic(g, other));

  const auto differs = [&](auto&& change) {
    FoldedGraph changed = other;
    change(changed);
    return !isomorphic(g, changed);
  };
  const auto delayed = [](FoldedGraph& x) -> FoldedEdge& {
    return *std::find_if(x.edges.begin(), x.edges.end(), [](const auto& e) { return e.delayed(); });
  };
  CHECK(differs([&](FoldedGraph& x) { delayed(x).delay[0] *= -1; }));
  CHECK(differs([&](FoldedGraph& x) { delayed(x).slot = 0; }));
  CHECK(differs([&](FoldedGraph& x) { x.edges.pop_back(); }));
  CHECK(differs([](FoldedGraph& x) { x.nodes.front().op = "sigmoid"; }));
  CHECK(differs([](FoldedGraph& x) { x.nodes.front().attrs.set("from", std::int64_t{1}); }));
  CHECK(differs([](FoldedGraph& x) { x.nodes.front().shape = Shape{9}; }));
  CHECK(differs([](FoldedGraph& x) { x.nodes.front().over.push_back("s"); }));
}

TEST_CASE("isomorphic pairs nodes that look alike", "[fold]") {
  // rings of one op: refinement alone tells neither 6 from 3 + 3, nor one node of a ring from
  // another
  const auto rings = [](std::initializer_list<int> sizes) {
    FoldedGraph g;
    for (const int size : sizes) {
      const int first = static_cast<int>(g.nodes.size());
      for (int i = 0; i < size; ++i) {
        FoldedNode n;
        n.op = "tanh";
        g.nodes.push_back(n);
        FoldedEdge e;
        e.from = first + i;
        e.to = first + (i + 1) % size;
        g.edges.push_back(e);
      }
    }
    return g;
  };
  CHECK(isomorphic(rings({6}), rings({6})));
  CHECK(isomorphic(rings({3, 3}), rings({3, 3})));
  CHECK_FALSE(isomorphic(rings({6}), rings({3, 3})));
  CHECK_FALSE(isomorphic(rings({4, 5}), rings({3, 6})));
  CHECK(isomorphic(rings({}), rings({})));
}

TEST_CASE("every layer of the library folds", "[fold]") {
  for (const Cell cell : {Cell::rnn, Cell::lstm, Cell::gru})
    for (const bool both : {false, true})
      for (const bool learned : {false, true}) {
        CAPTURE(static_cast<int>(cell), both, learned);
        check_folds(
            recurrent_layers(cell, {.layers = 2, .bidirectional = both, .learned_state = learned}),
            {5, 9});
      }
}
