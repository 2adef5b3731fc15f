// Rows S04-S07, S10-S12: unfolding and sharing. (eq 1-6)
#include <set>

#include "reference_net.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/evaluate/program.h"
#include "taugrad/ops/ops.h"
#include "taugrad/unfold/unfold.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

struct Count {
  std::int64_t nodes, bytes;
};
Count count_of(const Definition& d, std::int64_t steps, bool with_gradient) {
  const Unfolded u = unfold(d, {.steps = steps});
  if (with_gradient) {
    Vars weights;
    for (const WeightDeclaration& w : d.weights) weights.push_back(u.weight(w.name.text));
    gradient(u.loss(), weights);
  }
  return {u.graph().size(), static_cast<std::int64_t>(u.graph().tape().bytes())};
}

std::set<std::string> weights_of(const Tape& tape) {
  std::set<std::string> names;
  for (NodeId id = 0; id < tape.size(); ++id)
    if (tape.op(id).name == "weight") names.insert(std::string(tape.name(id)));
  return names;
}

std::int64_t count_owned(const Tape& tape, std::string_view op, std::string_view owner) {
  std::int64_t count = 0;
  for (NodeId id = 0; id < tape.size(); ++id)
    count += tape.op(id).name == op && tape.name(id) == owner ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("S04: the weights do not depend on tau, the number of nodes is a + b tau", "[rows]") {
  for (const char* name : {"elman", "bidirectional", "output_recurrent", "many_to_one",
                           "time_delay", "sequence_model", "end_symbol"}) {
    CAPTURE(name);
    const Definition d = load_definition(name);
    for (const bool with_gradient : {false, true}) {
      const std::int64_t a = count_of(d, 8, with_gradient).nodes,
                         b = count_of(d, 9, with_gradient).nodes - a;
      CHECK(b > 0);
      for (const std::int64_t tau : {10, 16, 57, 200})
        CHECK(count_of(d, tau, with_gradient).nodes == a + b * (tau - 8));
    }
    CHECK(weights_of(unfold(d, {.steps = 3}).graph().tape()) ==
          weights_of(unfold(d, {.steps = 50}).graph().tape()));
    CHECK(weights_of(unfold(d, {.steps = 3}).graph().tape()).size() == d.weights.size());
  }
}

TEST_CASE("S05: a system of tau = 3 applies f twice (eq 1-2)", "[rows]") {
  const Unfolded u = unfold(load_definition("dynamical_system"), {.steps = 3});
  CHECK(count_owned(u.graph().tape(), "tanh", "s") == 2);
  CHECK(u.copies("W").size() == 2);
  CHECK(u.copy("W", 2));
  CHECK(u.copy("W", 3));
  for (int tau = 1; tau < 20; ++tau)
    CHECK(count_owned(unfold(load_definition("logistic"), {.steps = tau}).graph().tape(), "sub",
                      "s") == tau - 1);
}

TEST_CASE("S05: the value is that of the composition, bit for bit", "[rows]") {
  RunOptions o;
  o.steps = 50;
  const Tensors weights{{"r", numbers({}, {3.7})}, {"s0", numbers({}, {0.2})}};
  const Tensor s =
      evaluate_one(load_definition("logistic"), {{"lengths", symbols({1}, {50})}}, weights, "s", o);
  double x = 0.2;
  for (std::int64_t t = 0; t < 50; ++t, x = 3.7 * x * (1 - x)) CHECK(s.at(t) == x);
  for (const char* name :
       {"linear_map", "dynamical_system"}) {  // one step at a time, each from the last
    const Definition d = load_definition(name);
    Tensors w = initial_weights(d, {.seed = 4});
    w["s0"] = numbers({3}, {0.5, -1, 2});
    o.steps = 6;
    const Tensor all = evaluate_one(d, {{"lengths", symbols({1}, {6})}}, w, "s", o);
    o.steps = 2;
    for (std::int64_t t = 1; t < 6; ++t) {
      const Tensor two = evaluate_one(d, {{"lengths", symbols({1}, {2})}}, w, "s", o);
      w["s0"] = numbers({3}, values_of(part(two, 0, 1, 2)));
      check_same(part(two, 0, 1, 2), part(all, 0, t, t + 1));
    }
  }
}

TEST_CASE("S06: s(t) depends on x(k) for k <= t alone (eq 3)", "[rows]") {
  const Definition d = load_definition("driven");
  Tensors inputs = random_inputs(d, {.steps = 6, .seed = 2});
  const Tensors weights = initial_weights(d, {.seed = 2});
  for (std::int64_t t = 0; t < 6; ++t) {
    inputs["cotangent:h"] = Tensor({6, 1, 3}, Dtype::f64);
    for (std::int64_t i = 0; i < 3; ++i)
      inputs["cotangent:h"].set(t * 3 + i, 1 + static_cast<double>(i));
    const Tensor g = evaluate_one(d, inputs, weights, "grad:x");
    for (std::int64_t k = 0; k < 6; ++k) {
      const double flow = norm(part(g, 0, k, k + 1));
      if (k > t)
        CHECK(flow == 0);
      else
        CHECK(flow > 0);
    }
  }
}

TEST_CASE("S07: a readout is attached to an unfolded net without rebuilding it (eq 4)", "[rows]") {
  const Unfolded u = unfold(load_definition("driven"), {.steps = 4});
  Graph g = u.graph();
  const NodeId before = g.size();
  const Var V = g.weight("V", {2, 3}), c = g.weight("c", {2});
  Vars outputs;
  for (int t = 1; t <= 4; ++t) outputs.push_back(g.name(c + matmul(V, u.at("h", t)), "o", {t}));
  CHECK(g.size() == before + 2 + 4 * 2);
  Program program(g, outputs, {.dtype = f64});
  const Definition readout = load_definition("driven_readout");
  const Tensors inputs = random_inputs(readout, {.steps = 4, .batch = 2, .seed = 9});
  Tensors imported = initial_weights(readout, {.seed = 9}), weights;
  imported["V"] = sines({3, 3}, 1, 0, 1, 1);
  for (const auto& [name, tensor] : imported)
    weights[name.substr(name.find('.') == std::string::npos ? 0 : 2)] = tensor;
  weights["V"] = part(imported.at("V"), 0, 0, 2);
  weights["c"] = part(imported.at("c"), 0, 0, 2);
  const Tensors attached = program(inputs, weights);
  const Tensor whole = evaluate_one(readout, inputs, imported, "o");
  for (std::int64_t t = 0; t < 4; ++t)
    check_same(attached.at("o[" + std::to_string(t + 1) + "]"),
               numbers({2, 2}, values_of(part(part(whole, 0, t, t + 1), 2, 0, 2))));
}

TEST_CASE(
    "S10: g(t) is one function of the whole history, bit-equal to stepwise evaluation (eq 5-6)",
    "[rows]") {
  const Definition d = load_definition("driven");
  const Tensors weights = initial_weights(d, {.seed = 5});
  const Tensors inputs = random_inputs(d, {.steps = 64, .seed = 5});
  Tensors step = weights;
  for (std::int64_t tau = 1; tau <= 64; ++tau) {
    const Unfolded u = unfold(d, {.steps = tau});
    const Var state = u.at("h", static_cast<std::int32_t>(tau));
    std::int64_t leaves = 0;
    for (NodeId id = 0; id < u.graph().size(); ++id)
      leaves += u.graph().tape().op(id).name == "input" ? 1 : 0;
    CHECK(leaves == tau);
    Program g(u.graph(), {state}, {.dtype = f64});
    const Tensor history = g({{"x", part(inputs.at("x"), 0, 0, tau)}}, weights).begin()->second;
    const Tensor next =
        evaluate_one(d, {{"x", part(inputs.at("x"), 0, tau - 1, tau)}}, step, "h[1]");
    check_same(history, next);
    step["h0"] = numbers({3}, values_of(next));
  }
}

TEST_CASE("S11: trained at one length, run at another with the same weights", "[rows]") {
  const Definition d = load_definition("elman");
  Tensors weights = initial_weights(d, {.seed = 1});
  const Tensors data = random_inputs(d, {.steps = 8, .batch = 4, .seed = 1});
  std::vector<std::string> fetch{"loss"};
  for (const auto& [name, tensor] : weights) fetch.push_back("grad:" + name);
  double first = 0, last = 0;
  for (int update = 0; update < 60; ++update) {
    const Tensors v = evaluate(d, data, weights, fetch);
    last = 0;
    for (const double loss : values_of(v.at("loss"))) last += loss;
    if (update == 0) first = last;
    for (auto& [name, w] : weights)
      for (std::int64_t i = 0; i < w.size(); ++i)
        w.set(i, w.at(i) - 0.05 * v.at("grad:" + name).at(i));
  }
  CHECK(last < 0.8 * first);
  const Tensors longer =
      evaluate(d, random_inputs(d, {.steps = 800, .batch = 2, .seed = 2}), weights, {"h", "loss"});
  CHECK(longer.at("h").dims() == Dims{800, 2, 3});
  for (const double loss : values_of(longer.at("loss"))) CHECK(std::isfinite(loss));
}

TEST_CASE("S12: untied weights are tau times as many, and their gradients sum to the tied one's",
          "[rows]") {
  const Definition tied = load_definition("elman"), untied = load_definition("untied");
  const DrawOptions draw{.steps = 7, .batch = 3, .seed = 6};
  const Tensors weights = initial_weights(tied, draw), inputs = random_inputs(tied, draw);
  Tensors repeated = initial_weights(untied, draw);
  for (const char* name : {"U", "W", "b"}) {
    CHECK(repeated.at(name).size() == 7 * weights.at(name).size());
    for (std::int64_t i = 0; i < repeated.at(name).size(); ++i)
      repeated.at(name).set(i, weights.at(name).at(i % weights.at(name).size()));
  }
  repeated["V"] = weights.at("V");
  repeated["c"] = weights.at("c");
  const std::vector<std::string> fetch{"loss", "grad:U", "grad:W", "grad:b"};
  const Tensors one = evaluate(tied, inputs, weights, fetch),
                many = evaluate(untied, inputs, repeated, fetch);
  check_same(one.at("loss"), many.at("loss"));
  for (const char* name : {"grad:U", "grad:W", "grad:b"}) {
    const Tensor &sum = one.at(name), &parts = many.at(name);
    const double scale = norm(sum);
    for (std::int64_t i = 0; i < sum.size(); ++i) {
      double total = 0;
      for (std::int64_t t = 0; t < 7; ++t) total += parts.at(t * sum.size() + i);
      CHECK(std::abs(total - sum.at(i)) <= 1e-15 * scale);
    }
  }
}
