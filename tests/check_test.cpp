#include <catch2/catch.hpp>
#include <cmath>

#include "support_gradients.h"
#include "taugrad/graph/verify.h"
#include "taugrad/ops/records.h"
#include "taugrad/unfold/unfold.h"

namespace {

using namespace taugrad;
using support::failure;
using support::give;

std::vector<double> value(Var v, const CheckPoint& point) {
  Interpreter<double> run(*v.tape, {&v.id, 1});
  support::place(run, point);
  run.run();
  return {run.value(v.id).begin(), run.value(v.id).end()};
}

}  // namespace

TEST_CASE("items of different length: the last state and its gradient", "[gradient]") {
  Graph g;
  Tape& tape = g.tape();
  tape.length_names = {"tau"};
  CheckPoint point;
  point.items = 4;
  point.batch.lengths = {{2, 0, 3, 1}};
  const Var w = give(g.weight("w", {2, 2}), point, 1), h0 = give(g.weight("h0", {2}), point, 2);
  Vars steps{to_items(h0, kEveryItem)}, moving{w, h0};
  for (std::int32_t t = 1; t <= 3; ++t) {
    const ExtentId running = tape.intern_extent({{{0, t}}});
    const Var x =
        give(input(tape, "x", {2}, {&t, 1}, running), point, 10 + static_cast<unsigned>(t));
    steps.push_back(tanh(matmul(w, restrict_to(steps.back(), running)) + x));
    moving.push_back(x);
  }
  const Var last = at_length(steps, 0, 0, kEveryItem);
  const Var loss = sum(last * last) + length(tape, 0) * sum(last);
  CHECK(failure(check_gradients(loss, moving, point)) == "");
  CHECK(failure(check_gradients(loss, moving, point, {.order = 2})) == "");
  CHECK(support::adjoint_error(loss, moving, point) <= 1e-12);
  // an item of length 0 ends where it starts
  const auto ends = value(last, point), start = value(h0, point);
  CHECK(std::vector<double>(ends.begin() + 2, ends.begin() + 4) == start);
  verify(tape);
}

TEST_CASE("S14: a check that fails names the worst entry, and a sample is said to be one",
          "[gradient]") {
  Op wrong = kTanh;
  wrong.vjp = [](const Primal& p, Var ybar, std::span<Var> xbar) {
    xbar[0] = ybar * (1.0 - p.out);
  };
  Graph g;
  CheckPoint point;
  point.items = 2;
  const Var W = give(g.weight("W", {3, 2}), point, 1), x = give(g.input("x", {2}), point, 2);
  const Var a = g.name(matmul(W, x), "a", {1});
  const Var h = g.name(g.tape().append(wrong, {&a, 1}), "h", {1});
  const Var loss = sum(h * h);
  for (const Method method : {Method::complex_step, Method::central}) {
    const CheckReport r = check_gradients(loss, Vars{W, x, h}, point, {.method = method});
    CHECK_FALSE(r.ok());
    CHECK(r.worst()->name != "h[1]");
    CHECK(r.variables[0].index.size() == 2);
    CHECK(r.variables[1].item >= 0);
    CHECK(r.variables[2].ok);
    const auto& e = r.worst()->worst;
    CHECK(e.error == std::abs(e.analytic - e.numeric));
  }
  const auto faults = find_faults(loss, Vars{W, x}, point);
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].op == "tanh");
  CHECK(faults[0].label == "h[1]");
  const CheckReport few =
      check_gradients(sum(a * a), Vars{W, x}, point, {.control = {.max_runs = 6}});
  CHECK(few.ok());
  CHECK(few.sampled());
  CHECK(few.runs <= 8);
  CHECK(few.variables[0].along_direction);
  CHECK_FALSE(check_gradients(loss, Vars{W, x}, point, {.control = {.max_runs = 2}}).ok());
}

TEST_CASE("a kink within the stencil is said, not judged", "[gradient]") {
  Graph g;
  CheckPoint point;
  const Var x = g.weight("x");
  point.leaves.push_back({x, {0.0}});
  const CheckReport r = check_gradients(relu(x), Vars{x}, point, {.method = Method::central});
  CHECK(r.ok());
  CHECK(r.variables[0].kinks == 1);
  // close by, smaller steps see past it
  point.leaves[0].second = {1e-4};
  const CheckReport near = check_gradients(relu(x), Vars{x}, point, {.method = Method::central});
  CHECK(near.ok());
  CHECK(near.variables[0].kinks == 0);
}

TEST_CASE("S14: complex step, differences and forward mode tell the same of every copy",
          "[gradient][rows]") {
  const Unfolded u = unfold(load_definition("elman"), {.steps = 4});
  CheckPoint point;
  std::uint64_t seed = 1;
  for (NodeId id = 0; id < u.graph().tape().size(); ++id)
    if (const Var leaf = u.graph().tape().var(id); leaf.op().traits.leaf && !leaf.op().forward.f64)
      give(leaf, point, seed++);
  const Vars wrt{u.weight("W"), u.copy("W", 2), u.copy("W", 4), u.at("x", 1), u.at("h", 3)};
  for (const Method method : {Method::complex_step, Method::central}) {
    const CheckReport r = check_gradients(u.loss(), wrt, point, {.method = method});
    CHECK(failure(r) == "");
    REQUIRE(r.variables.size() == wrt.size());
    CHECK(r.variables[1].name == "W[2]");
    CHECK(r.variables[1].index.size() == 2);
  }
  CHECK(support::adjoint_error(u.loss(), wrt, point) <= 1e-12);  // by forward mode
}
