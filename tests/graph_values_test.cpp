// Values of graphs by name: ranges of positions, what is drawn, and what the library's words are.
#include <catch2/catch.hpp>

#include "support_by_hand.h"
#include "support_cli.h"
#include "support_errors.h"
#include "taugrad/taugrad.h"

using namespace support;

namespace {

// h[0] = tanh(w), h[t] = tanh(h[t-1] w)
Graph from_zero(int steps) {
  Graph g;
  const Var w = g.weight("w", {2});
  Var h;
  for (int t = 0; t < steps; ++t) {
    const auto step = g.step("t", t);
    h = g.name(tanh(h ? h * w : +w), "h");
  }
  g.name(sum(h), "loss");
  return g;
}

Tensor fetched(const Graph& g, const std::string& name, const Tensors& inputs,
               const Tensors& weights) {
  RunOptions o;
  o.fetch = {name};
  o.dtype = f64;
  return run(g, inputs, weights, o).values.at(name);
}

}  // namespace

TEST_CASE("a name is all the positions that there are, from 0 too", "[graphs]") {
  const Graph g = from_zero(3);
  const Tensors w{{"w", Tensor::of({1., 2.})}};
  const Tensor h = fetched(g, "h", {}, w);
  REQUIRE(h.dims() == Dims{3, 2});
  CHECK(h(0, 1) == Approx(std::tanh(2)));
  CHECK(h(2, 0) == Approx(std::tanh(std::tanh(std::tanh(1.)))));
  CHECK(fetched(g, "grad:h", {}, w).dims() == Dims{3, 2});
  // cotangents have the same rows
  const Tensors c{{"cotangent:h", Tensor::of({{1., 0.}, {0., 0.}, {0., 0.}})}};
  CHECK(fetched(g, "grad:w", c, w).at(0) == Approx(1 - std::tanh(1) * std::tanh(1)));
  // numbers at an end are a boundary, as h[0] = 0 is; a value there is not
  const Graph elman = unrolled_elman(3);
  CHECK(fetched(elman, "h", random_inputs(elman), initial_weights(elman)).dims() == Dims{3, 1, 3});
  Graph begun;
  Var s = begun.name(begun.input("s0", {2}), "s", {0});
  for (int t = 1; t <= 2; ++t) s = begun.name(tanh(s), "s", {t});
  CHECK(fetched(begun, "s", random_inputs(begun), {}).dims() == Dims{3, 1, 2});
  // of a definition h[0] is a boundary whatever it is
  const Definition d = load_definition(TAUGRAD_SOURCE_DIR "/graphs/vector_to_sequence_state.json");
  const Graph unfolded = unfold(d, {.steps = 3}).graph();
  CHECK(fetched(unfolded, "h", random_inputs(unfolded), initial_weights(unfolded)).dims()[0] == 3);
  const Folder f;
  save_graph(f / "g.json", g);
  CHECK(has(support::taugrad(f, "run g.json --fetch h").out, "h [3,2] f32"));
  const auto beyond = support::taugrad(f, "run g.json --fetch h[7]");
  CHECK(has(beyond.err, "h stands at [0], [1], [2]"));
}

TEST_CASE("a step far beyond the leaves that there are is refused by what it is", "[graphs]") {
  Graph g;
  Var h;
  {
    const auto step = g.step("t", 2147483647);
    h = g.name(tanh(g.input("x", {2}) * g.weight("v", {2})), "h");
  }
  g.name(sum(h), "loss");
  for (const auto& call : {std::function<void()>([&] { random_inputs(g); }),
                           std::function<void()>([&] { initial_weights(g); }),
                           std::function<void()>([&] { check(g); }),
                           std::function<void()>([&] { run(g, {}, {}, {}); })})
    CHECK(code_of(call) == "G011");
  CHECK_NOTHROW(write(g, Folder() / "g.svg"));
  Graph value;  // a value may stand there
  const auto step = value.step("t", 2147483647);
  value.name(tanh(value.weight("w", {2}, "ones") * 1.0), "h");
}

TEST_CASE("a graph's JSON keeps how weights begin, so that both draw the same bits", "[graphs]") {
  const Folder f;
  for (const std::string name : {"attention", "char_lm", "linear_map", "logistic", "product",
                                 "saturated_linear", "untied", "lstm"}) {
    INFO(name);
    const Definition d = load_definition(TAUGRAD_SOURCE_DIR "/graphs/" + name + ".json");
    const Graph g = unfold(d, {.steps = 4}).graph();
    const Graph read = graph_from_json(to_json(g), "g.json");
    CHECK(to_json(read) == to_json(g));
    const Tensors want = initial_weights(d, {.steps = 4, .seed = 3});
    CHECK(initial_weights(g, {.seed = 3}) == want);
    CHECK(initial_weights(read, {.seed = 3}) == want);
  }
  const Definition d = parse_definition(R"j({"name": "begins", "index": {"t": "tau"},
    "inputs": {"x[t]": [2]}, "weights": {
      "A": {"shape": [2, 2], "init": "orthogonal"}, "B": {"shape": [2, 2], "init": "normal(0.1)"},
      "C": {"shape": [2, 2], "init": {"values": [[0.25, "1/3"], [1e-300, -2]]}},
      "c": {"shape": [2], "init": 0.5}, "e": {"shape": [2], "init": {"values": [7]}},
      "F[t]": {"shape": [2, 2], "init": "orthogonal"}},
    "equations": ["h[t] = tanh(A @ h[t-1] + B @ x[t] + C @ x[t] + c + e + F[t] @ x[t])"]})j",
                                        "begins.json");
  const Graph g = graph_from_json(to_json(unfold(d, {.steps = 3}).graph()), "g.json");
  CHECK(initial_weights(g, {.seed = 5}) == initial_weights(d, {.steps = 3, .seed = 5}));
  // the same from the command line, on attention, whose scores begin elsewhere than the default
  const std::string how = " --seed 3 --dtype f64 -o ";
  CHECK(support::taugrad(f, "show attention --steps 4 --format json -o g.json").status == 0);
  CHECK(support::taugrad(f, "run attention --steps 4" + how + "a.safetensors").status == 0);
  CHECK(support::taugrad(f, "run g.json" + how + "b.safetensors").status == 0);
  CHECK(slurp(f / "a.safetensors") == slurp(f / "b.safetensors"));
}

TEST_CASE("a weight made by hand may say how it begins", "[graphs]") {
  Graph g;
  g.weight("W", {2, 2}, "identity");
  g.weight("b", {2}, "0.5");
  g.weight("u", {2}, "[1, -2.5]");
  const Tensors w = initial_weights(graph_from_json(to_json(g), "g.json"));
  CHECK(w.at("W") == Tensor::of({{1., 0.}, {0., 1.}}));
  CHECK(w.at("b") == Tensor::of({0.5, 0.5}));
  CHECK(w.at("u") == Tensor::of({1., -2.5}));
  CHECK(code_of([&] { g.weight("V", {2}, "unifrom(1)"); }) == "G010");
  CHECK(code_of([&] { g.weight("V", {3}, "[1, 2]"); }) == "G020");
  {
    const auto step = g.step("t", 1);
    const Var h = matmul(g.at("W"), g.input("x", {2}));
    CHECK(g.node(g.node(h.id).inputs[0]).attrs.empty());  // of the copy
  }
  const std::string text = R"j({"version": 1, "lengths": [], "extents": [[]], "nodes": [
    {"attrs": {"init": "unifrom(1)"}, "extent": 0, "id": 0, "name": "W", "op": "weight", "shape": [2], "value": true}]})j";
  CHECK(code_of([&] { graph_from_json(text, "g.json"); }) == "G010");
}

TEST_CASE("the library's help speaks of its interface, the program's of its options", "[graphs]") {
  const Folder f;
  Graph g;
  const Var w = g.weight("w", {2}), x = g.input("x", {2});
  g.name(w * x, "a");
  save_graph(f / "g.json", g);
  const auto help = [](const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& e) {
      return e.diagnostics().front().help;
    }
    return std::string("no error");
  };
  const std::string suffix = help([&] { write(g, f / "g.png"); });
  CHECK(has(suffix, "DOT text"));
  const std::string loss = help([&] { loss_of(g); });
  CHECK(has(loss, "name a number \"loss\""));
  const std::string memory = help([&] {
    Program p(g, w * x, {.engine = {.max_memory = 1}});
    p({{"x", Tensor::zeros({1, 2})}}, {{"w", Tensor::zeros({2})}});
  });
  CHECK(has(memory, "max_memory"));
  for (const std::string& text : {suffix, loss, memory}) {
    CHECK_FALSE(has(text, "--"));
    CHECK_FALSE(has(text, "| dot"));
  }
  CHECK(has(support::taugrad(f, "show g.json -o g.png").err, "| dot -Tpng > FILE.png"));
  CHECK(has(support::taugrad(f, "run g.json --fetch grad:w").err, "--loss NAME"));
  CHECK(has(support::taugrad(f, "run g.json --max-memory 1").err, "--max-memory"));
  CHECK(has(support::taugrad(f, "run lstm --inputs none.json").err, "none.json"));
}
