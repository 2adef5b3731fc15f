// Graphs built by hand, where a name, a step or a loss is not what it seems.
#include <catch2/catch.hpp>
#include <cmath>

#include "support_cli.h"
#include "support_errors.h"
#include "taugrad/taugrad.h"

using namespace taugrad;

namespace {

using support::code_of;

Tensor number(double x) { return Tensor::of({}, std::vector<double>{x}); }
Tensor item(double x) { return Tensor::of({1}, std::vector<double>{x}); }

}  // namespace

TEST_CASE("grad:w is the gradient of the loss that is asked for, not a node of that name",
          "[by_hand]") {
  Graph g;
  const Var w = g.weight("w"), x = g.input("x");
  const Var aux = g.name(w * x, "aux");
  g.name(w * w * w * x, "loss");
  gradient(aux, w);  // a node grad:w: 1
  const auto of = [&](const std::string& loss) {
    RunOptions o;
    o.fetch = {"grad:w"};
    o.dtype = f64;
    o.loss = loss;
    return run(g, {{"x", item(1)}}, {{"w", number(2)}}, o).values.at("grad:w").at(0);
  };
  CHECK(of("") == 12);
  CHECK(of("loss") == 12);
  CHECK(of("aux") == 1);
}

TEST_CASE("the gradient of a weight is there though the graph holds one of its copy", "[by_hand]") {
  Graph g;
  const Var W = g.weight("W"), x = g.input("x");
  Var h = x;
  for (int t = 1; t <= 3; ++t) {
    const auto step = g.step("t", t);
    h = g.name(h * W, "h");
  }
  const Var loss = g.name(h * 1.0, "loss");
  gradient(loss, g.at("W", {2}));
  RunOptions o;
  o.fetch = {"grad:W", "grad:W[2]"};
  o.dtype = f64;
  const RunResult r = run(g, {{"x", item(1)}}, {{"W", number(2)}}, o);
  CHECK(r.values.at("grad:W").at(0) == 12);
  CHECK(r.values.at("grad:W[2]").at(0) == 4);
}

TEST_CASE("a bias and a state of one name are refused where the copy is made", "[by_hand]") {
  Graph g;
  const Var W = g.weight("W", {2, 2}), c = g.weight("c", {2});
  const auto step = g.step("t", 1);
  const Var state = g.name(tanh(matmul(W, g.input("x", {2}))), "c");
  CHECK(code_of([&] { g.name(state * 2.0 + c, "o"); }) == "G013");
}

TEST_CASE("leaves of a step have positions from 1 on", "[by_hand]") {
  Graph g;
  const Var w = g.weight("w", {2});
  for (const int t : {0, -3}) {
    const auto step = g.step("t", t);
    CHECK(code_of([&] { g.input("x", {2}); }) == "G011");
    CHECK(code_of([&] { g.category("y", 2); }) == "G011");
    CHECK(code_of([&] { g.weight("u", {2}); }) == "G011");
    CHECK_NOTHROW(g.name(w * 2.0, "h"));  // values, and copies, stand where they like
  }
}

TEST_CASE("a loss may be a leaf, and no symbol", "[by_hand]") {
  Graph g;
  const Var w = g.weight("w"), x = g.input("x"), y = g.category("y", 3);
  for (const Var& leaf : {w, x})
    for (const Method method : {Method::complex_step, Method::central}) {
      GraphCheckOptions o;
      o.method = method;
      const CheckReport r = check(g, leaf, {}, o);
      CHECK(r.ok());
      CHECK_FALSE(r.vacuous());
    }
  CHECK(code_of([&] { check(g, y); }) == "G023");
  CHECK(code_of([&] { gradient(y, w); }) == "G023");
}

TEST_CASE("in a step, a copy is that of its letter", "[by_hand]") {
  Graph g;
  const Var W = g.weight("W");
  Var h = g.input("x");
  for (const char* letter : {"s", "t"})
    for (int i = 1; i <= 2; ++i) {
      const auto step = g.step(letter, i);
      h = h * W;
      const Var copy = g.at("W", {i});
      CHECK(g.tape().letters(copy.id)[0] == letter);
      CHECK(g.tape().inputs(h.id)[1] == copy.id);
    }
}

TEST_CASE("run without fetches gives each name one meaning", "[by_hand]") {
  Graph g;
  const Var W = g.weight("W", {2});
  const Var reg = g.name(sum(W * W), "reg"), loss = g.name(sum(sin(W)) + reg, "loss");
  gradient(reg, W);  // named grad:W, and not that of the loss
  const Tensors weights{{"W", Tensor::of({2}, std::vector<double>{0.3, 0.4})}};
  const RunResult others = run(g, {}, weights, {.dtype = f64});
  CHECK(!others.values.contains("grad:W"));
  REQUIRE(others.warnings.size() == 1);
  CHECK(others.warnings[0].find("not those of its loss") != std::string::npos);
  const RunResult asked = run(g, {}, weights, {.fetch = {"grad:W"}, .dtype = f64});
  CHECK(asked.values.at("grad:W").at(0) == Approx(std::cos(0.3) + 0.6));
  CHECK(asked.warnings.empty());
  Graph own;
  const Var V = own.weight("W", {2});
  gradient(own.name(sum(sin(V)), "loss"), V);
  const RunResult held = run(own, {}, weights, {.dtype = f64});
  CHECK(held.values.at("grad:W").at(0) == Approx(std::cos(0.3)));
  CHECK(held.warnings.empty());
}

TEST_CASE("a name with and without positions is all of them", "[by_hand]") {
  Graph g;
  const Var W = g.weight("W", {2});
  g.name(W * 2.0, "a");
  g.name(W * 3.0, "a", {1});
  g.name(W * 4.0, "a", {1, 2});
  const Tensors values =
      run(g, {}, {{"W", Tensor::of({2}, std::vector<double>{1, 1})}}, {.dtype = f64}).values;
  CHECK(values.at("a").at(0) == 2);
  CHECK(values.at("a[1]").at(0) == 3);
  CHECK(values.at("a[1,2]").at(0) == 4);
  CHECK(code_of([&] { g.name(W * 1.0, "h[1][2]"); }) == "G025");
  CHECK(code_of([&] { g.input("h[1][2]"); }) == "G025");
}

TEST_CASE("steps of the data that a graph does not have are told", "[by_hand]") {
  Graph g;
  Var h = g.name(g.zeros({1}), "h", {0});
  for (int t = 1; t <= 3; ++t) {
    const auto step = g.step("t", t);
    h = g.name(h + g.input("x", {1}), "h");
  }
  const auto data = [](std::int64_t n) {
    return Tensors{
        {"x", Tensor::of({n, 1, 1}, std::vector<double>(static_cast<std::size_t>(n), 1))}};
  };
  CHECK(run(g, data(3), {}, {}).warnings.empty());
  const std::vector<std::string> told = run(g, data(5), {}, {}).warnings;
  REQUIRE(told.size() == 1);
  CHECK(told[0] == "\"x\" has 5 positions, of which the graph has 3");
  CHECK(code_of([&] { run(g, data(2), {}, {}); }) == "D011");
}

TEST_CASE("a file's leaves and copies keep the rules of the builders", "[by_hand]") {
  Graph g;
  const Var W = g.weight("W", {2}), U = g.weight("U", {2});
  {
    const auto step = g.step("t", 1);
    g.name(sum(g.input("x", {2}) * W * U), "loss");
  }
  const std::string text = to_json(g);
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    const std::size_t at = changed.rfind(from);
    REQUIRE(at != std::string::npos);
    changed.replace(at, from.size(), to);
    return code_of([&] { graph_from_json(changed, "g.json"); });
  };
  CHECK(with("\"name\": \"U\"", "\"name\": \"W\"") == "G013");  // the copy U[1]
  const std::size_t x = text.find("\"name\": \"x\"");
  REQUIRE(x != std::string::npos);
  std::string zero = text;
  zero.replace(zero.find("\"index\": [1]", x > 80 ? x - 80 : 0), 12, "\"index\": [0]");
  CHECK(code_of([&] { graph_from_json(zero, "g.json"); }) == "G011");
}

TEST_CASE("loops with gaps have no flow from step to step, and that is said", "[by_hand]") {
  Graph g;
  const Var W = g.weight("W", {2, 2});
  Var h = g.zeros({2});
  for (int t = 1; t <= 9; t += 2) {
    const auto step = g.step("t", t);
    h = g.name(tanh(matmul(W, h) + g.input("x", {2})), "h");
  }
  g.name(sum(h * h), "loss");
  try {
    flow(g, {}, {}, {});
    FAIL("refused");
  } catch (const Error& e) {
    CHECK(e.diagnostics().front().code == "G028");
    CHECK(e.diagnostics().front().message.find("without gaps") != std::string::npos);
  }
}

TEST_CASE("why there is no flow is said where there are no gaps", "[by_hand]") {
  const auto told = [](auto step_of) {
    Graph g;
    Var h = g.input("x", {2});
    for (int t = 1; t <= 3; ++t) h = step_of(g, h, t);
    g.name(sum(h * 1.0), "loss");
    try {
      flow(g, {}, {}, {});
    } catch (const Error& e) {
      return e.diagnostics().front().code + " " + e.diagnostics().front().message;
    }
    return std::string();
  };
  CHECK(told([](Graph& g, Var h, int t) { return g.name(tanh(h), "h", {t}); }).empty());
  CHECK(told([](Graph& g, Var h, int t) {
          return g.name(concat({h, h}), "h", {t});
        }) == "G028 h is [4] at 1 and [8] at 2: a flow has one shape");
  CHECK(told([](Graph& g, Var h, int t) { return one_hot(g.name(argmax(h), "k", {t}), 2); }) ==
        "G028 k is a category: gradients flow along numbers");
  CHECK(told([](Graph& g, Var h, int t) {
          return g.name(tanh(h), "h", {t + 1});
        }).starts_with("G028 h stands at [2], "));
}

TEST_CASE("the axes of a result do not depend on what else is fetched", "[by_hand]") {
  Graph g;
  const Var x = g.input("x", {2});
  g.name(sum(x * 2.0), "loss");
  g.name(g.zeros({2}) + 1.0, "q");
  const Tensor two = Tensor::of({{1., 2.}, {3., 4.}});
  for (const std::vector<std::string>& fetch :
       {std::vector<std::string>{"grad:x"}, {"loss", "grad:x"}, {"q"}, {"q", "loss"}}) {
    RunOptions o;
    o.dtype = f64;
    o.fetch = fetch;
    const RunResult r = run(g, {{"x", two}}, {}, o);
    for (const auto& [name, value] : r.values) {
      INFO(name);
      CHECK(value.dims()[0] == 2);
      if (name == "grad:x") CHECK(value.at(3) == 2);
    }
  }
}
