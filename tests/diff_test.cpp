// What differs between two definitions, graphs, files of tensors, models.
#include "io/diff.h"

#include <catch2/catch.hpp>

#include "support_cli.h"
#include "taugrad/graph/op.h"
#include "taugrad/io/graph_json.h"
#include "taugrad/io/tensors.h"
#include "taugrad/unfold/unfold.h"

using namespace taugrad;
using support::Folder;
using support::spill;
namespace fs = std::filesystem;
using Change = Difference::Change;

namespace {

Definition parsed(const std::string& body) {
  return parse_definition("{\"name\": \"test\", " + body + "}", "test.json");
}

constexpr const char* kBase =
    R"j("index": {"t": "tau"}, "sizes": {"n": 2, "m": 3}, "inputs": {"x[t]": ["n"]},
    "weights": {"W": ["m", "m"], "U": ["m", "n"]},
    "equations": ["a[t] = W @ h[t-1] + U @ x[t]", "h[t] = tanh(a[t])"], "loss": "sum(h[last] * h[last])")j";

/// "changed size m: m: 3 | m: 4"
std::vector<std::string> lines(const Differences& d) {
  std::vector<std::string> all;
  for (const Difference& x : d.all)
    all.push_back(std::string(x.change == Change::added     ? "added "
                              : x.change == Change::removed ? "removed "
                                                            : "changed ") +
                  x.part + " " + x.name + ": " + x.before + " | " + x.after);
  return all;
}

Graph unfolded(const Definition& d, std::int64_t steps) {
  return unfold(d, {.steps = steps}).graph();
}

}  // namespace

TEST_CASE("definitions: what is added, removed, changed, by section and name", "[diff]") {
  CHECK(diff_definitions(parsed(kBase), parsed(kBase)).same());
  // order and blanks mean nothing
  const Definition reordered = parsed(
      R"j("index": {"t": "tau"}, "sizes": {"m": 3, "n": 2}, "inputs": {"x[ t ]": ["n"]},
    "weights": {"U": ["m", "n"], "W": ["m", "m"]},
    "equations": ["h[t]=tanh(a[t])", "a[t] = W@h[t-1] + U@x[t]"], "loss": ["sum(h[last]*h[last])"])j");
  CHECK(lines(diff_definitions(parsed(kBase), reordered)).empty());
  const Definition other = parsed(
      R"j("index": {"t": "tau"}, "sizes": {"n": 2, "m": 4}, "constants": {"p": 0.5},
    "inputs": {"x[t]": ["n"]},
    "weights": {"W": {"shape": ["m", "m"], "init": "orthogonal"}, "U": ["m", "n"], "b": ["m"]},
    "equations": ["h[t] = tanh(b + W @ h[t-1] + U @ x[t])"], "loss": "p * sum(h[last] * h[last])")j");
  CHECK(lines(diff_definitions(parsed(kBase), other)) ==
        std::vector<std::string>{
            "changed size m: m: 3 | m: 4",
            R"(changed weight W: W: ["m","m"] | W: {"shape":["m","m"],"init":"orthogonal"})",
            "removed equation a[t]: a[t] = W @ h[t-1] + U @ x[t] | ",
            "changed equation h[t]: h[t] = tanh(a[t]) | h[t] = tanh(b + W @ h[t-1] + U @ x[t])",
            "removed loss sum(h[last]*h[last]): sum(h[last] * h[last]) | ",
            "added constant p:  | p: 0.5", R"(added weight b:  | b: ["m"])",
            "added loss p*sum(h[last]*h[last]):  | p * sum(h[last] * h[last])"});
}

TEST_CASE("definitions: what they import is compared under its prefix", "[diff]") {
  const Folder a;
  const std::string outer =
      R"j({"name": "outer", "index": {"t": "tau"}, "sizes": {"n": 2, "m": 3}, "inputs": {"x[t]": ["n"]},
    "imports": {"f": {"from": "cell", "inputs": {"x[t]": "x[t]"}}}, "equations": ["o[t] = 2 * f.h[t]"]})j";
  for (const char* folder : {"one", "two"}) {
    fs::create_directories(a.path / folder);
    spill(a.path / folder / "outer.json", outer);
    spill(a.path / folder / "cell.json", std::string("{\"name\": \"cell\", ") + kBase + "}");
  }
  const auto load = [&](const char* folder) {
    return load_definition((a.path / folder / "outer.json").string());
  };
  CHECK(diff_definitions(load("one"), load("two")).same());
  std::string changed = kBase;
  changed.replace(changed.find("tanh"), 4, "relu");
  spill(a.path / "two" / "cell.json", "{\"name\": \"cell\", " + changed + "}");
  CHECK(lines(diff_definitions(load("one"), load("two"))) ==
        std::vector<std::string>{
            "changed equation f.h[t]: f. h[t] = tanh(a[t]) | f. h[t] = relu(a[t])"});
}

TEST_CASE("graphs: the same whatever the order of their nodes; differences stay local", "[diff]") {
  const Graph g = unfolded(parsed(kBase), 3);
  CHECK(diff_graphs(g, graph_from_json(to_json(g), "g.json")).same());
  // two nodes appended the other way round
  const auto hand = [](bool first) {
    Graph h;
    const Var x = h.input("x", {2}), w = h.weight("w", {2});
    Tape& t = h.tape();
    const Op& multiply = *find_op("mul");
    const Op& negate = *find_op("neg");
    Var a, b;
    const auto product = [&] {
      const Var in[] = {x, w};
      return t.append(multiply, in);
    };
    const auto negative = [&] {
      const Var in[] = {x};
      return t.append(negate, in);
    };
    if (first) a = product();
    b = negative();
    if (!first) a = product();
    h.name(a, "a");
    h.name(b, "b");
    return h;
  };
  CHECK(diff_graphs(hand(true), hand(false)).same());
  // one equation changed: named nodes that only read it are not told
  std::string changed = kBase;
  changed.replace(changed.find("tanh"), 4, "relu");
  const Differences d = diff_graphs(g, unfolded(parsed(changed), 3));
  std::vector<std::string> nodes;
  for (const Difference& x : d.all)
    if (x.part == "node") nodes.push_back(x.name);
  CHECK(nodes == std::vector<std::string>{"h[1]", "h[2]", "h[3]"});
  CHECK(d.all.back().before == "h[3] = tanh(a[3])  [3]");
  CHECK(d.all.back().after == "h[3] = relu(a[3])  [3]");
  // a step more
  const Differences longer = diff_graphs(g, unfolded(parsed(kBase), 4));
  CHECK(std::ranges::any_of(longer.all, [](const Difference& x) {
    return x.change == Change::added && x.name == "h[4]";
  }));
  CHECK(longer.all.front().part == "nodes");
}

TEST_CASE("graphs: an attribute, a shape, an unnamed end", "[diff]") {
  const auto graph = [](double value, std::int64_t size, const char* op) {
    Graph h;
    const Var x = h.input("x", {size}), c = h.constant(value, {size});
    const Var in[] = {x, c};
    const Var y = h.name(h.tape().append(*find_op("mul"), in), "y");
    const Var of[] = {y};
    h.tape().append(*find_op(op), of);
    return h;
  };
  CHECK(diff_graphs(graph(1, 2, "exp"), graph(1, 2, "exp")).same());
  CHECK(diff_graphs(graph(1, 2, "exp"), graph(2, 2, "exp")).all.size() == 1);
  CHECK(diff_graphs(graph(1, 2, "exp"), graph(1, 3, "exp")).all.size() >= 2);  // x, y, the end
  const Differences end = diff_graphs(graph(1, 2, "exp"), graph(1, 2, "tanh"));
  CHECK(end.all.back().name == "(outputs)");
}

TEST_CASE("tensors: names, axes, types; the worst element of each", "[diff]") {
  const Folder f;
  Tensors a{{"W", Tensor::of({2, 2}, std::vector<double>{1, 2, 3, 4})},
            {"same", Tensor::of({2}, std::vector<double>{NAN, INFINITY})},
            {"gone", Tensor::of({1}, std::vector<double>{1})},
            {"shape", Tensor::of({2}, std::vector<double>{1, 1})},
            {"n", Tensor::of({2}, std::vector<std::int64_t>{1, (1LL << 60)})}};
  Tensors b = a;
  b.erase("gone");
  b["new"] = a["gone"];
  b["shape"] = Tensor::of({1, 2}, std::vector<double>{1, 1});
  b["W"].set(2, 3.003);
  b["W"].set(1, 2.001);
  b["n"].values<std::int64_t>()[1] += 1;  // equal as doubles
  save_tensors(f / "a.safetensors", a);
  save_tensors(f / "b.safetensors", b);
  const auto diff = [&](double tolerance) {
    return diff_tensors(f / "a.safetensors", f / "b.safetensors", tolerance);
  };
  const Differences d = diff(0);
  std::vector<std::string> names;
  for (const Difference& x : d.all) names.push_back(x.name);
  std::ranges::sort(names);
  CHECK(names == std::vector<std::string>{"W", "gone", "n", "new", "shape"});
  const auto w = std::ranges::find(d.tensors, "W", &TensorDifference::name);
  REQUIRE(w != d.tensors.end());
  CHECK(w->different == 2);
  CHECK(w->largest == Approx(0.003));
  CHECK(w->relative == Approx(0.003 / 3.003));
  CHECK(w->worst == Dims{1, 0});
  CHECK(w->a == 3);
  CHECK(w->b == 3.003);
  const auto left_at = [&](double tolerance) {
    const Differences all = diff(tolerance);
    return std::ranges::count(all.all, std::string("W"), &Difference::name);
  };
  CHECK(left_at(0.00099) == 1);  // 0.003 > 0.00099 * 3.003
  CHECK(left_at(0.00101) == 0);
  Tensors c = a;
  c["same"].set(1, 1);
  save_tensors(f / "c.safetensors", c);
  const Differences infinite = diff_tensors(f / "a.safetensors", f / "c.safetensors", 1e9);
  REQUIRE(infinite.all.size() == 1);
  CHECK(infinite.all[0].name == "same");
}

TEST_CASE("tensors: a type counts where no tolerance is given", "[diff]") {
  const Folder f;
  const Tensor w = Tensor::of({2}, std::vector<double>{0.5, 0.1});
  save_tensors(f / "a.safetensors", {{"w", w}});
  save_tensors(f / "b.safetensors", {{"w", w.to(Dtype::f32)}});
  save_tensors(f / "c.json", {{"w", w}});
  CHECK(diff_tensors(f / "a.safetensors", f / "c.json", 0).same());
  CHECK_FALSE(diff_tensors(f / "a.safetensors", f / "b.safetensors", 0).same());
  CHECK(diff_tensors(f / "a.safetensors", f / "b.safetensors", 1e-7).same());
  CHECK_FALSE(diff_tensors(f / "a.safetensors", f / "b.safetensors", 1e-12).same());
}
