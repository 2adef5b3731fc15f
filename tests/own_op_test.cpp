#include <catch2/catch.hpp>
#include <functional>

#include "own_ops/swish.h"
#include "random_graph.h"
#include "support_cli.h"
#include "support_executor.h"
#include "support_gradients.h"
#include "taugrad/taugrad.h"

// Operations made outside the library do what its own do: JSON both ways, every picture, the check
// to second order, random graphs, equations, training; from C++ and from the command line.
namespace {

using namespace taugrad;
using support::failure;
using support::Folder;
using support::has;

struct Registered {
  const Op& swish = register_op(own_ops::swish());
  const Op& gated = register_op(own_ops::gated());
  const Op& sum_of_squares = register_op(own_ops::sum_of_squares());
};
const Registered& ops() {
  static const Registered registered;
  return registered;
}

Var swish(Var x) { return apply(ops().swish, {{x}}); }
Var gated(Var a, Var b) { return apply_elementwise(ops().gated, {{a, b}}); }
Var sum_of_squares(Var x) { return apply(ops().sum_of_squares, {{x}}); }

std::string problem(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.diagnostics().front().code + " " + e.diagnostics().front().message;
  }
  return "";
}

// a recurrence of nothing but own operations, unrolled
Graph unrolled() {
  Graph g;
  const Var W = g.weight("W", {3, 3}), U = g.weight("U", {3, 2});
  Var h = g.constant(0.5, {3});
  for (std::int32_t t = 1; t <= 3; ++t) {
    const Var x = input(g.tape(), "x", {2}, {&t, 1});
    h = g.name(swish(matmul(W, h) + gated(matmul(U, x), h)), "h", {t});
  }
  g.name(sum_of_squares(h), "loss");
  return g;
}

constexpr const char* kDefinition =
    R"~({"name": "own", "index": {"t": "tau"}, "sizes": {"n": 2, "m": 3, "k": 4},
 "inputs": {"x[t]": ["n"]}, "weights": {"U": ["m", "n"], "W": ["m", "m"], "V": ["k", "m"]},
 "equations": ["h[t] = swish(W @ h[t-1] + U @ x[t])", "y[t] ~ categorical(logits = V @ h[t])"]})~";

}  // namespace

TEST_CASE("an own operation is checked to second order, by both methods, and forwards", "[own]") {
  for (const Method method : {Method::complex_step, Method::central})
    for (const int order : {1, 2}) {
      const Graph g = unrolled();
      const CheckReport r = check(g, loss_of(g), {}, {.method = method, .order = order});
      CHECK(failure(r) == "");
      CHECK_FALSE(r.vacuous());
    }
  Graph g;
  CheckPoint point;
  const Var a = support::give(g.weight("a", {4}), point, 1);
  const Var b = support::give(g.input("b", {1}), point, 2);
  const Var loss = sum_of_squares(swish(gated(a, b)));
  CHECK(support::adjoint_error(loss, Vars{a, b}, point) <= 1e-12);
  // a spoiled one is found by its name
  const Graph spoiled = unrolled();
  const CheckReport r = check(spoiled, loss_of(spoiled), {}, {.control = {.perturb = "swish"}});
  CHECK_FALSE(r.ok());
  REQUIRE(r.faults.size() == 1);
  CHECK(r.faults[0].op == "swish");
}

TEST_CASE("an own operation goes to JSON and back, and into every picture", "[own]") {
  const Graph g = unrolled();
  const std::string json = to_json(g);
  CHECK(has(json, "\"op\": \"swish\""));
  CHECK(to_json(graph_from_json(json, "memory")) == json);
  const Folder f;
  for (const char* suffix : {"dot", "json", "svg"}) {
    write(g, f / (std::string("g.") + suffix));
    CHECK(has(support::slurp(f / (std::string("g.") + suffix)), "swish"));
  }
  verify(g.tape());
}

TEST_CASE("the executor runs own operations as the interpreter does, on random graphs", "[own]") {
  ops();
  int seen = 0;
  for (unsigned seed = 0; seed < 500; ++seed) {
    CAPTURE(seed);
    support::GraphGenerator generator(seed);
    generator.add_own({&ops().swish, &ops().gated});
    const support::RandomGraph g = generator.make(3 + static_cast<int>(seed % 15), seed % 2 == 0);
    std::vector<NodeId> outputs;
    for (const Var& v : g.outputs) outputs.push_back(v.id);
    for (NodeId id = 0; id < g.tape().size(); ++id)
      seen += &g.tape().op(id) == &ops().swish || &g.tape().op(id) == &ops().gated;
    BatchContext batch;
    for (std::int32_t which = 0; which < g.lengths; ++which) batch.lengths.push_back({3, 0, 2});
    Executor<double> executor(g.tape(), outputs);
    const auto found = support::execute(executor, g.tape(), outputs, batch, 3, seed);
    REQUIRE(support::difference(
                found, support::interpret<double>(g.tape(), outputs, batch, 3, seed)) <= 1e-12);
  }
  CHECK(seen > 500);
}

TEST_CASE("an elementwise one is a function of equations, whose sizes are found", "[own]") {
  ops();
  const Definition d = parse_definition(kDefinition, "own.json");
  CHECK(check(d, {.steps = 3, .order = 2}).ok());
  CHECK(to_json(parse_definition(to_json(d), "again")) == to_json(d));
  const Definition inferred = definition_from_equations(
      {"h[t] = gated(W @ h[t-1] + U @ x[t], b)", "o[t] = V @ swish(h[t])"});
  CHECK(inferred.weights.size() == 4);
  CHECK(check(inferred, {.steps = 3}).ok());
  CHECK(has(problem([] { check(definition_from_equations({"h[t] = swich(x[t])"})); }), "G012"));
  CHECK(has(problem([] { check(definition_from_equations({"h[t] = gated(x[t])"})); }), "G015"));
  CHECK(has(problem([] { check(definition_from_equations({"h[t] = sum_of_squares(x[t])"})); }),
            "no function of equations"));
  // a definition's own function of that name wins, and a variable may have it
  const Definition own =
      parse_definition(R"~({"name": "f", "index": {"t": "tau"}, "inputs": {"x[t]": []},
    "functions": ["swish(a) = 2 * a"], "equations": ["h[t] = swish(x[t])"]})~",
                       "f.json");
  const RunResult r =
      run(own, {{"x", Tensor::of({1, 1}, std::vector<double>{3})}}, {}, {.fetch = {"h"}});
  CHECK(r.values.at("h").at(0) == 6);
  CHECK(check(definition_from_equations({"gated[t] = tanh(x[t])"})).ok());
}

TEST_CASE("a bad record is refused, by what it lacks", "[own]") {
  const auto refused = [](const std::function<void(Op&)>& change) {
    Op op = own_ops::swish();
    op.name = "fresh";
    change(op);
    return problem([&] { register_op(op); });
  };
  CHECK(has(refused([](Op& op) { op.name = "tanh"; }),
            "U024 the operation \"tanh\" has a name that is taken"));
  CHECK(has(refused([](Op& op) { op.name = "dropout"; }), "taken"));  // a function of the language
  CHECK(has(refused([](Op& op) { op.name = ops().swish.name; }), "taken"));
  for (const char* name : {"", "a b", "1st", "ä", "a[1]"})
    CHECK(has(refused([&](Op& op) { op.name = name; }), "needs a name"));
  CHECK(has(refused([](Op& op) { op.arity = 0; }), "has 0 inputs"));
  CHECK(has(refused([](Op& op) { op.arity = -2; }), "has -2 inputs"));
  CHECK(has(refused([](Op& op) { op.traits.leaf = true; }), "inputs"));
  CHECK(has(refused([](Op& op) { op.arity = kAnyArity; }), "known number of inputs"));
  CHECK(has(refused([](Op& op) { op.shape = nullptr; }), "no shape rule"));
  CHECK(has(refused([](Op& op) { op.forward.f32 = nullptr; }), "no forward rule for f32"));
  CHECK(has(refused([](Op& op) { op.forward.c128 = nullptr; }), "no forward rule for c128"));
  CHECK(has(refused([](Op& op) { op.vjp = nullptr; }), "has no vjp"));
  CHECK(find_op("fresh") == nullptr);
  // without a jvp it is differentiated backwards, and forwards refused
  Op op = own_ops::swish();
  op.name = "backwards_only";
  op.jvp = nullptr;
  const Op& registered = register_op(op);
  Graph g;
  const Var w = g.weight("w", {2}), y = apply(registered, {{w}}), v = g.weight("v", {2});
  CHECK(check(g, sum(y), {}, {.variables = {"w"}, .order = 2}).ok());
  CHECK(has(problem([&] { tangent(Vars{y}, Vars{w}, Vars{v}); }), "U024"));
  CHECK(has(problem([&] { apply_elementwise(registered, {}); }), "U022"));
}

TEST_CASE("a vjp that gives a node of another graph is refused", "[own]") {
  static Graph other;
  static const Var foreign = other.weight("z", {2});
  const Op& op = register_op(elementwise_op(
      "strays", "a vjp of another graph", [](auto a) { return a * a; },
      [](const Primal&, std::size_t, Var) { return foreign; }));
  Graph g;
  const Var x = g.weight("x", {2});
  const Var loss = sum(apply(op, {{x}}));
  CHECK(problem([&] { gradient(loss, x); }).starts_with("U024"));
}

TEST_CASE("--load: own operations in every command", "[own][cli]") {
  const Folder f;
  const std::string load = " --load " OWN_OPS "/libown_initialiser.so";
  const auto run = [&](const std::string& line) { return support::taugrad(f, line + load); };
  support::spill(f / "own.json", kDefinition);
  ops();
  support::spill(f / "g.json", [] {
    Graph g;
    const Var w = g.weight("w", {3});
    g.name(sum_of_squares(swish(w * g.input("x", {3}))), "loss");
    return to_json(g);
  }());
  CHECK(has(run("ops swish").out, "y = x sigmoid(x)"));
  CHECK(support::taugrad(f, "--load " OWN_OPS "/libown_initialiser.so ops swish").status == 0);
  CHECK(run("ops swish" + load).status == 0);  // twice the same
  for (const std::string view : {"folded", "unfolded", "gradient", "model"})
    for (const std::string format : {"dot", "svg"}) {
      INFO(view << " " << format);
      const auto drawn = run("show own.json --steps 3 --view " + view + " -o p." + format);
      CHECK(drawn.status == 0);
      if (view != "model") CHECK(has(support::slurp(f / ("p." + format)), "swish"));
    }
  for (const std::string order : {"1", "2"}) {
    CHECK(run("check own.json --steps 3 --order " + order).status == 0);
    CHECK(run("check g.json --order " + order).status == 0);
  }
  CHECK(run("check own.json --steps 3 --perturb swish").status == 1);
  CHECK(run("run own.json --steps 3 --fetch h,grad:W --seed 1").status == 0);
  CHECK(run("flow own.json --steps 4").status == 0);
  CHECK(run("inspect g.json").status == 0);
  CHECK(run("diff g.json g.json").status == 0);
  CHECK(run("check -e 'h[t] = swish(W @ h[t-1] + U @ x[t])'").status == 0);
  support::spill(f / "data.jsonl",
                 "{\"x\": [[1, 0], [0, 1]], \"y\": [0, 3]}\n{\"x\": [[1, 1]], \"y\": [2]}\n");
  CHECK(run("train own.json --data data.jsonl -o model --epochs 2 -q").status == 0);
  CHECK(run("eval model --data data.jsonl").status == 0);
  // without the library
  CHECK(has(support::taugrad(f, "check own.json").err, "unknown function \"swish\""));
  CHECK(has(support::taugrad(f, "check g.json").err, "--load"));
}

TEST_CASE("--load: what is no library of operations is told", "[own][cli]") {
  const Folder f;
  const auto err = [&](const std::string& file) {
    const auto r = support::taugrad(f, "ops --load " + file);
    CHECK(r.status != 0);
    return r.err;
  };
  CHECK(has(support::taugrad(f, "ops gated --load " OWN_OPS "/libown_entry.so").out,
            "y = tanh(a) b"));
  CHECK(has(err("missing.so"), "I001"));
  CHECK(has(err("."), "I003"));
  support::spill(f / "text.so", "no library");
  CHECK(has(err("text.so"), "I005"));
  CHECK(has(err(OWN_OPS "/libown_none.so"), "it registers none"));
  const std::string clash = err(OWN_OPS "/libown_clash.so");
  CHECK(has(clash, "U024"));
  CHECK(has(clash, "taken"));
  CHECK(has(support::taugrad(f, "ops --load").err, "--load needs a value"));
}
