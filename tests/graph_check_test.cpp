#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <map>

#include "support_cli.h"
#include "support_errors.h"
#include "support_gradients.h"
#include "taugrad/base/error.h"
#include "taugrad/evaluate/check.h"
#include "taugrad/evaluate/run.h"
#include "taugrad/io/graph_json.h"
#include "taugrad/ops/ops.h"
#include "taugrad/unfold/unfold.h"

// Graphs that no definition made are checked as definitions are; and a check can be seen to fail.
namespace {

using namespace taugrad;
using support::failure;
using support::Folder;
using support::has;

constexpr Method kMethods[]{Method::complex_step, Method::central};

struct Rnn {
  Graph g;
  Var W, loss;
};

// An RNN unrolled in a loop, with copies of its weights.
Rnn unrolled(std::int32_t steps) {
  Rnn r;
  Tape& tape = r.g.tape();
  r.W = r.g.weight("W", {3, 3});
  const Var U = r.g.weight("U", {3, 2});
  Var h = r.g.constant(0, {3});
  for (std::int32_t t = 1; t <= steps; ++t) {
    const Var x = input(tape, "x", {2}, {&t, 1});
    tape.set_owner(tape.intern_name("h"), tape.intern_index({&t, 1}));
    h = tanh(matmul(copy(r.W), h) + matmul(copy(U), x));
    tape.set_owner(0, 0);
    r.g.name(h, "h", {t});
  }
  r.loss = r.g.name(sum(h * h), "cost");
  return r;
}

using support::code_of;

std::vector<std::string> names_of(const CheckReport& r) {
  std::vector<std::string> names;
  for (const VariableCheck& v : r.variables) names.push_back(v.name);
  std::ranges::sort(names);  // the order of evaluation of operands is the compiler's
  return names;
}

}  // namespace

TEST_CASE("a graph built by hand is checked, by every method, in both orders", "[check]") {
  for (const Method method : kMethods)
    for (const int order : {1, 2}) {
      const Rnn r = unrolled(3);
      const CheckReport report = check(r.g, r.loss, {}, {.method = method, .order = order});
      CHECK(failure(report) == "");
      CHECK_FALSE(report.vacuous());
      CHECK(report.checked == report.entries);
      CHECK(report.entries == 9 + 6 + 3 * 2 * 2 + 3 * (9 + 6));
      CHECK(names_of(report) == std::vector<std::string>{"U", "U[1]", "U[2]", "U[3]", "W", "W[1]",
                                                         "W[2]", "W[3]", "x[1]", "x[2]", "x[3]"});
    }
}

TEST_CASE("variables, tensors and the batch of a graph's check", "[check]") {
  const Rnn r = unrolled(2);
  const CheckReport some = check(r.g, r.loss, {}, {.variables = {"h", "W[2]", "h[1]"}, .batch = 5});
  CHECK(names_of(some) == std::vector<std::string>{"W[2]", "h[1]", "h[2]"});
  CHECK(some.entries == 2 * 15 + 9);
  Tensors tensors{{"x", Tensor::of({2, 1, 2}, std::vector<double>{0, 0, 0, 0})}};
  const CheckReport zero = check(r.g, r.loss, tensors, {.variables = {"x", "W"}});
  CHECK(names_of(zero) == std::vector<std::string>{"W", "W[1]", "W[2]", "x[1]", "x[2]"});
  CHECK(zero.entries == 2 * 2 + 3 * 9);  // one item
  CHECK(zero.vacuous());                 // h stays 0
  CHECK(code_of([&] { check(r.g, r.loss, tensors, {.variables = {"V"}}); }) == "G014");
  CHECK(code_of([&] { check(r.g, r.loss, {{"y", Tensor({1}, Dtype::f64)}}); }) == "D016");
  CHECK(code_of([&] { check(r.g, r.loss, {{"x", Tensor({2, 1, 3}, Dtype::f64)}}); }) == "D011");
  CHECK(code_of([&] { check(r.g, Var{}); }) == "U021");
  CHECK(code_of([&] { check(r.g, r.g.at("h", {1})); }) == "G023");
  CHECK(code_of([&] { check(r.g, unrolled(1).loss); }) == "U021");
}

TEST_CASE("a graph without any name is checked, and one with categories and lengths", "[check]") {
  Graph g;
  Tape& tape = g.tape();
  const Var a = tape.leaf(*find_op("weight"), {2}, kShared);
  const Var b = tape.leaf(*find_op("input"), {2}, kEveryItem);
  const Var y = g.category("y", 2);
  nll_categorical(a * b, y);
  const CheckReport r = check(g, default_loss(g));
  CHECK(failure(r) == "");
  CHECK(r.entries == 2 + 4);
  // the items have lengths of their own
  Graph ragged;
  ragged.tape().length_names = {"tau"};
  const Var w = ragged.weight("w", {});
  Var h = to_items(ragged.constant(1), kEveryItem);
  Vars states{h};
  for (std::int32_t t = 1; t <= 3; ++t) {
    const ExtentId running = ragged.tape().intern_extent({{{0, t}}});
    h = w * restrict_to(h, running) + input(ragged.tape(), "x", {}, {&t, 1}, running);
    states.push_back(h);
  }
  const Var loss = at_length(states, 0, 0, kEveryItem);
  const Tensors lengths{{"lengths", Tensor::of({4}, std::vector<std::int64_t>{3, 0, 1, 2})}};
  const CheckReport of_lengths = check(ragged, loss, lengths, {.order = 2});
  CHECK(failure(of_lengths) == "");
  CHECK(of_lengths.entries == 1 + 3 + 2 + 1);
}

TEST_CASE("without a loss: the one number that comes out, else all outputs along directions",
          "[check]") {
  const Rnn r = unrolled(2);
  CHECK(default_loss(r.g) == r.loss);
  Graph g;
  const Var w = g.weight("w", {3});
  tanh(w);
  exp(w);
  const NodeId before = g.size();
  const CheckReport report = check(g, default_loss(g));
  CHECK(g.size() > before);
  CHECK(failure(report) == "");
  CHECK(report.variables[0].largest > 0);
  Graph empty;
  empty.constant(1);
  CHECK(code_of([&] { default_loss(empty); }) == "G023");
}

TEST_CASE("the graph of a definition, read from JSON, gives the numbers of the definition",
          "[check]") {
  for (const char* name : {"elman", "bidirectional"}) {
    const Definition d = load_definition(name);
    const CheckReport of_definition = check(d, {.steps = 3});
    const Unfolded u = unfold(d, {.steps = 3});
    u.loss();
    const Graph g = graph_from_json(to_json(u.graph()), "memory");
    const CheckReport of_graph = check(g, loss_of(g));
    CHECK(of_graph.ok());
    REQUIRE(of_graph.variables.size() == of_definition.variables.size());
    std::map<std::string, double> largest;
    for (const VariableCheck& v : of_definition.variables) largest[v.name] = v.largest;
    for (const VariableCheck& v : of_graph.variables) CHECK(v.largest == Approx(largest[v.name]));
  }
}

TEST_CASE("a spoiled vjp is found, by op, entry and step", "[check]") {
  for (const Method method : kMethods)
    for (const int order : {1, 2})
      for (const char* name : {"tanh", "h[2]", "matmul", "W[3]", "h"}) {
        INFO(name << ", method " << static_cast<int>(method) << ", order " << order);
        const Rnn r = unrolled(3);
        const CheckReport report = check(
            r.g, r.loss, {}, {.method = method, .order = order, .control = {.perturb = name}});
        CHECK_FALSE(report.ok());
        REQUIRE(report.perturbed);
        REQUIRE(report.faults.size() == 1);
        const OpFault& f = report.faults[0];
        CHECK(f.node == report.perturbed->node);
        CHECK(f.op == report.perturbed->op);
        CHECK(f.label == report.perturbed->label);
        CHECK(has(f.label, "["));  // the step
        CHECK(
            f.index.size() ==
            static_cast<std::size_t>(
                r.g.node(r.g.node(f.node).inputs[static_cast<std::size_t>(f.input)]).shape.rank()));
        CHECK(f.entry.analytic == Approx(1.01 * f.entry.numeric));
      }
}

TEST_CASE("what cannot be spoiled is told", "[check]") {
  const auto message = [](const std::string& name) {
    Graph g;
    const Var w = g.weight("w", {2}), x = g.input("x", {2});
    const Var loss = sum(tanh(w * x)) + sum(stop_gradient(exp(x)));
    g.name(sigmoid(w), "aside");
    try {
      check(g, loss, {}, {.variables = {"w"}, .control = {.perturb = name}});
    } catch (const Error& e) {
      const Diagnostic& d = e.diagnostics().front();
      return d.code + " " + d.message + " (" + d.help + ")";
    }
    return std::string();
  };
  CHECK(has(message("tan"), "did you mean \"tanh\""));
  CHECK(has(message("softmax"), "U002 no operation and no node"));
  CHECK(has(message("w"), "it is given"));
  CHECK(has(message("exp"), "no gradient passes through it"));
  CHECK(has(message("aside"), "no operation and no node"));  // behind the loss
  CHECK(message("tanh").empty());
}

TEST_CASE("a check that has no time samples, and says what it covered", "[check]") {
  Graph g;
  const Var w = g.weight("w", {300, 300}), x = g.input("x", {300});
  const Var loss = sum(tanh(matmul(w, x)));
  std::int64_t planned = 0, last = 0;
  double estimate = 0;
  GraphCheckOptions o{.variables = {"w"}, .control = {.max_runs = 1'000'000, .seconds = 1}};
  o.control.estimate = [&](const CheckEstimate& e) {
    planned = e.planned;
    estimate = e.every_entry;
    CHECK(e.entries == 90'000);
  };
  o.control.progress = [&](std::int64_t done, std::int64_t total) {
    CHECK(done == last + 1);
    CHECK(total == planned);
    last = done;
  };
  const CheckReport r = check(g, loss, {}, o);
  CHECK(r.ok());
  CHECK(r.sampled());
  CHECK(r.out_of_time);
  CHECK(r.directions == 1);
  CHECK(r.checked > 0);
  CHECK(r.checked == last - 1);
  CHECK(estimate > 1);
  // the same entries where there is no clock
  GraphCheckOptions few{.variables = {"w"}, .control = {.max_runs = 50}};
  const CheckReport a = check(g, loss, {}, few), b = check(g, loss, {}, few);
  CHECK(a.checked == 49);
  CHECK(a.worst()->worst.element == b.worst()->worst.element);
  CHECK_FALSE(a.out_of_time);
}

TEST_CASE("where there are more variables than runs, a direction goes through all of them at once",
          "[check]") {
  for (const Method method : kMethods)
    for (const int order : {1, 2}) {
      const Rnn r = unrolled(6);
      GraphCheckOptions o{.method = method, .order = order, .control = {.max_runs = 3}};
      const CheckReport good = check(r.g, r.loss, {}, o);
      REQUIRE(good.together);
      CHECK(good.together->ok);
      CHECK(good.together->analytic == Approx(good.together->numeric));
      CHECK(good.ok());
      CHECK_FALSE(good.vacuous());
      o.control.perturb = "h[3]";
      const Rnn spoiled = unrolled(6);
      const CheckReport bad = check(spoiled.g, spoiled.loss, {}, o);
      CHECK_FALSE(bad.together->ok);
      CHECK_FALSE(bad.ok());
      REQUIRE(bad.faults.size() == 1);
      CHECK(bad.faults[0].label == "h[3]");
    }
}

TEST_CASE("the command checks a graph's JSON, and fails where it is told to", "[check][cli]") {
  const Folder f;
  support::spill(f / "g.json", to_json(unrolled(3).g));
  const auto plain = support::taugrad(f, "check g.json");
  CHECK(plain.status == 0);
  CHECK(has(plain.out, "every gradient agrees"));
  CHECK(has(plain.out, "W[3]"));
  CHECK(support::taugrad(f, "check g.json --loss cost --order 2 --method central").status == 0);
  CHECK(has(support::taugrad(f, "check g.json --loss cots").err, "did you mean \"cost\""));
  CHECK(has(support::taugrad(f, "check g.json --steps 3").err, "U007"));
  CHECK(has(support::taugrad(f, "check elman --variables W").err, "U007"));
  support::spill(f / "x.json", R"({"x": [[[1, 2]], [[0, 1]], [[1, 0]]]})");
  CHECK(has(support::taugrad(f, "check g.json --inputs x.json --variables x U -q").out,
            "30 of 30 entries of 7 variables"));
  for (const std::string what : {"g.json", "elman", "lstm --order 2"}) {
    const auto bad = support::taugrad(f, "check " + what + " --perturb tanh -q");
    CHECK(bad.status == 1);
    CHECK(has(bad.out, "wrong: the vjp of tanh at "));
    CHECK(has(bad.out, "(spoiled by --perturb): by "));
    CHECK(has(bad.out, "GRADIENTS DISAGREE"));
  }
  const auto json = support::taugrad(f, "check g.json --perturb 'h[2]' --json");
  CHECK(json.status == 1);
  const auto report = json.lines().at(0);
  CHECK(report["perturbed"]["at"] == "h[2]");
  CHECK(report["faults"][0]["op"] == "tanh");
  const auto unknown = support::taugrad(f, "check elman --perturb tan");
  CHECK(unknown.status == 2);
  CHECK(has(unknown.err, "did you mean \"tanh\""));
}

TEST_CASE("a definition is checked at the weights that are given: a model's folder has its own",
          "[check][cli]") {
  const Definition d = load_definition("elman");
  Tensors zero = initial_weights(d);
  for (auto& [name, t] : zero) t = Tensor(t.dims(), Dtype::f64);
  const CheckReport r =
      check(d, {.steps = 2, .weights = {{"W", zero.at("W")}, {"V", zero.at("V")}}});
  CHECK(failure(r) == "");
  for (const VariableCheck& v : r.variables)
    if (v.name == "U") CHECK(v.largest == 0);  // V is 0: nothing flows back
  CHECK(code_of([&] { check(d, {.weights = {{"Q", zero.at("W")}}}); }) == "D016");
  CHECK(code_of([&] { check(d, {.weights = {{"U", zero.at("W")}}}); }) == "D011");
  const Folder f;
  support::spill(f / "data.jsonl", "{\"x\": [[1, 0], [0, 1]], \"y\": [0, 2]}\n");
  REQUIRE(support::taugrad(f, "train elman --data data.jsonl -o model --epochs 1 -q").status == 0);
  const auto trained = support::taugrad(f, "check model -q"),
             drawn = support::taugrad(f, "check elman -q");
  CHECK(trained.status == 0);
  CHECK(has(trained.out, "every gradient agrees"));
  CHECK(trained.out != drawn.out);
}

TEST_CASE("the command answers in time, and says what it covered", "[check][cli]") {
  const Folder f;
  const auto r = support::taugrad(f, "check lstm --size m=100 --size n=100 --seconds 5 -q");
  CHECK(r.status == 0);
  CHECK(has(r.out, "checked "));
  CHECK(has(r.out, " entries of 24 variables and a direction through every variable"));
  CHECK(has(r.out, "the time is over; --seconds 0 has no limit"));
  const auto loud = support::taugrad(f, "check lstm --size m=100 --size n=100 --seconds 1");
  CHECK(has(loud.err, "entries would take about"));
  CHECK(has(loud.err, "for at most 1 s (--seconds)"));
}
