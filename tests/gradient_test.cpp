#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>

#include "support_errors.h"
#include "support_gradients.h"
#include "taugrad/base/error.h"
#include "taugrad/graph/reachable.h"
#include "taugrad/graph/verify.h"
#include "taugrad/ops/records.h"

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

using support::code_of;

int users_of(const Graph& g, Var v, NodeId before) {
  int users = 0;
  for (NodeId id = 0; id < before; ++id)
    for (const NodeId in : g.node(id).inputs) users += in == v.id ? 1 : 0;
  return users;
}

// h[t] = tanh(b + W h[t-1] + U x[t]), o[t] = c + V h[t], y[t] ~ categorical(o[t])          (eq
// 7-13)
struct Elman {
  Graph graph;
  CheckPoint point;
  Var U, W, b, V, c, loss;
  std::vector<Vars> copies;  ///< of each step: U, W, b, V, c
  Vars h, a, o, x, nll;
};

Elman elman(std::int32_t steps) {
  Elman e;
  Tape& tape = e.graph.tape();
  e.point.items = 3;
  std::uint64_t seed = 0;
  const auto given = [&](Var v) { return give(v, e.point, ++seed); };
  e.U = given(e.graph.weight("U", {3, 2})), e.W = given(e.graph.weight("W", {3, 3}));
  e.b = given(e.graph.weight("b", {3}));
  e.V = given(e.graph.weight("V", {4, 3})), e.c = given(e.graph.weight("c", {4}));
  Var h = constant(tape, 0, {3}, kEveryItem);
  for (std::int32_t t = 1; t <= steps; ++t) {
    const IndexId index = tape.intern_index({&t, 1});
    const auto own = [&](const char* name) { tape.set_owner(tape.intern_name(name), index); };
    own("x");
    e.x.push_back(given(input(tape, "x", {2}, {&t, 1})));
    own("h");
    e.copies.push_back({copy(e.U), copy(e.W), copy(e.b), copy(e.V), copy(e.c)});
    const Vars& k = e.copies.back();
    e.a.push_back(e.graph.name(k[2] + matmul(k[1], h) + matmul(k[0], e.x.back()), "a", {t}));
    h = e.graph.name(tanh(e.a.back()), "h", {t});
    e.h.push_back(h);
    own("o");
    e.o.push_back(e.graph.name(k[4] + matmul(k[3], h), "o", {t}));
    own("y");
    const Var y = given(category_input(tape, "y", 4, {&t, 1}));
    e.nll.push_back(e.graph.name(nll_categorical(e.o.back(), y), "nll:y", {t}));
  }
  tape.set_owner(tape.intern_name("loss"), 0);
  e.loss = e.graph.name(add_n(e.nll), "loss");
  return e;
}

}  // namespace

TEST_CASE("the four example graphs: S03", "[gradient]") {
  Graph g;
  CheckPoint point;
  point.items = 3;
  const Var x = give(g.input("x"), point, 1), y = give(g.input("y"), point, 2);
  const Var z = x * y;
  CHECK(failure(check_gradients(z, Vars{x, y}, point)) == "");

  const Var v = give(g.input("v", {4}), point, 3), w = give(g.weight("w", {4}), point, 4);
  const Var b = give(g.weight("b"), point, 5);
  CHECK(failure(check_gradients(sigmoid(matmul(v, w) + b), Vars{v, w, b}, point)) == "");

  const Var X = give(g.input("X", {5, 4}), point, 6), W = give(g.weight("W", {4, 3}), point, 7);
  const Var c = give(g.weight("c", {3}), point, 8);
  CHECK(failure(check_gradients(sum(relu(matmul(X, W) + c)), Vars{X, W, c}, point)) == "");

  Graph decay;
  CheckPoint at;
  at.items = 3;
  const Var u = give(decay.input("u", {4}), at, 9), r = give(decay.weight("r", {4}), at, 10);
  const Var prediction = matmul(u, r), penalty = 0.1 * sum(abs(r));
  const NodeId forward = decay.size();
  CHECK(users_of(decay, r, forward) == 2);
  CHECK(failure(check_gradients(prediction + penalty, Vars{r, u}, at)) == "");
}

TEST_CASE("the gradient of each op is there: S02", "[gradient]") {
  for (const Op* op : registry()) {
    INFO(op->name);
    CHECK((op->traits.leaf || op->traits.discrete || op->vjp != nullptr));
    CHECK((op->forward.f64 != nullptr || op == &kInput || op == &kWeight));
  }
}

TEST_CASE("elman: every gradient against complex step and differences", "[gradient]") {
  Elman e = elman(4);
  Vars all{e.U, e.W, e.b, e.V, e.c};
  for (const Vars& copies : e.copies) all.insert(all.end(), copies.begin(), copies.end());
  for (const Vars& some : {e.h, e.a, e.o, e.x, e.nll})
    all.insert(all.end(), some.begin(), some.end());
  for (const int order : {1, 2})
    for (const Method method : {Method::complex_step, Method::central}) {
      const CheckReport r =
          check_gradients(e.loss, all, e.point, {.method = method, .order = order});
      CHECK(failure(r) == "");
      CHECK(r.entries == r.checked);
      CHECK(r.variables.size() == all.size());
    }
  verify(e.graph.tape());
}

TEST_CASE("dL/dL(t) is 1 for every t: S26", "[gradient]") {
  Elman e = elman(5);
  const Gradients g = gradient(e.loss, e.nll);
  for (const Var& v : g.values()) CHECK(value(v, e.point) == std::vector<double>{1, 1, 1});
  CHECK(value(gradient(e.loss, {e.loss})[0], e.point) == std::vector<double>{1, 1, 1});
}

TEST_CASE("dL/do is softmax(o) - 1_y: eq 17", "[gradient]") {
  Elman e = elman(3);
  const Gradients g = gradient(e.loss, e.o);
  for (std::size_t t = 0; t < 3; ++t) {
    const Var y = e.graph.at("y", {static_cast<std::int32_t>(t) + 1});
    const auto got = value(g[t], e.point), want = value(softmax(e.o[t]) - one_hot(y, 4), e.point);
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(std::abs(got[i] - want[i]) <= 1e-15);
  }
}

TEST_CASE("the copies' gradients sum to the weight's: eq 24-25", "[gradient]") {
  Elman e = elman(4);
  Vars asked{e.U, e.W, e.b, e.V, e.c};
  const Vars weights = asked;
  for (const Vars& copies : e.copies) asked.insert(asked.end(), copies.begin(), copies.end());
  const Gradients g = gradient(e.loss, asked);
  for (std::size_t w = 0; w < weights.size(); ++w) {
    const auto whole = value(g[w], e.point);
    std::vector<double> sum(whole.size(), 0);
    for (std::size_t t = e.copies.size(); t-- > 0;) {  // back through time
      const auto share = value(g.of(e.copies[t][w]), e.point);
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += share[i];
    }
    CHECK(sum == whole);  // in the same order: to the bit
    CHECK(g.edges(weights[w]).size() == 4);
  }
  CHECK(g["W"] == g[1]);
  CHECK(g["W[3]"] == g.of(e.copies[2][1]));
  // one op a copy: the sum over the items is in the product
  CHECK(g["W[3]"].op().name == "outer_sum");
  CHECK(g["W"].op().name == "add_n");
  CHECK(code_of([&] { g["W[9]"]; }) == "G014");
}

TEST_CASE("each edge's contribution; they sum to the node's gradient: S35", "[gradient]") {
  Elman e = elman(4);
  Vars all;
  for (NodeId id = 0; id <= e.loss.id; ++id)
    if (const Var v = e.graph.tape().var(id); category_size(v) == 0 && v.op().name != "constant")
      all.push_back(v);
  const NodeId forward = e.graph.size();
  const Gradients g = gradient(e.loss, all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::vector<EdgeContribution>& edges = g.edges(all[i]);
    INFO(e.graph.tape().label(all[i].id));
    if (all[i] == e.loss) continue;
    CHECK(static_cast<int>(edges.size()) == users_of(e.graph, all[i], forward));
    const auto whole = value(g[i], e.point);
    NodeId before = -1;
    for (const EdgeContribution& edge : edges) {
      CHECK(edge.user >= before);
      before = edge.user;
      CHECK(e.graph.node(edge.user).inputs[static_cast<std::size_t>(edge.slot)] == all[i].id);
    }
    std::vector<EdgeContribution> order = edges;
    if (!all[i].per_example()) std::ranges::reverse(order);  // weights: back through time
    std::vector<double> sum(whole.size(), 0);
    for (const EdgeContribution& edge : order) {
      const auto share = value(edge.value, e.point);
      for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += share[k];
    }
    CHECK(sum == whole);
  }
}

TEST_CASE("gradients are named, and their nodes belong to the steps", "[gradient]") {
  Elman e = elman(3);
  const NodeId forward = e.graph.size();
  const Gradients g = gradient(e.loss, {e.W, e.h[1], e.copies[0][1], e.nll[0]});
  CHECK(e.graph.at("grad:W") == g[0]);
  CHECK(e.graph.at("grad:h", {2}) == g[1]);
  CHECK(e.graph.at("grad:W", {1}) == g[2]);
  CHECK(e.graph.tape().label(g[1].id) == "grad:h[2]");
  for (NodeId id = forward; id < e.graph.size(); ++id)
    if (!e.graph.node(id).op.traits.leaf) CHECK_FALSE(e.graph.node(id).name.empty());
  // the loss's own seed has a user of another name: a view of it bears this one
  CHECK(e.graph.at("grad:nll:y", {1}) == g[3]);
  const Gradients again = gradient(e.loss, {e.W});
  CHECK(e.graph.at("grad:W") == g[0]);
  CHECK(value(again[0], e.point) == value(g[0], e.point));
}

TEST_CASE("two variables with one gradient each have a name for it", "[gradient]") {
  Graph g;
  const Var a = g.weight("a", {2}), b = g.weight("b", {2});
  const Gradients grad = gradient(sum(a + b), {a, b});
  CHECK(g.at("grad:a") == grad[0]);
  CHECK(g.at("grad:b") == grad[1]);
  CHECK_FALSE(grad[0] == grad[1]);
}

TEST_CASE("what the loss does not depend on has gradient zero", "[gradient]") {
  Graph g;
  CheckPoint point;
  const Var a = give(g.weight("a", {2}), point, 1), b = give(g.weight("b", {3}), point, 2);
  const Var x = give(g.input("x", {2}), point, 3);
  const Var loss = sum(stop_gradient(a) * x);
  const Var later = g.weight("later", {2});
  const Gradients grad = gradient(loss, {a, b, x, later});
  CHECK(value(grad[0], point) == std::vector<double>{0, 0});
  CHECK(value(grad[1], point) == std::vector<double>{0, 0, 0});
  CHECK(value(grad[2], point) == value(a, point));
  CHECK(grad[3].shape() == Shape{2});
  CHECK(grad.edges(b).empty());
}

TEST_CASE("only cotangents that are wanted are emitted", "[gradient]") {
  Graph g;
  const Var a = g.weight("a", {2}), x = g.input("x", {2});
  const Var loss = sum(a * x);
  const Gradients grad = gradient(loss, {a});
  std::vector<NodeId> outputs{grad[0].id, loss.id};
  const std::vector<char> mark = reachable(g.tape(), outputs);
  CHECK(std::count(mark.begin(), mark.end(), 0) == 0);
}

TEST_CASE("the vector-Jacobian product of several outputs", "[gradient]") {
  Graph g;
  CheckPoint point;
  point.items = 2;
  const Var W = give(g.weight("W", {2, 2}), point, 1), x = give(g.input("x", {2}), point, 2);
  const Var y = matmul(W, x), z = tanh(y);
  const Var v = give(g.input("ybar", {2}), point, 3);
  const Vars outputs{y, z}, cotangents{v, Var{}};
  const Gradients grad = gradient(outputs, cotangents, Vars{W, x, y});
  const Gradients same = gradient(sum(y * v) + sum(z), {W, x, y});
  for (std::size_t i = 0; i < 3; ++i) CHECK(value(grad[i], point) == value(same[i], point));
}

TEST_CASE("what a gradient cannot be taken of", "[gradient]") {
  Graph g, other;
  const Var x = g.input("x", {2}), foreign = other.weight("w");
  CHECK(code_of([&] { gradient(x, {x}); }) == "G023");
  CHECK(code_of([&] { gradient(sum(x), {foreign}); }) == "G023");
  CHECK(code_of([&] { gradient(Var{}, {x}); }) == "G023");
  CHECK(code_of([&] { gradient(sum(x), {Var{}}); }) == "G023");
  CHECK(code_of([&] { gradient(sum(x), {x}).edges(foreign); }) == "G014");
  CHECK(code_of([&] { check_gradients(sum(x), Vars{x}, {}, {.order = 3}); }) == "G023");
}
