// Where people stumble who build a graph by hand: what is refused says what to write, and leaves
// nothing behind.
#include <catch2/catch.hpp>
#include <map>
#include <sstream>

#include "support_cli.h"
#include "support_errors.h"
#include "taugrad/taugrad.h"

namespace tg = taugrad;
using namespace taugrad;

namespace {

using support::code_of;
using support::Folder;
using support::has;

std::string help_of(const auto& call) {
  try {
    call();
  } catch (const Error& e) {
    return e.diagnostics().front().help;
  }
  return "nothing was refused";
}

Graph rnn(int steps) {
  Graph g;
  const Var W = g.weight("W", {2, 2}), U = g.weight("U", {2, 2});
  Var h = g.name(g.zeros({2}), "h", {0});
  for (int t = 1; t <= steps; ++t) {
    const auto step = g.step("t", t);
    h = g.name(tanh(matmul(W, h) + matmul(U, g.input("x", {2}))), "h");
  }
  g.name(sum(h * h), "loss");
  return g;
}

template <class T>
std::string printed(const T& x) {
  std::ostringstream out;
  out << x;
  return out.str();
}

}  // namespace

TEST_CASE("an operation that is refused leaves no copy behind", "[by_hand][stumbles]") {
  Graph g;
  const Var W = g.weight("W", {2, 3}), c = g.weight("c", {2}), x = g.input("x", {2});
  {
    const auto step = g.step("t", 1);
    const NodeId before = g.size();
    CHECK(code_of([&] { matmul(W, x); }) == "G020");
    CHECK(g.size() == before);
    const Var state = g.name(x * 2.0, "c");
    const NodeId named = g.size();
    CHECK(code_of([&] { state + c; }) == "G013");  // its copy would be a second c[1]
    CHECK(code_of([&] { tg::concat({W[0], c}); }) == "G013");
    CHECK(g.size() >= named);
    CHECK(code_of([&] { g.at("c"); }) == "");
  }
  CHECK(g.tape().find_value("W", std::vector<std::int32_t>{2}) < 0);
}

TEST_CASE("a node that is not there: the positions that are", "[by_hand][stumbles]") {
  const Graph g = rnn(8);
  CHECK(help_of([&] { g.at("h[9]"); }) == "h stands at [0], [1], .. [8]");
  CHECK(help_of([&] { g.at("h", {9}); }) == "h stands at [0], [1], .. [8]");
  CHECK(help_of([&] { g.at("h"); }) == "h stands at [0], [1], .. [8]: say which, as \"h[8]\"");
  CHECK(help_of([&] { g.at("h(3)"); }) == "did you mean \"h[3]\"?");
  CHECK(help_of([&] { g.at("los"); }) == "did you mean \"loss\"?");
  CHECK(help_of([&] { g.at("loss[1]"); }) == "loss has no positions: \"loss\"");
  CHECK(has(help_of([&] { g.at("h[t-1]"); }), "h stands at"));
  CHECK(has(help_of([&] { g.at("h(t)"); }), "h stands at"));
  CHECK(has(help_of([&] { g.at("a thing that nothing is like"); }), "#17"));
  CHECK(has(help_of([&] { tg::check(g, {.variables = {"h[9]"}}); }), "h stands at"));
}

TEST_CASE("a leaf is made once: the second says how it is read", "[by_hand][stumbles]") {
  Graph g;
  g.input("x", {2});
  g.weight("W", {2});
  CHECK(has(help_of([&] { g.input("x", {2}); }), "g.at(\"x\")"));
  CHECK(has(help_of([&] { g.weight("W", {2}); }), "g.at(\"W\")"));
}

TEST_CASE("a second gradient is called a gradient", "[by_hand][stumbles]") {
  Graph g;
  const Var w = g.weight("w", {2}), x = g.input("x", {2});
  const Var first = tg::grad(sum(w * x), w), second = tg::grad(sum(w * w * x), w);
  CHECK(first.name() == "grad:w");
  CHECK(second.name() == "grad:w");
  CHECK(first != second);
  CHECK(has(printed(first), "grad:w ("));
  CHECK(has(printed(second), "grad:w ("));
  const Var named = g.name(second, "dw");
  CHECK(named.name() == "dw");
  CHECK(has(printed(named), "dw ("));
  CHECK(tg::grad(sum(w * x * x), {w, x}).size() == 2);
}

TEST_CASE("a program refuses a tensor that nothing reads", "[by_hand][stumbles]") {
  Graph g;
  const Var w = g.weight("w", {2}), x = g.input("x", {2}), y = g.input("y", {2});
  Program run(g, {w * x});
  const Tensors weights{{"w", Tensor::of({1., 2.})}, {"another", Tensor::of({1.})}};
  const Tensor row = Tensor::of({{1., 2.}});
  CHECK_NOTHROW(run({{"x", row}, {"y", row}}, weights));  // y is of the graph
  const auto with = [&](const std::string& name) {
    return [&run, &row, &weights, name] { run({{"x", row}, {name, row}}, weights); };
  };
  CHECK(code_of(with("X")) == "D016");
  CHECK(help_of(with("X")) == "did you mean \"x\"?");
  CHECK(has(help_of(with("w")), "among the weights"));
  CHECK(code_of(with("cotangent:x")) == "D016");
  CHECK(y != x);
}

TEST_CASE("a check is printed as the command prints it", "[by_hand][stumbles][check]") {
  const Graph g = rnn(2);
  const std::string good = printed(tg::check(g));
  CHECK(has(good, "W[2]"));
  CHECK(has(good, "every gradient agrees\n"));
  const std::string bad = printed(tg::check(g, {.control = {.perturb = "h[2]"}}));
  CHECK(has(bad, "(spoiled by perturb)"));
  CHECK(has(bad, "GRADIENTS DISAGREE\n"));
}

TEST_CASE("a graph is saved in either order", "[by_hand][stumbles]") {
  const Folder f;
  const Graph g = rnn(2);
  save_graph(g, f / "a.json");
  save_graph(f / "b.json", g);
  CHECK(support::slurp(f / "a.json") == support::slurp(f / "b.json"));
}

TEST_CASE("a difference shows what differs, however deep it stands", "[by_hand][stumbles][diff]") {
  const Folder f;
  const auto deep = [&](const std::string& file, int levels, const auto& inner) {
    Graph g;
    const Var x = g.input("x", {2}), w = g.weight("w", {2});
    Var y = inner(x);
    for (int i = 0; i < levels; ++i) y = tanh(w * y + 1.0);
    g.name(y, "y");
    g.name(sum(tanh(sin(w * tanh(exp(y)))) * tanh(cos(tanh(inner(w))))), "z");
    save_graph(f / file, g);
  };
  for (const int levels : {0, 1, 3, 50}) {
    INFO(levels);
    deep("a.json", levels, [](const Var& x) { return erf(x); });
    deep("b.json", levels, [](const Var& x) { return floor(x); });
    const auto r = support::taugrad(f, "diff a.json b.json");
    INFO(r.out);
    CHECK(r.status == 1);
    std::map<std::string, std::string> lines;
    for (const std::string start : {"- node y", "+ node y", "- node z", "+ node z"})
      lines[start] = r.out.substr(std::min(r.out.find(start), r.out.size()));
    for (auto& [start, line] : lines) line.resize(std::min(line.find('\n'), line.size()));
    CHECK(has(lines["- node y"], "erf("));
    CHECK(has(lines["+ node y"], "floor("));
    CHECK(has(lines["- node z"], "erf(w)"));
    CHECK(has(lines["+ node z"], "floor(w)"));
    CHECK(r.out.size() < 2000);
  }
}

TEST_CASE("commands: h(2) is h[2], and files beside shipped names are told",
          "[by_hand][stumbles][cli]") {
  const Folder f;
  save_graph(f / "g.json", rnn(3));
  CHECK(has(support::taugrad(f, "run g.json --fetch 'h(2)'").err, "did you mean \"h[2]\"?"));
  CHECK(has(support::taugrad(f, "run elman --fetch 'h(2)'").err, "did you mean \"h[2]\"?"));
  CHECK(
      has(support::taugrad(f, "run elman --fetch 'grad:W(2)'").err, "did you mean \"grad:W[2]\"?"));
  const std::string equation = " -e 'h[t] = tanh(W @ h[t-1] + U @ x[t])' ";
  CHECK(has(support::taugrad(f, "check" + equation).err, "n = 2 (change it"));
  const auto sized = support::taugrad(f, "check" + equation + "--size n=3");
  CHECK_FALSE(has(sized.err, "n = "));
  CHECK(has(sized.err, "m = 3 (change it"));

  std::filesystem::copy_file("graphs/elman.json", f / "elman");
  CHECK(has(support::taugrad(f, "show elman").err, "reading the file elman of this folder"));
  CHECK_FALSE(has(support::taugrad(f, "show ./elman").err, "reading"));
  std::filesystem::rename(f / "elman", f / "elman.json");
  CHECK(has(support::taugrad(f, "show elman").err, "not the file elman.json of this folder"));
  CHECK_FALSE(has(support::taugrad(f, "show elman.json").err, "reading"));
  CHECK_FALSE(has(support::taugrad(f, "show lstm").err, "reading"));
  CHECK(has(support::taugrad(f, "show lstm.json").err, "definition is called lstm"));
}

TEST_CASE("flow says that a weight has no copies", "[by_hand][stumbles][cli]") {
  const Folder f;
  Graph g = rnn(3);
  g.weight("V", {2, 2});
  save_graph(f / "g.json", g);
  CHECK(has(support::taugrad(f, "flow g.json").out, "|dL/dV| 0; it has no copies"));
}
