// Graphs built by hand, where a name, a step or a loss is not what it seems.
#include <catch2/catch.hpp>

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
