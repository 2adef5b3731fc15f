#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "taugrad/base/error.h"
#include "taugrad/graph/op.h"
#include "taugrad/io/graph_json.h"
#include "taugrad/ops/ops.h"

using namespace taugrad;

namespace {

template <class F>
Diagnostic first_error(const F& call) {
  try {
    call();
  } catch (const Error& e) {
    return e.diagnostics().front();
  }
  return {};
}

}  // namespace

TEST_CASE("graph json: an attribute of another kind is refused by readers and builders",
          "[graph_json]") {
  const auto node = [](std::string_view op, std::string_view shape, std::string_view attrs) {
    return fmt::format(
        R"({{"version": 1, "lengths": ["tau"], "extents": [[]], "nodes": [{{"extent": 1, "id": 0,)"
        R"( "name": "x", "op": "input", "shape": [2], "value": true}},)"
        R"( {{"extent": 1, "id": 1, "inputs": [0], "op": "{}", "shape": {}, "attrs": {}}}]}})",
        op, shape, attrs);
  };
  const auto refused = [](const std::string& text, const char* message) {
    const Diagnostic d = first_error([&] { graph_from_json(text, "g.json"); });
    CHECK(d.code == "G020");
    CHECK_THAT(d.message, Catch::Contains(message));
  };
  const auto input = [](std::string_view position) {
    return fmt::format(
        R"({{"version": 1, "lengths": [], "extents": [[]], "nodes": [{{"extent": 1, "id": 0,)"
        R"( "name": "x", "op": "input", "shape": [2], "value": true,)"
        R"( "attrs": {{"position": {}}}}}]}})",
        position);
  };
  refused(input("\"yes\""), "attribute \"position\" is 0 or 1, not \"yes\"");
  refused(input("[0]"), "attribute \"position\" is 0 or 1, not an array of integers");
  refused(input("1.5"), "attribute \"position\" is 0 or 1, not the real 1.5");
  refused(node("slice", "[1]", R"({"from": "a", "to": 1})"), "\"from\" is an integer, not \"a\"");
  refused(node("reshape", "[1,2]", R"({"shape": 2})"), "is an array of integers, not 2");
  refused(node("draw_bernoulli", "[2]", R"({"stream": 2})"), "\"stream\" is text, not 2");
  refused(node("clamp", "[2]", R"({"lo": "a", "hi": 2})"), "\"lo\" is a real number, not \"a\"");

  const auto weight = [](std::string_view init) {
    return fmt::format(
        R"({{"version": 1, "lengths": [], "extents": [[]], "nodes": [{{"extent": 0, "id": 0,)"
        R"( "name": "w", "op": "weight", "shape": [2], "value": true,)"
        R"( "attrs": {{"init": "{}"}}}}]}})",
        init);
  };
  refused(weight(""), "\"init\" is empty");
  CHECK_THAT(first_error([&] { graph_from_json(weight("nan"), "g.json"); }).message,
             !Catch::Contains("real"));
  const Graph whole = graph_from_json(node("clamp", "[2]", R"({"lo": -1, "hi": 2})"), "g.json");
  CHECK(whole.tape().attrs(1).real("hi") == 2);  // an integer is a real number, too

  Graph g;
  const Var W = g.weight("W", {2, 2});
  const Diagnostic d = first_error([&] {
    g.tape().append(*find_op("solve"), std::vector<Var>{W, W}, {{"transposed", std::string("no")}});
  });
  CHECK_THAT(d.message, Catch::Contains("solve: attribute \"transposed\" is 0 or 1, not \"no\""));
  const Diagnostic twice = first_error([&] {
    graph_from_json(R"({"version": 1, "lengths": ["tau", "tau"], "extents": [[]], "nodes": []})",
                    "g.json");
  });
  CHECK(twice.code == "G013");
  CHECK(twice.message == "length \"tau\" stands twice");
}
