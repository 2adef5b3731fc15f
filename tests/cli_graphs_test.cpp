// Graphs that programs build by hand, as files of the commands that take definitions.
#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "io/diff.h"
#include "support_by_hand.h"
#include "support_cli.h"
#include "taugrad/draw/render.h"
#include "taugrad/draw/write.h"
#include "taugrad/io/graph_json.h"
#include "taugrad/io/tensors.h"
#include "taugrad/unfold/unfold.h"

using namespace support;

namespace {

// a status, and an error's code where there is one
void check_status(const Folder& f, const std::string& line, int status,
                  const std::string& code = "") {
  const Outcome o = support::taugrad(f, line);
  INFO(line << "\n" << o.err);
  CHECK(o.status == status);
  if (!code.empty()) CHECK(has(o.err, "error[" + code + "]"));
  CHECK(!has(o.err, "B00"));
}

std::set<int> ends(const Picture& p, bool from) {
  std::set<int> nodes;
  for (const PictureEdge& e : p.edges) nodes.insert(from ? e.from : e.to);
  return nodes;
}

}  // namespace

TEST_CASE("show draws every graph built by hand in every view and format", "[cli][graphs]") {
  const Folder f;
  for (const ByHand& g : graphs_by_hand()) {
    INFO(g.about);
    save_graph(f / "g.json", g.graph);
    check_status(f, "show g.json -o g.svg", 0);
    CHECK(slurp(f / "g.svg").ends_with("</svg>\n"));
    check_status(f, "show g.json -o g.dot", 0);
    if (std::system("command -v dot >/dev/null") == 0)
      CHECK(run_in(f, "dot -Tplain g.dot -o g.plain").status == 0);
    for (const std::string detail : {"values", "operations", "everything"})
      check_status(f, "show g.json --all-steps --no-labels --detail " + detail + " -o d.svg", 0);
    check_status(f, "show g.json --no-copies -o c.svg", 0);
    check_status(f, "show g.json --view gradient -o gradient.svg", 0);
    check_status(f, "show g.json --view gradient --format json -o gradient.json", 0);
    check_status(f, "show gradient.json -o again.svg", 0);
    check_status(f, "show g.json --view folded -o folded.svg", g.steps ? 0 : 3,
                 g.steps ? "" : "G026");
    check_status(f, "show g.json --plan", 0);
    check_status(f, "show g.json --format json -o same.json", 0);
    CHECK(slurp(f / "same.json") == slurp(f / "g.json"));
    write(g.graph, f / "cpp.svg", {.title = "g"});
    CHECK(slurp(f / "cpp.svg") == slurp(f / "g.svg"));
  }
}

TEST_CASE("run, flow, check, inspect and diff take every graph built by hand", "[cli][graphs]") {
  const Folder f;
  for (const ByHand& g : graphs_by_hand()) {
    INFO(g.about);
    save_graph(f / "g.json", g.graph);
    check_status(f, "run g.json --batch 2 --seed 3 -o a.safetensors", 0);
    check_status(f, "run - --batch 2 --seed 3 -o b.safetensors < g.json", 0);
    CHECK(slurp(f / "a.safetensors") == slurp(f / "b.safetensors"));
    check_status(f, "flow g.json --batch 2 -o flow.svg -q", g.flows ? 0 : 3, g.flows ? "" : "G028");
    check_status(f, "inspect g.json", 0);
    CHECK(nlohmann::json::parse(support::taugrad(f, "inspect g.json --json").out)["nodes"] ==
          g.graph.size());
    check_status(f, "diff g.json g.json", 0);
    check_status(f, "diff - g.json < g.json", 0);
    check_status(f, "check g.json --max-runs 50 -q", 0);
  }
}

TEST_CASE("run gives the bytes of the definition on the graph that it unfolds to",
          "[cli][graphs]") {
  const Folder f;
  const std::string fetch =
      " --fetch h,loss,nll:y,grad:W,grad:W[3],grad:W[3]@h,grad:h,grad:h[0],grad:x,x,y,h[5] ";
  for (const std::string name : {"elman", "bidirectional", "many_to_one", "encoder_decoder",
                                 "grid_four_directions", "untied", "lstm", "mean_pooling"}) {
    INFO(name);
    const std::string how = " --seed 3 --batch 2 --dtype f64 ";
    check_status(f, "show " + name + " --steps 5 --format json -o g.json", 0);
    check_status(f, "run " + name + " --steps 5" + how + "-o a.safetensors", 0);
    check_status(f, "run g.json" + how + "-o b.safetensors", 0);
    CHECK(slurp(f / "a.safetensors") == slurp(f / "b.safetensors"));
    if (name != "bidirectional") continue;
    check_status(f, "run " + name + " --steps 5" + how + fetch + "-o a.safetensors", 0);
    check_status(f, "run g.json" + how + fetch + "-o b.safetensors", 0);
    CHECK(slurp(f / "a.safetensors") == slurp(f / "b.safetensors"));
  }
}

TEST_CASE("run on the graph of a mode gives what the mode gives", "[cli][graphs]") {
  const Folder f;
  const std::string mode = "output_recurrent --steps 4 --mode y=greedy ";
  check_status(f, "run output_recurrent --steps 4 --fetch U,W,b,V,c -o w.safetensors", 0);
  check_status(f, "run output_recurrent --steps 4 --fetch x -o x.json", 0);
  check_status(f, "show " + mode + "--format json -o g.json", 0);
  const std::string how = " --weights w.safetensors --inputs x.json --fetch o,y -o ";
  check_status(f, "run g.json" + how + "a.safetensors", 0);
  check_status(f, "run output_recurrent --mode y=greedy" + how + "b.safetensors", 0);
  CHECK(slurp(f / "a.safetensors") == slurp(f / "b.safetensors"));
}

TEST_CASE("run takes tensors, cotangents and losses of a graph by name", "[cli][graphs]") {
  const Folder f;
  save_graph(f / "g.json", indexed_rnn(2));
  spill(f / "w.json", R"({"U": [[1,0],[0,1],[1,1]], "W": [[0,0,0],[0,0,0],[0,0,0]],
                          "V": [[1,0,0],[0,1,0]], "b": [1]})");
  spill(f / "x.json", R"({"x": [[[0.5,0]],[[0,0.25]]]})");
  const std::string on = "run g.json --weights w.json --inputs x.json --json ";
  const Outcome o = support::taugrad(f, on + "--fetch loss,o,h[2]");
  CHECK(o.status == 0);
  CHECK(has(o.err, "is not in the graph"));
  const auto j = nlohmann::json::parse(o.out);
  CHECK(j["loss"][0].get<double>() ==
        Approx(std::tanh(0.5) * std::tanh(0.5) + std::tanh(0.25) * std::tanh(0.25)));
  CHECK(j["o"][1][0][1].get<double>() == Approx(std::tanh(0.25)));
  CHECK(j["h[2]"][0][2].get<double>() == Approx(std::tanh(0.25)));
  // a cotangent replaces the loss
  spill(f / "c.json", R"({"x": [[[0.5,0]],[[0,0.25]]], "cotangent:o": [[[1,0]],[[0,0]]]})");
  const std::string cotangents = "run g.json --weights w.json --inputs c.json --json ";
  const auto c = nlohmann::json::parse(support::taugrad(f, cotangents + "--fetch grad:x,loss").out);
  CHECK(c["loss"][0].get<double>() == Approx(std::tanh(0.5)));
  CHECK(c["grad:x"][0][0][0].get<double>() == Approx(1 - std::tanh(0.5) * std::tanh(0.5)));
  CHECK(c["grad:x"][1][0][1] == 0);
  for (const auto& [line, code] :
       std::vector<std::pair<std::string, std::string>>{{"--fetch hh", "U020"},
                                                        {"--fetch grad:q", "U020"},
                                                        {"--fetch h[9]", "U020"},
                                                        {"--fetch '#999'", "U020"},
                                                        {"--fetch loss --loss o", "G023"},
                                                        {"--fetch loss --loss q", "U020"},
                                                        {"--steps 3", "U007"},
                                                        {"--size m=3", "U007"},
                                                        {"--mode y=sampled", "U007"},
                                                        {"--top-k 3", "U007"}}) {
    const Outcome bad = support::taugrad(f, on + line);
    INFO(line << bad.err);
    CHECK((bad.status == 2 || bad.status == 3));
    CHECK(has(bad.err, code));
  }
  spill(f / "more.json", R"({"x": [[[0,0]],[[0,0]]], "z": [1]})");
  check_status(f, "run g.json --weights w.json --inputs more.json", 3, "D016");
  spill(f / "lengths.json", R"({"x": [[[0,0]],[[0,0]]], "lengths": [1]})");
  check_status(f, "run g.json --weights w.json --inputs lengths.json", 3, "D016");
  spill(f / "less.json", R"({"x": [[[0,0]]]})");
  check_status(f, "run g.json --weights w.json --inputs less.json", 3, "D011");
  check_status(f, "run g.json --inputs x.json", 3, "D010");
}

TEST_CASE("nodes without names go by their numbers", "[cli][graphs]") {
  const Folder f;
  save_graph(f / "g.json", nameless_rnn(3));
  const auto j =
      nlohmann::json::parse(support::taugrad(f, "run g.json --json --fetch '#0,grad:#1,#2'").out);
  CHECK(j["#0"].size() == 3);
  CHECK(j["grad:#1"].size() == 3);
  const Outcome all = support::taugrad(f, "run g.json --json");
  CHECK(nlohmann::json::parse(all.out).size() == 1);  // what no node reads
  CHECK(has(support::taugrad(f, "show g.json --format svg").out, ">#0</text>"));
}

TEST_CASE("a file of another kind is told by what it is", "[cli][graphs]") {
  const Folder f;
  save_graph(f / "graph.json", indexed_rnn(3));
  support::taugrad(f, "show elman --view folded --format json -o folded.json");
  support::taugrad(f, "show elman --view model --format json -o model.json");
  support::taugrad(f, "flow elman -o flow.json");
  support::taugrad(f, "show elman -o elman.svg");
  support::taugrad(f, "show elman -o elman.dot");
  support::taugrad(f, "run elman -o t.safetensors");
  spill(f / "tensors.json", "{\"x\": [[1, 2]], \"lengths\": [1]}");
  spill(f / "lines.json", "{\"x\": [1]}\n{\"x\": [2]}\n");
  spill(f / "array.json", "[1, 2]");
  const std::pair<const char*, const char*> rows[] = {
      {"folded.json", "a folded graph"},
      {"model.json", "a graphical model"},
      {"flow.json", "a report of a command"},
      {"elman.svg", "a drawing"},
      {"elman.dot", "a drawing"},
      {"t.safetensors", "tensors (safetensors)"},
      {"tensors.json", "tensors as JSON"},
      {"lines.json", "JSON lines"},
      {"array.json", "a JSON array"},
      {TAUGRAD_SOURCE_DIR "/graphs/machines/busy_beaver_2.json", "a machine description"}};
  for (const auto& [file, kind] : rows)
    for (const std::string command : {"show", "run", "flow", "check"}) {
      const Outcome o = support::taugrad(f, command + " " + file);
      INFO(command << " " << file << "\n" << o.err);
      CHECK(o.status == 3);
      CHECK(has(o.err, "error[I004]"));
      CHECK(has(o.err, kind));
      CHECK(has(o.err, "help: "));
    }
  check_status(f, "train graph.json --data lines.json -o m", 3, "I004");
  check_status(f, "inspect elman.svg", 3, "I004");
  check_status(f, "diff folded.json graph.json", 3, "I004");
  for (const std::string line :
       {"--view model", "--steps 3", "--set p=1", "--allow-unused", "--view unfolded --loss loss"})
    check_status(f, "show graph.json " + line, 2, "U007");
}

TEST_CASE("the default picture of a graph built by hand shows its copies and all its edges",
          "[graphs][draw]") {
  for (const ByHand& g : graphs_by_hand()) {
    INFO(g.about);
    const Picture p = picture_of(g.graph, {});
    const std::set<int> from = ends(p, true), to = ends(p, false);
    for (int n = 0; n < static_cast<int>(p.nodes.size()); ++n) {
      const PictureNode& node = p.nodes[static_cast<std::size_t>(n)];
      INFO(node.id);
      const bool leaf = node.kind == NodeKind::weight || node.kind == NodeKind::input;
      if (node.kind == NodeKind::copy || (leaf && !node.adjoint)) CHECK(from.contains(n));
      if (node.kind == NodeKind::copy || node.adjoint) CHECK(to.contains(n));
    }
  }
  const Picture elman = picture_of(unrolled_elman(3), {});
  const auto copies = std::ranges::count_if(
      elman.nodes, [](const PictureNode& n) { return n.kind == NodeKind::copy; });
  CHECK(copies == 15);
}

TEST_CASE("pictures of graphs built by hand are those of their definitions", "[graphs][draw]") {
  const std::pair<std::string, Graph> rows[] = {{"elman", unrolled_elman(4)},
                                                {"lstm", unrolled_lstm(4)},
                                                {"bidirectional", unrolled_bidirectional(4)}};
  for (const auto& [name, graph] : rows) {
    INFO(name);
    const Unfolded u =
        unfold(load_definition(TAUGRAD_SOURCE_DIR "/graphs/" + name + ".json"), {.steps = 4});
    const Picture a = picture_of(graph, {.detail = Detail::operations}),
                  b = picture_of(u.graph(), WriteOptions{.detail = Detail::operations});
    CHECK(a.nodes.size() == b.nodes.size());
    CHECK(a.edges.size() == b.edges.size());
    REQUIRE(a.clusters.size() == b.clusters.size());
    std::multiset<std::string> one, other;
    for (const PictureCluster& c : a.clusters) one.insert(c.label);
    for (const PictureCluster& c : b.clusters) other.insert(c.label);
    CHECK(one == other);
  }
}

TEST_CASE("what has no name stands in the step that it is on the way to", "[graphs][draw]") {
  const Picture p = picture_of(indexed_rnn(4), WriteOptions{});
  std::vector<int> nodes(p.clusters.size(), 0);
  for (const PictureNode& n : p.nodes) {
    if (n.cluster >= 0) ++nodes[static_cast<std::size_t>(n.cluster)];
    const bool outside = n.kind == NodeKind::weight || n.kind == NodeKind::loss;
    INFO(n.id);
    CHECK((n.cluster < 0) == outside);
  }
  // x, U x, W h, their sum, h, o = V h, o o, its sum and, but at the ends, the running sum
  CHECK(nodes == std::vector<int>{1, 8, 9, 9, 8});
  const Picture many = picture_of(many_to_one_by_hand(5), WriteOptions{});
  CHECK(many.clusters.size() == 5);
}

TEST_CASE("a view says on its margin and on standard error what it leaves out",
          "[cli][graphs][draw]") {
  const Folder f;
  save_graph(f / "g.json", indexed_rnn(40));
  const Outcome o = support::taugrad(f, "show g.json --detail values -o g.svg");
  CHECK(has(o.err, "left out: t = 4 … 38"));
  CHECK(has(o.err, "operations are folded into the edges"));
  CHECK(has(slurp(f / "g.svg"), ">left out: t = 4 … 38</text>"));
  CHECK(has(support::taugrad(f, "show g.json --format dot").out, "left out: t = 4 … 38\\l"));
  Graph g = indexed_rnn(3);
  const WriteOptions some{.outputs = {g.at("h", {2})}};
  CHECK(has(picture_of(g, some).notes.front(), "nodes that no output needs"));
  CHECK(picture_of(indexed_rnn(3), WriteOptions{}).notes.empty());
  Graph zero;
  const Var w = zero.weight("w"), v = zero.weight("v");
  gradient(zero.name(w * w, "loss"), {w, v});
  const Picture p = picture_of(zero, WriteOptions{});
  CHECK(p.notes == std::vector<std::string>{"zero: ∇v"});
  CHECK(std::ranges::none_of(p.nodes, [](const PictureNode& n) { return n.name == "∇v"; }));
}

TEST_CASE("write draws a graph in every view, and leaves the graph alone", "[graphs][draw]") {
  const Folder f;
  const Graph g = unrolled_elman(4);
  const std::string before = to_json(g);
  write(g, f / "gradient.svg", {.view = View::gradient});
  CHECK(has(slurp(f / "gradient.svg"), "∇W[3]"));
  write(g, f / "folded.svg", {.view = View::folded});
  CHECK(has(slurp(f / "folded.svg"), "each t"));
  write(g, f / "gradient.json", {.view = View::gradient});
  CHECK(load_graph(f / "gradient.json").size() > g.size());
  write(g, f / "folded.json", {.view = View::folded});
  CHECK(has(slurp(f / "folded.json"), "taugrad folded graph"));
  CHECK(to_json(g) == before);
  CHECK_THROWS_AS(write(g, f / "g.png"), Error);
}

TEST_CASE("a million nodes are shown, run, inspected and compared", "[cli][graphs][large]") {
  const Folder f;
  Graph g;
  const Var w = g.weight("w", {2}), x = g.input("x", {2});
  Var h = x;
  for (int i = 0; i < 500'000; ++i) h = tanh(w * h);
  g.name(sum(h), "loss");
  save_graph(f / "g.json", g);
  check_status(f, "run g.json --fetch loss,grad:w -o o.json", 0);
  check_status(f, "inspect g.json", 0);
}

TEST_CASE("run tells where a graph's value is first not finite", "[cli][graphs]") {
  const Folder f;
  Graph g;
  const Var x = g.input("x", {2});
  g.name(sum(log(x) * 2.0), "loss");
  save_graph(f / "g.json", g);
  spill(f / "x.json", R"({"x": [[1, 1], [0, 1]]})");
  const Outcome o = support::taugrad(f, "run g.json --inputs x.json");
  CHECK(o.status == 0);
  CHECK(has(o.err, "N004"));
  CHECK(has(o.err, "(log)"));
  CHECK(has(o.err, "item 1"));
  CHECK(support::taugrad(f, "run g.json --inputs x.json --strict").status == 5);
}

TEST_CASE("a graph without steps of their own for shorter items refuses them", "[cli][graphs]") {
  const Folder f;
  support::taugrad(f, "show elman --steps 2 --format json -o g.json");
  spill(f / "x.json",
        R"({"x": [[[1, 1], [0, 1]], [[1, 1], [0, 1]]], "y": [[0, 1], [2, 1]], "lengths": [2, 1]})");
  support::taugrad(f, "run elman --fetch U,W,b,V,c -o w.safetensors");
  check_status(f, "run g.json --inputs x.json --weights w.safetensors", 3, "D014");
  check_status(f, "run elman --inputs x.json --weights w.safetensors", 0);
}

TEST_CASE("a model's folder goes where its definition goes, with its weights", "[cli][graphs]") {
  const Folder f;
  spill(f / "a.txt", "abab\nba\nabba\n");
  REQUIRE(support::taugrad(f, "train char_lm --data a.txt -o m --epochs 1 -q --size m=4").status ==
          0);
  check_status(f, "show m -o m.svg", 0);
  check_status(f, "flow m --steps 4 -q", 0);
  check_status(f, "check m --steps 3 --max-runs 50 -q", 0);
  check_status(f, "inspect m", 0);
  spill(f / "y.json", R"({"y": [[1], [2], [1]]})");
  check_status(f, "run m --inputs y.json --fetch loss", 0);
  for (const auto& step : fs::directory_iterator(f / "m"))
    if (step.is_directory()) fs::copy_file(step.path() / "definition.json", f / "own.json");
  check_status(f, "inspect - < own.json", 0);
}
