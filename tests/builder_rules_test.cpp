// What C++ builds and what a graph's file may say are checked by the same rules.
#include <catch2/catch.hpp>
#include <functional>

#include "random_graph.h"
#include "taugrad/base/error.h"
#include "taugrad/evaluate/program.h"
#include "taugrad/graph/verify.h"
#include "taugrad/io/graph_json.h"
#include "taugrad/ops/records.h"
#include "taugrad/reference/check.h"

using namespace support;

namespace {

std::string code_of(const std::function<void()>& call, std::string* message = nullptr) {
  try {
    call();
  } catch (const Error& e) {
    if (message) *message = e.what();
    return e.diagnostics()[0].code;
  }
  return "";
}

void reads_back(const Graph& g) {
  verify(g.tape());
  const std::string text = to_json(g);
  CHECK(to_json(graph_from_json(text, "graph.json")) == text);
}

struct Row {
  const char* what;
  std::function<void(Graph&)> build;
  const char* code;  ///< "": accepted
};

std::vector<Row> rows() {
  const auto extent = [](Graph& g, std::int32_t at_least) {
    g.tape().length_names = {"tau"};
    return g.tape().intern_extent({{{0, at_least}}});
  };
  return {
      {"a weight twice", [](Graph& g) { g.weight("w", {2}), g.weight("w", {2}); }, "G013"},
      {"of another shape", [](Graph& g) { g.weight("w", {2}), g.weight("w", {3}); }, "G024"},
      {"an input twice", [](Graph& g) { g.input("x"), g.input("x"); }, "G013"},
      {"an input of another shape",
       [](Graph& g) {
         g.input("x", {2}), g.input("x", {2, 2});
       },
       "G024"},
      {"a weight named as an input", [](Graph& g) { g.input("x"), g.weight("x"); }, "G013"},
      {"a category named as an input", [](Graph& g) { g.input("x"), g.category("x", 3); }, "G013"},
      {"categories of two sizes",
       [](Graph& g) {
         category_input(g.tape(), "y", 3, std::vector<std::int32_t>{1});
         category_input(g.tape(), "y", 4, std::vector<std::int32_t>{2});
       },
       "G013"},
      {"positions of one input",
       [](Graph& g) {
         for (const std::int32_t t : {1, 2}) input(g.tape(), "x", {2}, std::vector{t});
       },
       ""},
      {"positions of two shapes",
       [](Graph& g) {
         for (const std::int32_t t : {1, 2}) weight(g.tape(), "W", {t}, std::vector{t});
       },
       "G024"},
      {"with an index and without",
       [](Graph& g) { g.input("x"), input(g.tape(), "x", {}, std::vector<std::int32_t>{1}); },
       "G013"},
      {"an untied weight and its copy",
       [](Graph& g) {
         const Var w = weight(g.tape(), "W", {2}, std::vector<std::int32_t>{1});
         g.tape().set_owner(0, g.tape().intern_index(std::vector<std::int32_t>{1}));
         copy(w);
         g.tape().set_owner(0, 0);
       },
       ""},
      {"two nodes named y",
       [](Graph& g) {
         const Var x = g.input("x");
         g.name(tanh(x), "y"), g.name(exp(x), "y");
       },
       "G013"},
      {"one node named y twice",
       [](Graph& g) {
         const Var y = tanh(g.input("x"));
         g.name(y, "y"), g.name(y, "y");
       },
       ""},
      {"a node with two names", [](Graph& g) { g.name(g.input("x"), "y"), g.at("y"); }, ""},
      {"a name that is taken", [](Graph& g) { g.name(tanh(g.input("x")), "x"); }, "G013"},
      {"no name", [](Graph& g) { g.input(""); }, ""},
      {"no name of a node", [](Graph& g) { g.name(tanh(g.input("x")), ""); }, "G025"},
      {"256 bytes", [](Graph& g) { g.weight(std::string(256, 'n')); }, ""},
      {"257 bytes", [](Graph& g) { g.weight(std::string(257, 'n')); }, "G025"},
      {"bytes that are no text", [](Graph& g) { g.input("\xff\xfe"); }, "G025"},
      {"half a character", [](Graph& g) { g.name(g.constant(1), "h\xc3"); }, "G025"},
      {"of a category", [](Graph& g) { g.category("\x80", 3); }, "G025"},
      {"of an owner", [](Graph& g) { g.tape().intern_name("\xed\xa0\x80"); }, "G025"},
      {"of a stream", [](Graph& g) { draw_normal(g.input("x"), "\xff"); }, "G025"},
      {"of a length", [](Graph& g) { g.tape().length_names = {"\xff"}, to_json(g); }, "G025"},
      {"tanh(category)", [](Graph& g) { tanh(g.category("y", 3)); }, "E011"},
      {"category + 1", [](Graph& g) { g.category("y", 3) + 1.0; }, "E011"},
      {"category * x", [](Graph& g) { g.input("x") * g.category("y", 3); }, "E011"},
      {"sum(category)", [](Graph& g) { sum(g.category("y", 3)); }, "E011"},
      {"stack of categories", [](Graph& g) { stack(Vars{g.category("y", 3)}); }, "E011"},
      {"less of categories", [](Graph& g) { less(g.category("y", 3), g.category("z", 3)); },
       "E011"},
      {"a bernoulli target that is a category",
       [](Graph& g) { nll_bernoulli(g.input("x"), g.category("y", 2)); }, "E011"},
      {"one_hot of a number", [](Graph& g) { one_hot(g.input("x"), 3); }, "E011"},
      {"embed of a number",
       [](Graph& g) {
         embed(g.weight("E", {3, 2}), g.input("x"));
       },
       "E011"},
      {"embed, too many symbols",
       [](Graph& g) {
         embed(g.weight("E", {3, 2}), g.category("y", 100));
       },
       "G020"},
      {"embed, fewer symbols",
       [](Graph& g) {
         embed(g.weight("E", {3, 2}), g.category("y", 2));
       },
       ""},
      {"one_hot, too few places", [](Graph& g) { one_hot(g.category("y", 5), 4); }, "G020"},
      {"one_hot, a negative size", [](Graph& g) { one_hot(g.category("y", 5), -1); }, "G021"},
      {"one_hot, a size that overflows",
       [](Graph& g) { one_hot(g.category("y", 5), std::int64_t{1} << 62); }, "G021"},
      {"logits [4] with category 5",
       [](Graph& g) { nll_categorical(g.input("z", {4}), g.category("y", 5)); }, "G020"},
      {"p [4] with category 5",
       [](Graph& g) { nll_categorical_p(g.input("z", {4}), g.category("y", 5)); }, "G020"},
      {"logits with a number", [](Graph& g) { nll_categorical(g.input("z", {4}), g.input("y")); },
       "E011"},
      {"scatter_rows", [](Graph& g) { scatter_rows(g.category("y", 5), g.input("r", {2}), 4); },
       "G020"},
      {"where of a category and a number",
       [](Graph& g) { where(g.input("c"), g.category("y", 3), g.input("x")); }, "E011"},
      {"where of two sizes",
       [](Graph& g) { where(g.input("c"), g.category("y", 3), g.category("z", 4)); }, "E011"},
      {"where of categories",
       [](Graph& g) { one_hot(where(g.input("c"), g.category("y", 3), g.category("z", 3)), 3); },
       ""},
      {"where on a category",
       [](Graph& g) { where(g.category("c", 2), g.input("y"), g.input("z")); }, "E011"},
      {"equal of a category and a number",
       [](Graph& g) { equal(g.category("y", 3), g.constant(0)); }, ""},
      {"equal of a category and numbers",
       [](Graph& g) { equal(g.category("y", 3), g.input("v", {3})); }, ""},
      {"what is equal is a number",
       [](Graph& g) { tanh(equal(g.category("y", 3), g.category("z", 3))); }, ""},
      {"argmax is a category", [](Graph& g) { tanh(argmax(g.input("x", {3}))); }, "E011"},
      {"a draw is a category", [](Graph& g) { exp(draw_categorical(g.input("x", {3}), "s")); },
       "E011"},
      {"a copy stays one", [](Graph& g) { exp(copy(g.category("y", 3))); }, "E011"},
      {"stop_gradient stays one", [](Graph& g) { exp(stop_gradient(g.category("y", 3))); }, "E011"},
      {"a category without symbols", [](Graph& g) { g.category("y", 0); }, "G020"},
      {"a negative one", [](Graph& g) { g.category("y", -5); }, "G020"},
      {"an absent one without symbols", [](Graph& g) { absent_category(g.tape(), 0); }, "G020"},
      {"rank 5",
       [](Graph& g) {
         g.input("x", {1, 1, 1, 1, 1});
       },
       "G021"},
      {"rank 9", [](Graph& g) { g.input("x", Shape(std::vector<std::int64_t>(9, 1))); }, "G021"},
      {"an axis that is negative", [](Graph& g) { g.input("x", {-1}); }, "G021"},
      {"elements that overflow",
       [](Graph& g) {
         g.weight("x", {2147483647, 2147483647, 2147483647, 2147483647});
       },
       "G021"},
      {"outer that overflows",
       [](Graph& g) { outer(g.input("x", {2147483647}), g.input("y", {2147483647})); }, "G021"},
      {"clamp the wrong way", [](Graph& g) { clamp(g.input("x"), 1, 0); }, "G020"},
      {"clamp to NaN", [](Graph& g) { clamp(g.input("x"), 0, std::nan("")); }, "G020"},
      {"dropout of 2", [](Graph& g) { dropout_mask(g.input("x"), 2, "s"); }, "G020"},
      {"dropout of NaN", [](Graph& g) { dropout_mask(g.input("x"), std::nan(""), "s"); }, "G020"},
      {"top -1", [](Graph& g) { draw_categorical(g.input("x", {3}), "s", -1); }, "G020"},
      {"no such length", [](Graph& g) { length(g.tape(), 0); }, "G020"},
      {"length -1", [&](Graph& g) { extent(g, 1), length(g.tape(), -1); }, "G020"},
      {"a length of all items", [&](Graph& g) { extent(g, 1), length(g.tape(), 0, kShared); },
       "G020"},
      {"if_length of no length",
       [&](Graph& g) { extent(g, 1), if_length(g.input("x"), 3, 1, kEveryItem); }, "G020"},
      {"at_length of no length",
       [&](Graph& g) { extent(g, 1), at_length(Vars{g.input("x")}, 3, 1, kEveryItem); }, "G020"},
      {"items that there are not", [](Graph& g) { input(g.tape(), "x", {}, {}, 77); }, "G020"},
      {"a bound of no length",
       [](Graph& g) {
         input(g.tape(), "x", {}, {}, g.tape().intern_extent({{{5, 1}}}));
       },
       "G014"},
      {"a bound of no length that nobody uses",
       [](Graph& g) {
         g.tape().intern_extent({{{5, 1}}}), to_json(g);
       },
       "G014"},
      {"a bound of 0", [&](Graph& g) { extent(g, 0); }, "G011"},
      {"bounds twice",
       [&](Graph& g) {
         extent(g, 1), g.tape().intern_extent({{{0, 1}, {0, 2}}});
       },
       "G013"},
      {"restrict to more items",
       [&](Graph& g) { restrict_to(input(g.tape(), "x", {}, {}, extent(g, 3)), kEveryItem); },
       "G020"},
      {"extend to fewer items", [&](Graph& g) { extend_to(g.input("x"), extent(g, 3)); }, "G020"},
      {"items of what is shared", [&](Graph& g) { restrict_to(g.weight("w"), extent(g, 3)); },
       "G020"},
      {"to_items of an item", [](Graph& g) { to_items(g.input("x"), kEveryItem); }, "G020"},
      {"a leaf that is none", [](Graph& g) { g.tape().leaf(kTanh, {}, kEveryItem); }, "G020"},
      {"a weight of items", [](Graph& g) { g.tape().leaf(kWeight, {}, kEveryItem); }, "G020"},
      {"a constant without a value", [](Graph& g) { g.tape().leaf(kConstant, {}, kShared); },
       "G020"},
      {"an op without inputs", [](Graph&) { taugrad::apply(kAddN, Vars{}); }, "G020"},
      {"too many inputs",
       [](Graph& g) {
         taugrad::apply(kTanh, Vars{g.input("x"), g.input("y")});
       },
       "G020"},
      {"a category that is claimed",
       [](Graph& g) {
         taugrad::apply(kTanh, Vars{g.input("x")}, {{"category", std::int64_t{3}}});
       },
       "E011"},
      {"one of another size",
       [](Graph& g) {
         taugrad::apply(kCopy, Vars{g.category("y", 3)}, {{"category", std::int64_t{4}}});
       },
       "E011"},
      {"one that is forgotten", [](Graph& g) { taugrad::apply(kCopy, Vars{g.category("y", 3)}); },
       "E011"},
  };
}

}  // namespace

TEST_CASE("builders refuse what readers refuse, and read back what they accept",
          "[builder_rules]") {
  for (const Row& row : rows()) {
    INFO(row.what);
    Graph g;
    std::string message;
    CHECK(code_of([&] { row.build(g); }, &message) == row.code);
    INFO(message);
    // nothing half made stays behind: what there is, is sound
    if (code_of([&] { to_json(g); }) == "") reads_back(g);
  }
}

TEST_CASE("a file is checked as a builder is", "[builder_rules]") {
  const auto file = [](const std::string& nodes) {
    return R"({"version": 1, "lengths": [], "extents": [[]], "nodes": [)" + nodes + "]}";
  };
  const std::string y =
      R"({"attrs": {"category": 5}, "extent": 1, "id": 0, "name": "y", "op": "input", "shape": [], "value": true})";
  const auto second = [&](const std::string& rest) {
    return file(y + ", {\"id\": 1, " + rest + "}");
  };
  struct Case {
    std::string text;
    const char* code;
  };
  const Case cases[] = {
      {second(R"("extent": 1, "inputs": [0], "op": "tanh", "shape": [])"), "E011"},
      {second(R"("extent": 1, "inputs": [0], "op": "copy", "shape": [])"), "E011"},
      {second(R"("attrs": {"category": 4}, "extent": 1, "inputs": [0], "op": "copy", "shape": [])"),
       "E011"},
      {second(R"("attrs": {"category": 5}, "extent": 1, "inputs": [0], "op": "copy", "shape": [])"),
       ""},
      {second(R"("attrs": {"size": 4}, "extent": 1, "inputs": [0], "op": "one_hot", "shape": [4])"),
       "G020"},
      {second(R"("attrs": {"size": 5}, "extent": 1, "inputs": [0], "op": "one_hot", "shape": [5])"),
       ""},
      {second(
           R"("attrs": {"hi": 0.0, "lo": 1.0}, "extent": 1, "inputs": [0], "op": "clamp", "shape": [])"),
       "E011"},
      {second(
           R"("extent": 1, "index": [1], "name": "y", "op": "input", "shape": [2], "value": true)"),
       "G024"},
      {second(
           R"("extent": 0, "index": [1], "name": "y", "op": "weight", "shape": [], "value": true)"),
       "G013"},
      {second(
           R"("attrs": {"p": 2.0, "stream": "s"}, "extent": 1, "op": "dropout_mask", "shape": [])"),
       "G020"},
      {second(R"("attrs": {"p": 0.5}, "extent": 1, "op": "dropout_mask", "shape": [])"), "G020"},
      {file(R"({"id": 0, "extent": 1, "op": "input", "shape": [3], "name": "z", "value": true},
               {"id": 1, "extent": 1, "inputs": [0], "op": "argmax", "shape": []})"),
       "G020"},
      {file(R"({"id": 0, "extent": 0, "op": "weight", "shape": [], "name": "w", "value": true},
               {"id": 1, "attrs": {"extent": 1}, "extent": 1, "inputs": [0], "op": "restrict_to", "shape": []})"),
       "G020"},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    CHECK(code_of([&] { graph_from_json(c.text, "g.json"); }) == c.code);
  }
}

TEST_CASE("random graphs and their gradients write and read back", "[builder_rules]") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    INFO("seed " << seed);
    RandomGraph made = GraphGenerator(seed).make(40, true);
    reads_back(made.graph);
    // gradients again: of what has a gradient already, of names as long as there are
    const Var w = made.graph.weight(std::string(256, 'w'), {3});
    const Var loss = sum(tanh(w) * w);
    const Gradients first = gradient(loss, {w});
    const Gradients second = gradient(sum(first.values()[0]), {w});
    gradient(loss * loss, {w, loss});
    CHECK(second.values()[0].shape() == Shape{3});
    reads_back(made.graph);
  }
}

TEST_CASE("a leaf of the wrong size in a check, and leaves that fit no tensor", "[builder_rules]") {
  Graph g;
  const Var x = g.input("x", {2}), loss = sum(x * x);
  CheckPoint point;
  point.leaves = {{x, {1, 2, 3}}};
  CHECK(code_of([&] { check_gradients(loss, Vars{x}, point); }) == "D011");
  point.leaves = {{x, {1}}};
  CHECK(code_of([&] { check_gradients(loss, Vars{x}, point, {.method = Method::central}); }) ==
        "D011");
  Graph other;
  point.leaves = {{other.input("x", {2}), {1, 2}}};
  CHECK(code_of([&] { check_gradients(loss, Vars{x}, point); }) == "U021");
  const Var early = input(g.tape(), "u", {}, std::vector<std::int32_t>{0});
  CHECK(code_of([&] { Program(g, {early * 1.0}); }) == "G020");
}
