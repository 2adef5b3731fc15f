#include "taugrad/io/graph_json.h"

#include <fmt/core.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>

#include "base/system/files.h"
#include "graph/gradient_order.h"
#include "random_graph.h"
#include "support_executor.h"
#include "support_scratch.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/base/error.h"
#include "taugrad/graph/op.h"
#include "taugrad/graph/verify.h"
#include "taugrad/ops/ops.h"
#include "taugrad/unfold/unfold.h"

using namespace taugrad;
using namespace support;
namespace fs = std::filesystem;

namespace {

const std::string kSource = TAUGRAD_SOURCE_DIR;

Graph again(const Graph& g) { return graph_from_json(to_json(g), "again.json"); }

void check_same(const Graph& a, const Graph& b) {
  const Tape &x = a.tape(), &y = b.tape();
  REQUIRE(x.size() == y.size());
  CHECK(x.length_names == y.length_names);
  REQUIRE(x.extent_count() == y.extent_count());
  for (ExtentId e = kEveryItem; e < x.extent_count(); ++e) CHECK(x.extent(e) == y.extent(e));
  std::size_t different = 0;
  for (NodeId id = 0; id < x.size(); ++id) {
    const Node n = x.node(id), m = y.node(id);
    const bool same =
        &n.op == &m.op && std::ranges::equal(n.inputs, m.inputs) && n.shape == m.shape &&
        n.name == m.name && std::ranges::equal(n.index, m.index) && n.is_value == m.is_value &&
        std::ranges::equal(x.letters(id), y.letters(id)) && n.extent == m.extent &&
        gradient_order(x, id) == gradient_order(y, id) && x.known_as(id) == y.known_as(id);
    different += !same;
  }
  CHECK(different == 0);
}

// loss and gradients of every weight, by the reference interpreter
std::vector<NodeId> with_gradients(const Unfolded& u) {
  Vars wrt;
  const Tape& tape = u.graph().tape();
  for (NodeId id = 0; id < tape.size(); ++id)
    if (tape.op(id).name == "weight" || tape.op(id).name == "copy")
      wrt.push_back(u.graph().tape().var(id));
  const Gradients g = gradient({&static_cast<const Var&>(u.loss()), 1}, {}, wrt);
  std::vector<NodeId> outputs{u.loss().id};
  for (const Var& v : g.values()) outputs.push_back(v.id);
  return outputs;
}

BatchContext ragged(const Tape& tape, const Unfolded& u) {
  BatchContext batch;
  batch.seed = 7;
  for (const std::string& name : tape.length_names) {
    const std::int64_t longest = u.length(name);
    batch.lengths.push_back({longest, longest - 1, longest - 2});
  }
  return batch;
}

}  // namespace

TEST_CASE(
    "S13: every shipped definition, unfolded and differentiated, comes back from JSON to the bit",
    "[graph_json]") {
  for (const auto& entry : fs::directory_iterator(kSource + "/graphs")) {
    if (entry.path().extension() != ".json") continue;
    DYNAMIC_SECTION(entry.path().stem().string()) {
      const Unfolded u =
          unfold(load_definition(entry.path().string()), {.steps = 4, .ragged = true});
      std::vector<NodeId> outputs;
      if (u.has_loss()) outputs = with_gradients(u);
      const std::string text = to_json(u.graph());
      const Graph back = graph_from_json(text, "again.json");
      CHECK(to_json(back) == text);
      verify(back.tape());
      check_same(u.graph(), back);
      if (outputs.empty()) continue;
      const BatchContext batch = ragged(u.graph().tape(), u);
      CHECK(loss_of(back).id == u.loss().id);
      CHECK(same_bits(interpret<double>(u.graph().tape(), outputs, batch, 3, 5),
                      interpret<double>(back.tape(), outputs, batch, 3, 5)));
    }
  }
}

TEST_CASE("graph json: random graphs come back to the bit", "[graph_json]") {
  for (unsigned seed = 0; seed < 300; ++seed) {
    GraphGenerator generator(seed);
    const RandomGraph g = generator.make(25, true);
    CAPTURE(seed);
    const std::string text = to_json(g.graph);
    const Graph back = graph_from_json(text, "again.json");
    REQUIRE(to_json(back) == text);
    check_same(g.graph, back);
  }
}

TEST_CASE("graph json: the gradient of a graph that was read is the gradient of the graph",
          "[graph_json]") {
  Graph g;
  const Var w = g.weight("W", {3, 2}), x = g.input("x", {2});
  g.name(sum(tanh(matmul(w, x))), "loss");
  Graph back = again(g);
  const Gradients a = gradient(g.at("loss"), {g.at("W")});
  const Gradients b = gradient(loss_of(back), {back.at("W")});
  CHECK(a[0].id == b[0].id);
  CHECK(to_json(g) == to_json(back));
}

TEST_CASE("graph json: attributes keep type and bits", "[graph_json]") {
  Graph g;
  const double numbers[] = {0.1,      -0.0,      0.0, 3.0,    1e22, 5e-324, 1.7976931348623157e308,
                            INFINITY, -INFINITY, NAN, 1.0 / 3};
  for (const double x : numbers) g.constant(x);
  const Var p = g.input("p", {2});
  for (const std::string stream : {"inf", "-inf", "nan", "", "a\"\\\n<\xC3\xA9", "text"})
    draw_bernoulli(p, stream);
  reshape(p, {1, 2});
  slice(p, 0, 1);
  clamp(p, -INFINITY, 1);
  const Graph back = again(g);
  CHECK(to_json(back) == to_json(g));
  for (NodeId id = 0; id < static_cast<NodeId>(std::size(numbers)); ++id) {
    const double got = back.tape().attrs(id).real("value"), want = numbers[id];
    CHECK(((std::isnan(want) && std::isnan(got)) ||
           (got == want && std::signbit(got) == std::signbit(want))));
  }
  for (NodeId id = p.id + 1; id < g.size(); ++id)
    CHECK(back.tape().attrs(id) == g.tape().attrs(id));
}

TEST_CASE("graph json: names are any UTF-8 of 256 bytes, indices any integers", "[graph_json]") {
  Graph g;
  std::string all_controls;
  for (char c = 1; c < 32; ++c) all_controls += c;
  const std::vector<std::string> names = {"</script><img src=x onerror=alert(1)>",
                                          "a\"b\\c",
                                          all_controls,
                                          "__metadata__",
                                          std::string("\0x", 2),
                                          "\xF0\x9F\x98\x80",
                                          std::string(256, 'n'),
                                          "inf"};
  for (const std::string& name : names) g.weight(name, {1});
  g.name(g.constant(1), "h", {INT32_MIN, 0, INT32_MAX});
  const Graph back = again(g);
  CHECK(to_json(back) == to_json(g));
  for (const std::string& name : names) CHECK(back.at(name).name() == name);
  CHECK(back.at("h", {INT32_MIN, 0, INT32_MAX}).id == static_cast<NodeId>(names.size()));
}

TEST_CASE("graph json: the form is one node a line with sorted keys", "[graph_json]") {
  Graph g;
  g.tape().length_names = {"tau"};
  const Var w = g.weight("W", {2, 3});
  const Var x =
      input(g.tape(), "x", {3}, std::vector<std::int32_t>{1}, g.tape().intern_extent({{{0, 1}}}));
  g.name(tanh(matmul(w, x)), "h", {1});
  CHECK(to_json(g) == R"({
"version": 1,
"lengths": ["tau"],
"extents": [
[],
[{"at_least": 1, "length": 0}]
],
"nodes": [
{"extent": 0, "id": 0, "name": "W", "op": "weight", "shape": [2, 3], "value": true},
{"extent": 2, "id": 1, "index": [1], "name": "x", "op": "input", "shape": [3], "value": true},
{"extent": 2, "id": 2, "inputs": [0, 1], "op": "matmul", "shape": [2]},
{"extent": 2, "id": 3, "index": [1], "inputs": [2], "name": "h", "op": "tanh", "shape": [2], "value": true}
]
}
)");
  CHECK(to_json(Graph()) ==
        "{\n\"version\": 1,\n\"lengths\": [],\n\"extents\": [\n[]\n],\n\"nodes\": [\n]\n}\n");
  CHECK(to_json(again(Graph())) == to_json(Graph()));
}

TEST_CASE("graph json: files in another layout and order mean the same", "[graph_json]") {
  const std::string text =
      R"({"nodes":[{"value":true,"name":"x","op":"input","shape":[],"id":0,"extent":2},
    {"shape":[],"op":"tanh","inputs":[0],"extent":2,"id":1,"attrs":{}}],
    "extents":[[],[{"length":1,"at_least":3}]],"lengths":["a","b"],"version":1})";
  const Graph g = graph_from_json(text, "g.json");
  CHECK(g.size() == 2);
  CHECK(g.tape().op(1).name == "tanh");
  CHECK(to_json(again(g)) == to_json(g));
  // whatever stands last in the file, nodes are read as nodes
  for (const char* nodes : {"1", "[]x", "{}", "\"a\"", "[1]", "[[]]", "null"})
    for (const char* last : {R"("lengths": [], "extents": [[]], "version": 1)",
                             R"("version": 1, "extents": [[]], "lengths": [])",
                             R"("lengths": [], "version": 1, "extents": [[]])"}) {
      CAPTURE(nodes, last);
      CHECK_THROWS_AS(graph_from_json(fmt::format("{{\"nodes\": {}, {}}}", nodes, last), "g.json"),
                      Error);
    }
}

TEST_CASE("graph json: golden files", "[graph_json]") {
  const auto golden = [](const std::string& name, const Graph& g) {
    const std::string path = kSource + "/tests/golden/" + name + ".graph.json";
    if (std::getenv("TAUGRAD_UPDATE_GOLDEN") != nullptr) save_graph(path, g);
    CHECK(read_file(path, 1 << 24) == to_json(g));
    CHECK(to_json(load_graph(path)) == to_json(g));
  };
  const auto shipped = [](const std::string& name) {
    return load_definition(kSource + "/graphs/" + name + ".json");
  };
  const Unfolded elman = unfold(shipped("elman"), {.steps = 2, .ragged = true});
  gradient(elman.loss(), {elman.weight("W"), elman.copy("W", 2)});
  golden("elman", elman.graph());
  golden("grid_convolution", unfold(shipped("grid_convolution"), {.steps = 2}).graph());
  golden("encoder_decoder",
         unfold(shipped("encoder_decoder"), {.steps = 2, .ragged = true}).graph());
}

TEST_CASE("graph json: a million nodes are written and read in linear time", "[graph_json]") {
  Graph g;
  Var h = g.weight("h", {4});
  const Var x = g.input("x", {4});
  const auto build = [&](int steps) {
    for (int t = 0; t < steps; ++t) h = g.name(tanh(h + x), "h", {t + 1});
  };
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](auto f) {
    const auto start = Clock::now();
    f();
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  const Scratch file("big.json");
  build(500000);
  const double write = seconds([&] { save_graph(file.path, g); });
  Graph back;
  const double read = seconds([&] { back = load_graph(file.path); });
  WARN("1,000,002 nodes, " << fs::file_size(file.path) << " bytes: written in " << write
                           << " s, read in " << read << " s");
  CHECK(back.size() == g.size());
  CHECK(back.at("h", {500000}).id == h.id);
  CHECK(write < 300);  // hours, were it quadratic
  CHECK(read < 300);
}
