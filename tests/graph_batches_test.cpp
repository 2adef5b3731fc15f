// The batch of a graph that was unfolded: lengths that it has steps for, data that its likelihoods
// take.
#include <taugrad/taugrad.h>

#include "language_support.h"
#include "support_errors.h"
#include "taugrad/io/graph_json.h"
#include "taugrad/reference/interpreter.h"
#include "taugrad/rewrite/surgery.h"
#include "taugrad/runtime/executor.h"

using namespace taugrad;
using namespace taugrad::test;
using support::code_of;

namespace {

RunOptions fetching(std::vector<std::string> names) {
  RunOptions options;
  options.fetch = std::move(names);
  options.dtype = Dtype::f64;
  return options;
}
Definition counting() {
  return define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": []},
    "equations": ["h[t] = h[t-1] + x[t]", "m = mean[t](h[t]) + tau"], "loss": "m")j");
}
Tensors data(std::int64_t steps, std::vector<std::int64_t> lengths = {}) {
  const std::int64_t batch = lengths.empty() ? 1 : std::ssize(lengths);
  Tensor x({steps, batch}, Dtype::f64);
  for (std::int64_t i = 0; i < x.size(); ++i) x.set(i, static_cast<double>(i + 1));
  Tensors inputs{{"x", x}};
  if (!lengths.empty()) inputs["lengths"] = symbols({batch}, std::move(lengths));
  return inputs;
}
Graph again(const Graph& g) { return graph_from_json(to_json(g), "graph.json"); }
Unfolded to_five(bool ragged) { return unfold(counting(), {.steps = 5, .ragged = ragged}); }

}  // namespace

TEST_CASE("items longer than a graph are refused, whoever reads the batch", "[batch]") {
  for (const bool ragged : {false, true})
    for (const bool reread : {false, true}) {
      CAPTURE(ragged, reread);
      const Unfolded u = to_five(ragged);
      const Graph g = reread ? again(u.graph()) : u.graph();
      const Var m = g.at("m");
      const auto by_run = [&](const Tensors& inputs) {
        return code_of([&] { run(g, inputs, {}, fetching({"m"})); });
      };
      const auto by_program = [&](const Tensors& inputs) {
        return code_of([&] { Program(g, {m}, {.dtype = f64})(inputs, {}); });
      };
      CHECK(by_run(data(7)) == "D014");
      CHECK(by_run(data(7, {7})) == "D014");
      CHECK(by_run(data(5, {6})) == "D014");
      CHECK(by_run(data(7, {5, 5})) == "");
      CHECK(by_run(data(5)) == "");
      CHECK(by_program(data(7)) == "D014");
      CHECK(by_program(data(9, {2, 8})) == "D014");
      CHECK(by_program(data(5, {5})) == "");
      CHECK(by_run(data(5, {5, 3})) == (ragged ? "" : "D014"));
      CHECK(by_program(data(5, {5, 3})) == (ragged ? "" : "D014"));
      CHECK(code_of([&] { Program(g, {m}, {.lengths = {7}}); }) == "U022");
      CHECK(code_of([&] { Program(g, {m}, {.lengths = {5}})(data(5), {}); }) == "");
      const std::vector<NodeId> ids{m.id};
      Executor<double> executor(g.tape(), ids);
      Interpreter<double> interpreter(g.tape(), ids);
      CHECK(code_of([&] { executor.set_batch({.lengths = {{7}}}, 1); }) == "U022");
      CHECK(code_of([&] { interpreter.set_batch({.lengths = {{7}}}, 1); }) == "U022");
      CHECK(code_of([&] { executor.set_batch({.lengths = {{5}}}, 1); }) == "");
      CHECK(code_of([&] { check(g, m, data(7)); }) == "D014");
    }
}

TEST_CASE("padding past the last step of a graph is not read", "[batch]") {
  const Unfolded u = to_five(true);
  const RunOptions options = fetching({"m", "grad:x"});
  const RunResult whole = run(counting(), data(7, {5, 2}), {}, options);
  const RunResult got = run(again(u.graph()), data(7, {5, 2}), {}, options);
  check_same(got.values.at("m"), whole.values.at("m"));
}

TEST_CASE("parts of a graph, and graphs put together, keep what they have steps for", "[batch]") {
  const Unfolded five = to_five(true), three = unfold(counting(), {.steps = 3, .ragged = true});
  const GraphCopy part = subgraph({five.at("h", 2)});
  CHECK(part.graph().tape().longest == std::vector<std::int64_t>{5});
  const GraphCopy both = append(five.graph(), three.graph(), {}, "b.");
  CHECK(both.graph().tape().longest == std::vector<std::int64_t>{3});
  Graph by_hand;
  by_hand.input("other", {2});
  CHECK(append(by_hand, five.graph()).graph().tape().longest == std::vector<std::int64_t>{5});
  CHECK(clone(five.graph()).graph().tape().longest == std::vector<std::int64_t>{5});
}

TEST_CASE("what no equation reads is drawn for a graph as for its definition", "[batch]") {
  for (const char* equation : {"h[t] = h[t-1] + x[t-1]", "h[t] = h[t-1] + x[t]"}) {
    CAPTURE(equation);
    const Definition d =
        define(std::string(
                   R"j("index": {"t": "tau"}, "inputs": {"x[t]": []}, "loss": "mean[t](h[t]) + tau",
      "equations": [")j") +
               equation + "\"]");
    const Unfolded u = unfold(d, {.steps = 4, .ragged = true});
    RunOptions of_graph = fetching({"loss"});
    of_graph.batch = 2;
    of_graph.seed = 3;
    RunOptions options = of_graph;
    options.steps = 4;
    check_same(run(again(u.graph()), {}, {}, of_graph).values.at("loss"),
               run(d, {}, {}, options).values.at("loss"));
  }
}

TEST_CASE("the target of a bernoulli lies between 0 and 1, in a graph as in a definition",
          "[batch]") {
  for (const char* of : {"logits = x[t]", "p = 0.5 + 0.1 * x[t]"}) {
    const Definition d = define(std::string(R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2]},
      "equations": ["y[t] ~ bernoulli()j") +
                                of + ")\"]");
    const Unfolded u = unfold(d, {.steps = 2, .ragged = true});
    const Graph g = again(u.graph());
    const auto with =
        [&](double bad) {  // item 1 ends after step 1; item 0 has the number at step 2
          return Tensors{{"x", numbers({2, 2, 2}, {1, -1, 2, 1, 0, 1, 9, 9})},
                         {"y", numbers({2, 2, 2}, {0, 1, 1, 0.3, 1, bad, 7, -7})},
                         {"lengths", symbols({2}, {2, 1})}};
        };
    const RunOptions options = fetching({"loss"});
    for (const double bad : {1.5, -0.1, std::nan(""), double{INFINITY}}) {
      CAPTURE(of, bad);
      CHECK(code_of([&] { run(d, with(bad), {}, options); }) == "D013");
      CHECK(code_of([&] { run(g, with(bad), {}, options); }) == "D013");
      CHECK(code_of([&] { Program(g, {g.at("loss")})(with(bad), {}); }) == "D013");
      CHECK(code_of([&] { check(g, g.at("loss"), with(bad)); }) == "D013");
    }
    for (const double good : {0.0, 1.0, 0.25})
      check_same(run(g, with(good), {}, options).values.at("loss"),
                 run(d, with(good), {}, options).values.at("loss"));
    CHECK(check(g, g.at("loss")).ok());
  }
}
