// A graph built by hand, step by step, is the graph that a definition unfolds to.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>

#include "io/diff.h"
#include "support_cli.h"
#include "support_unrolled.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/base/error.h"
#include "taugrad/graph/op.h"
#include "taugrad/io/graph_json.h"
#include "taugrad/ops/records.h"
#include "taugrad/unfold/unfold.h"

namespace {

using namespace support;
using Catch::Matchers::Contains;

Definition load(const std::string& name) {
  return load_definition(TAUGRAD_SOURCE_DIR "/graphs/" + name + ".json");
}

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.diagnostics().front().code + " " + e.diagnostics().front().message;
  }
  return "";
}

// what every node is, whom it belongs to and what its index counts, in any order
std::vector<std::string> described(const Graph& g) {
  std::vector<std::string> all;
  for (NodeId id = 0; id < g.size(); ++id) {
    const Node n = g.node(id);
    all.push_back(fmt::format("{} {}[{}] of {} {}", n.op.name, n.name, fmt::join(n.index, ","),
                              fmt::join(g.tape().letters(id), ","), n.is_value));
  }
  std::ranges::sort(all);
  return all;
}

void check_isomorphic(const Graph& by_hand, const Graph& unfolded) {
  CHECK(diff_graphs(by_hand, unfolded).same());
  CHECK(described(by_hand) == described(unfolded));
  const Folder f;
  save_graph(f / "hand.json", by_hand);
  save_graph(f / "unfolded.json", unfolded);
  const Outcome same = support::taugrad(f, "diff hand.json unfolded.json");
  CHECK(same.out.empty());
  CHECK(same.status == 0);
}

}  // namespace

TEST_CASE("networks unrolled by hand are those of their definitions", "[steps]") {
  check_isomorphic(unrolled_elman(4), unfold(load("elman"), {.steps = 4}).graph());
  check_isomorphic(unrolled_elman(1), unfold(load("elman"), {.steps = 1}).graph());
  check_isomorphic(unrolled_gru(4), unfold(load("gru"), {.steps = 4}).graph());
  check_isomorphic(unrolled_lstm(4), unfold(load("lstm"), {.steps = 4}).graph());
  check_isomorphic(unrolled_bidirectional(4), unfold(load("bidirectional"), {.steps = 4}).graph());
  check_isomorphic(
      UnrolledGrid(3, 4).graph(),
      unfold(load("grid_four_directions"), {.lengths = {{"rows", 3}, {"cols", 4}}}).graph());
}

TEST_CASE("numbers that are mentioned twice are one node or two", "[steps]") {
  Graph g;
  const Var W = g.weight("W", {2, 2});
  Var h = g.name(g.zeros({2}), "h", {0});
  for (int t = 1; t <= 3; ++t) {
    const auto step = g.step("t", t);
    const Var z = g.name(sigmoid(matmul(W, h)), "z"), x = g.input("x", {2});
    h = g.name((1 - z) * h + relu(1 - x) / 2, "h");
  }
  const Definition d = parse_definition(R"j({"name": "gated", "index": {"t": "tau"},
    "inputs": {"x[t]": [2]}, "weights": {"W": [2, 2]}, "equations": ["z[t] = sigmoid(W @ h[t-1])",
    "h[t] = (1 - z[t]) * h[t-1] + relu(1 - x[t]) / 2"]})j",
                                        "gated.json");
  CHECK(diff_graphs(g, unfold(d, {.steps = 3}).graph()).same());
}

TEST_CASE("their gradients are the same too, of every copy", "[steps]") {
  const Graph g = unrolled_elman(3);
  const Unfolded u = unfold(load("elman"), {.steps = 3});
  Vars of_g{g.at("W"), g.at("h", {0})}, of_u{u.weight("W"), u.at("h", 0)};
  for (int t = 1; t <= 3; ++t) {
    of_g.push_back(g.at("W", {t}));
    of_u.push_back(u.copy("W", t));
  }
  gradient(g.at("loss"), of_g);
  gradient(u.loss(), of_u);
  check_isomorphic(g, u.graph());
  CHECK(g.tape().letters(g.at("grad:W", {2}).id).front() == "t");
}

TEST_CASE("a step is a scope: inputs, names, copies, owners", "[steps]") {
  Graph g;
  Tape& tape = g.tape();
  const Var W = g.weight("W", {2, 2});
  Var h = g.name(g.zeros({2}), "h", {0});
  Var x, product, sum_of_both;
  {
    const auto step = g.step("t", 3);
    x = g.input("x", {2});
    product = matmul(W, h);
    CHECK(tape.label(product.id) == fmt::format("node {} (matmul)", product.id));
    CHECK(std::ranges::equal(tape.index(product.id), std::vector{3}));
    CHECK(std::ranges::equal(tape.letters(product.id), std::vector<std::string>{"t"}));
    sum_of_both = product + x;
    h = g.name(tanh(sum_of_both), "h");
    matmul(W, h);  // a second mention
    CHECK(copy(W) == g.at("W", {3}));
    g.name(sum(h), "total", {});
  }
  CHECK(tape.label(x.id) == "x[3]");
  CHECK(tape.label(h.id) == "h[3]");
  CHECK(tape.label(product.id) == "h[3] (matmul)");
  CHECK(tape.label(sum_of_both.id) == "h[3] (add)");
  CHECK_FALSE(tape.is_value(sum_of_both.id));
  CHECK(tape.index(g.at("total").id).empty());
  CHECK(tape.inputs(product.id)[0] == g.at("W", {3}).id);
  CHECK(std::ranges::equal(tape.letters(g.at("h", {0}).id), std::vector<std::string>{"t"}));
  CHECK(tape.letters(W.id).empty());
  // outside, nothing belongs to a step
  const Var outside = matmul(W, h);
  CHECK(tape.inputs(outside.id)[0] == W.id);
  CHECK(tape.index(outside.id).empty());
  {
    const auto again = g.step("t", 3);  // a second loop finds the copy of the first
    CHECK(tape.inputs(matmul(W, h).id)[0] == g.at("W", {3}).id);
  }
  std::int64_t copies = 0;
  for (NodeId id = 0; id < g.size(); ++id) copies += &tape.op(id) == &kCopy;
  CHECK(copies == 1);
}

TEST_CASE("scopes nest; copies of loops over different letters are apart", "[steps]") {
  Graph g;
  Tape& tape = g.tape();
  const Var W = g.weight("W", {2}), x = g.input("x", {2});
  Var in_s, in_t, in_grid, in_row;
  {
    const auto step = g.step("s", 1);
    in_s = W * x;
  }
  {
    const auto step = g.step("t", 1);
    in_t = W * x;
  }
  {
    const auto row = g.step("i", 1);
    {
      const auto column = g.step("j", 2);
      in_grid = g.name(W * x, "p");
    }
    in_row = W * x;
  }
  const auto copy_of = [&](Var v) { return tape.inputs(v.id)[0]; };
  CHECK(tape.label(copy_of(in_s)) == "W[s=1]");
  CHECK(tape.label(copy_of(in_t)) == "W[t=1]");
  CHECK(copy_of(in_s) != copy_of(in_t));
  CHECK(copy_of(in_t) != copy_of(in_row));
  CHECK(tape.letters(copy_of(in_t)).front() == "t");
  CHECK(tape.label(copy_of(in_grid)) == "W[i=1,j=2]");
  CHECK(tape.label(in_grid.id) == "p[1,2]");
  CHECK(std::ranges::equal(tape.letters(in_grid.id), std::vector<std::string>{"i", "j"}));
  // and stay apart in JSON
  const Graph read = graph_from_json(to_json(g), "again.json");
  CHECK(to_json(read) == to_json(g));
  CHECK(read.tape().letters(copy_of(in_t)).front() == "t");
  CHECK(read.tape().letters(in_row.id).front() == "i");
}

TEST_CASE("what has no name is read through copies as well", "[steps]") {
  Graph g;
  Tape& tape = g.tape();
  const Var w = g.weight("", {2});
  Var a, b, c;
  {
    const auto step = g.step("t", 1);
    a = tanh(w);
    b = w + w;
  }
  {
    const auto step = g.step("t", 2);
    c = tanh(w);
  }
  CHECK(tape.inputs(a.id)[0] == tape.inputs(b.id)[0]);
  CHECK(tape.inputs(a.id)[0] != tape.inputs(c.id)[0]);
  CHECK(tape.inputs(tape.inputs(a.id)[0])[0] == w.id);
}

TEST_CASE("numbers within steps are there once", "[steps]") {
  Graph g;
  const Var x = g.input("x", {2});
  Var a, b;
  {
    const auto step = g.step("t", 1);
    a = 1.0 - x;
  }
  {
    const auto step = g.step("t", 2);
    b = 1.0 - x;
  }
  const auto number_in = [&](Var v) { return g.tape().inputs(g.tape().inputs(v.id)[0])[0]; };
  CHECK(number_in(a) == number_in(b));
  CHECK(g.tape().index(number_in(a)).empty());
  CHECK(g.zeros({2}).id != g.zeros({2}).id);
}

TEST_CASE("a gradient taken within a step belongs to its primals", "[steps]") {
  Graph g;
  const Var w = g.weight("w", {2});
  Var h = g.name(g.zeros({2}), "h", {0});
  for (int t = 1; t <= 2; ++t) {
    const auto step = g.step("t", t);
    const Var loss = sum(tanh(w * h + g.input("x", {2})));
    h = g.name(h - gradient(loss, {h})[0], "h");
  }
  const NodeId before = g.size();
  gradient(sum(h), {w});
  CHECK(g.size() > before);
  std::int64_t copies = 0;
  for (NodeId id = 0; id < g.size(); ++id)
    copies += &g.tape().op(id) == &kCopy && g.tape().inputs(id)[0] == w.id;
  CHECK(copies == 2);
}

TEST_CASE("untied weights, aliases, and what steps refuse", "[steps]") {
  Graph g;
  const Var W = g.weight("W", {2});
  const auto step = g.step("t", 1);
  const Var own = g.weight("R", {2});  // a weight of its own for each step
  CHECK(g.tape().label(own.id) == "R[1]");
  const Var y = g.name(own * W, "y");
  CHECK(g.tape().inputs(y.id)[0] != own.id);
  const Var again = tanh(own);
  CHECK(g.tape().inputs(again.id)[0] == g.tape().inputs(y.id)[0]);
  const Var alias = g.name(y, "z");
  CHECK(alias.id != y.id);
  CHECK(g.at("z", {1}) == alias);
  CHECK(g.at("y", {1}) == y);
  const Var of_weight = g.name(W, "V");
  CHECK(g.tape().label(of_weight.id) == "V[1]");
  CHECK(g.tape().inputs(of_weight.id)[0] == g.at("W", {1}).id);
  CHECK_THAT(message_of([&] { g.name(tanh(y), "y"); }), Contains("G013") && Contains("y[1]"));
  CHECK_THAT(message_of([&] { (void)g.step("t", 2); }), Contains("G013") && Contains("open"));
  CHECK_THAT(message_of([&] { (void)g.step("", 2); }), Contains("G025"));
  CHECK_THAT(message_of([&] { (void)g.step("s", std::int64_t{1} << 40); }), Contains("G011"));
  CHECK(g.tape().step_depth() == 1);
  CHECK_THAT(message_of([&] { matmul(y, g.input("x", {3})); }), Contains("of step t = 1"));
  {
    Graph other;
    {
      const auto s = other.step("s", 1);
      other.name(other.zeros({1}), "h");
    }
    const auto t = other.step("t", 2);
    CHECK_THAT(message_of([&] { other.name(other.zeros({1}), "h"); }),
               Contains("\"h\" is indexed by s, here by t"));
  }
}

TEST_CASE("a graph that was unfolded goes on by hand", "[steps]") {
  const Unfolded u = unfold(load("elman"), {.steps = 2});
  Graph g = u.graph();
  const auto step = g.step("t", 2);
  const Var more = matmul(u.weight("W"), u.at("h", 2));
  CHECK(g.tape().inputs(more.id)[0] == u.copy("W", 2).id);
}

TEST_CASE("one step of a million nodes takes no more for each", "[steps]") {
  Graph g;
  const auto step = g.step("t", 1);
  const Var w = g.weight("w", {1});
  Var h = g.input("x", {1});
  for (int i = 0; i < 500'000; ++i) h = tanh(h + w);
  h = g.name(h, "h");
  CHECK(g.tape().label(h.id - 4) == "h[1] (tanh)");
  for (int i = 0; i < 1000; ++i) h = g.name(tanh(h), fmt::format("h{}", i));
}
