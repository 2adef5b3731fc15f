// Names of graphs built by hand: none reads as a position, a number, a role; of several letters all
// are told.
#include <catch2/catch.hpp>

#include "support_cli.h"
#include "support_errors.h"
#include "taugrad/taugrad.h"

using namespace taugrad;

namespace {

using support::code_of;
using support::Folder;
using support::has;

// one weight read in an encoder over s and a decoder over t
Graph tied_encoder_decoder() {
  Graph g;
  const Var W = g.weight("W", {2, 2}), V = g.weight("V", {2});
  Var h = g.name(g.zeros({2}), "h", {0});
  for (int s = 1; s <= 2; ++s) {
    const auto step = g.step("s", s);
    h = g.name(tanh(matmul(W, h) + g.input("u", {2})), "h");
  }
  Var d = g.name(h * 1.0, "d", {0});
  for (int t = 1; t <= 3; ++t) {
    const auto step = g.step("t", t);
    d = g.name(tanh(matmul(W, d) * V), "d");
  }
  g.name(sum(d * d), "loss");
  return g;
}

std::string node(const std::string& fields) {
  return R"({"version": 1, "lengths": [], "extents": [[]], "nodes": [
{"extent": 0, "id": 0, "name": "W", "op": "weight", "shape": [2], "value": true},
)" + fields +
         "\n]}\n";
}

std::string read_error(const std::string& json) {
  try {
    graph_from_json(json, "g.json");
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("names that read as something else are refused where they are given", "[by_hand]") {
  Graph g;
  const Var w = g.weight("w", {2}), x = g.input("x", {2});
  for (const std::string name :
       {"#4", "#4a", "#a", "grad:w", "cotangent:x", "V[]", "h[t=3]", "grad:w[3]", "h(3)", "p(1,2)",
        "h[", "h]", "[3]", "h[t]", "h[t-1]"}) {
    INFO(name);
    const NodeId before = g.size();
    const Var v = w * x;
    const auto refused = [&](const auto& call) {
      try {
        call();
      } catch (const Error& e) {
        CHECK(e.status() == Status::usage);
        CHECK(e.diagnostics().front().code == "G025");
        CHECK_FALSE(e.diagnostics().front().help.empty());
        return true;
      }
      return false;
    };
    CHECK(refused([&] { g.name(v, name); }));
    CHECK(refused([&] { g.name(v, name, {2}); }));
    CHECK(refused([&] { g.weight(name, {2}); }));
    CHECK(refused([&] { g.input(name, {2}); }));
    CHECK(refused([&] { g.category(name, 3); }));
    CHECK(g.size() == before + 1);
  }
  for (const std::string name : {"item", "lengths", "lengths:t"}) {
    CHECK(code_of([&] { g.input(name); }) == "G025");
    CHECK_NOTHROW(g.name(w * x, name));
  }
  for (const std::string name :
       {"grad", "gradient:w", "sigmoid(z)", "h()", "(3)", "a#", "a]>", "#", "# of words"})
    CHECK_NOTHROW(g.name(w * x, name));
  CHECK(code_of([&] { g.name(w * x, "y[2]", {3}); }) == "G025");
  for (const std::string letter : {"t[1]", "t=", "i,j"})
    CHECK(code_of([&] { (void)g.step(letter, 1); }) == "G025");
}

TEST_CASE("a file's names do not read as something else either", "[by_hand][json]") {
  const auto computed = [](const std::string& name) {
    return node(R"({"extent": 0, "id": 1, "inputs": [0], "name": ")" + name +
                R"(", "op": "tanh", "shape": [2], "value": true})");
  };
  for (const std::string name : {"#4", "cotangent:W", "h[2]", "h[t=2]", "V[]"}) {
    INFO(name);
    const std::string text = read_error(computed(name));
    CHECK(has(text, "G025"));
    CHECK(has(text, "g.json:3"));
  }
  CHECK(has(read_error(computed("h[2]")), "\"index\": [3] say h[3]"));
  for (const std::string name : {"grad:W", "grad:V[]", "h[a]", "nll:y"})
    CHECK(read_error(computed(name)).empty());
  const auto leaf = [](const std::string& name) {
    return node(R"({"extent": 1, "id": 1, "name": ")" + name +
                R"(", "op": "input", "shape": [], "value": true})");
  };
  for (const std::string name : {"grad:W", "item", "lengths", "x[2]", "#1"}) {
    INFO(name);
    CHECK(has(read_error(leaf(name)), "G025"));
  }
  CHECK(read_error(leaf("cotangent:W")).empty());  // of an unfolded definition without a loss
}

TEST_CASE("copies of one weight under two letters are told apart everywhere", "[by_hand]") {
  const Graph g = tied_encoder_decoder();
  CHECK(code_of([&] { g.at("W", {1}); }) == "G014");
  CHECK(code_of([&] { g.at("W[1]"); }) == "U020");
  const Var in_s = g.at("W[s=1]"), in_t = g.at("W[t=1]");
  CHECK(in_s != in_t);
  CHECK(g.at("W[t=3]") == g.at("W", {3}));  // there is no W[s=3]
  CHECK(g.tape().label(in_s.id) == "W[s=1]");
  CHECK(g.tape().label(g.at("h", {1}).id) == "h[1]");

  std::vector<std::string> names;
  for (const VariableCheck& v : check(g).variables) names.push_back(v.name);
  CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
  CHECK(std::ranges::count(names, "W[s=1]") == 1);
  CHECK(std::ranges::count(names, "W[t=3]") == 1);
  const GraphCheckOptions of_one{.variables = {"W[t=1]"}, .control = {.perturb = "W[s=2]"}};
  CHECK(code_of([&] { check(g, {.control = {.perturb = "W[q=2]"}}); }) == "U002");
  CHECK(code_of([&] { check(g, of_one); }) == "U002");  // no gradient of W[t=1] passes through it
  CHECK_FALSE(check(g, {.control = {.perturb = "W[s=2]"}}).ok());

  const Gradients d = gradient(g.at("loss"), {in_s, in_t});
  CHECK(d["W[s=1]"] == d[0]);
  Program run(g, {d[0], d[1]});
  const Outputs out = run(random_inputs(g), initial_weights(g));
  CHECK(out.contains("grad:W[s=1]"));
  CHECK(out.contains("grad:W[t=1]"));
  CHECK(g.at("grad:W[s=1]") == d[0]);
  const Graph again = graph_from_json(to_json(g), "again.json");
  CHECK(to_json(again) == to_json(g));
  CHECK(again.at("grad:W[t=1]").id == d[1].id);
}

TEST_CASE("the commands take and print the letters of copies", "[by_hand][cli]") {
  const Folder f;
  save_graph(f / "g.json", tied_encoder_decoder());
  const auto check = support::taugrad(f, "check g.json");
  CHECK(has(check.out, "W[s=1]"));
  CHECK(has(check.out, "W[t=1]"));
  const auto run =
      support::taugrad(f, "run g.json --fetch 'W[s=1],grad:W[t=2],grad:W[s=2]' --json");
  CHECK(run.status == 0);
  CHECK(nlohmann::json::parse(run.out).contains("grad:W[t=2]"));
  const auto two = support::taugrad(f, "run g.json --fetch 'grad:W[1]'");
  CHECK(two.status == 2);
  CHECK(has(two.err, "write W[s=1] or W[t=1]"));
  const auto flow = nlohmann::json::parse(support::taugrad(f, "flow g.json --json").out);
  std::set<std::string> copies;
  for (const auto& w : flow["weights"])
    for (const auto& copy : w["copies"])
      if (w["name"] == "W") copies.insert(copy["name"].get<std::string>());
  CHECK(copies == std::set<std::string>{"W[s=1]", "W[s=2]", "W[t=1]", "W[t=2]", "W[t=3]"});
  CHECK(support::taugrad(f, "check g.json --perturb 'W[t=2]' -q").status == 1);
}

TEST_CASE("control characters of names do not reach a terminal", "[by_hand][cli]") {
  const Folder f;
  Graph g;
  const std::string red = "\x1b[31mred\x1b[0m", turned = "a\u202egfedcb", c1 = "c\u009b31m";
  const Var w = g.weight(red, {2}), v = g.weight(turned, {2}), u = g.weight(c1, {2});
  for (int t = 1; t <= 3; ++t) {
    const auto step = g.step("t", t);
    const Var before = t == 1 ? g.zeros({2}) : g.at("line\nbreak", {t - 1});
    g.name(tanh(w * v * u * before + g.input("x", {2})), "line\nbreak");
  }
  gradient(g.name(sum(g.at("line\nbreak", {3})), "loss"), {w, v});
  save_graph(f / "g.json", g);
  const auto clean = [](const std::string& text) {
    return !has(text, "\x1b") && !has(text, "\u202e") && !has(text, "\u009b") &&
           !has(text, "line\nbreak");
  };
  for (const std::string line :
       {"show g.json", "show g.json --format svg", "show g.json --view gradient",
        "show g.json --format json", "check g.json", "check g.json --perturb tanh",
        "check g.json --json", "run g.json", "run g.json --json", "flow g.json",
        "flow g.json --json", "inspect g.json", "inspect g.json --json", "diff g.json other.json",
        "run g.json --fetch nothing", "show g.json --plan", "check g.json --variables nothing"}) {
    INFO(line);
    if (has(line, "other")) {
      Graph other = clone(g);
      other.weight("more\x1b[2J", {2});
      save_graph(f / "other.json", other);
    }
    const auto r = support::taugrad(f, line);
    CHECK(clean(r.out));
    CHECK(clean(r.err));
  }
}

TEST_CASE("letters say which number is which, in any order", "[by_hand]") {
  Graph g;
  const Var W = g.weight("W", {2});
  for (int i = 1; i <= 2; ++i)
    for (int j = 1; j <= 3; ++j) {
      const auto row = g.step("i", i);
      const auto column = g.step("j", j);
      g.name(W * g.input("x", {2}), "p");
    }
  CHECK(g.at("W[j=3,i=2]").id == g.at("W", {2, 3}).id);
  CHECK(g.at("W[i=2,j=3]").id == g.at("W[2,3]").id);
  CHECK(code_of([&] { g.at("W[j=2,i=3]"); }) == "G014");
  try {
    g.at("W[s=1,t=2]");
    FAIL("no such letters");
  } catch (const Error& e) {
    CHECK(has(e.what(), "W stands at [1,1], [1,2], .. [2,3] of i,j"));
  }
}

TEST_CASE("a leaf's attribute that its operation does not know is refused", "[by_hand][json]") {
  const auto with = [](const std::string& attrs) {
    return read_error(R"({"version": 1, "lengths": [], "extents": [[]], "nodes": [
{"extent": 1, "id": 0, "name": "y", "op": "input", "shape": [], "value": true, "attrs": )" +
                      attrs + "}\n]}\n");
  };
  CHECK(with(R"({"category": 3})").empty());
  CHECK(has(with(R"({"categories": 3})"),
            "input: has no attribute \"categories\": it takes category"));
}

TEST_CASE("an attribute that the operation does not take is refused", "[by_hand][json]") {
  const auto with = [](const std::string& attrs) {
    return read_error(node(R"({"attrs": )" + attrs + R"(, "extent": 0, "id": 1, "inputs": [0],
 "name": "s", "op": "softmax", "shape": [2], "value": true})"));
  };
  CHECK(has(with(R"({"epsilon": 1.0})"), "softmax: has no attribute \"epsilon\""));
  CHECK(has(with(R"({"axis": 0})"), "softmax: has no attribute \"axis\""));  // of other operations
  CHECK(has(with(R"({"transpose": 1})"), "softmax: has no attribute \"transpose\""));
}

TEST_CASE("graphs with positions that data hold are read back", "[by_hand][json]") {
  for (const char* name : {"pointer", "tree_lstm"}) {
    INFO(name);
    UnfoldOptions o;
    o.steps = 3;
    const Graph g = unfold(load_definition(name), o).graph();
    CHECK(to_json(graph_from_json(to_json(g), "g.json")) == to_json(g));
  }
}

TEST_CASE("a comma of a name is fetched behind a backslash", "[by_hand][cli]") {
  const Folder f;
  Graph g;
  const Var x = g.input("x");
  g.name(x * 2.0, "a,b");
  g.name(x * 3.0, "c");
  save_graph(f / "g.json", g);
  const auto r = support::taugrad(f, "run g.json --fetch 'a\\,b,c' --json");
  CHECK(r.status == 0);
  CHECK(has(r.out, "\"a,b\""));
  CHECK(has(r.out, "\"c\""));
}
