// DOT and SVG text: golden files, escaping, and what Graphviz and an XML parser say to them.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <random>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "support_golden.h"
#include "support_nasty.h"
#include "support_picture.h"
#include "taugrad/base/error.h"
#include "taugrad/draw/write.h"
#include "taugrad/ops/ops.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

Picture unfolded(const std::string& name, int steps, Detail detail = Detail::automatic) {
  return picture_of(unfold(shipped_definition(name), {.steps = steps}), {.detail = detail});
}

// Parses SVG files with another program's XML parser; prints their texts, one a line, as JSON.
const char* const kParse =
    "import sys, json, xml.etree.ElementTree as E\n"
    "for f in sys.argv[1:]:\n"
    "    for t in E.parse(f).getroot().iter('{http://www.w3.org/2000/svg}text'): "
    "print(json.dumps(t.text or ''))\n";

}  // namespace

TEST_CASE("golden: pictures as DOT", "[draw][golden]") {
  check_golden("elman.unfolded3.dot", to_dot(unfolded("elman", 3)));                          // S15
  check_golden("elman.folded.dot", to_dot(picture_of(folded(shipped_definition("elman")))));  // S15
  check_golden("elman.gradient2.dot",
               to_dot(gradient_picture_of(unfold(shipped_definition("elman"), {.steps = 2}))));
  for (const std::string name :
       {"product", "logistic_regression", "relu_layer", "linear_regression"}) {
    check_golden(name + ".dot", to_dot(unfolded(name, 1)));  // S03
  }
  for (const std::string way : {"input", "state", "both"}) {
    check_golden("vector_to_sequence_" + way + ".dot",
                 to_dot(unfolded("vector_to_sequence_" + way, 3)));  // S54
  }
}

TEST_CASE("golden: pictures as SVG", "[draw][golden]") {
  check_golden("elman.unfolded3.svg", to_svg(unfolded("elman", 3)));
  check_golden("lstm.unfolded50.svg", to_svg(unfolded("lstm", 50)));
}

TEST_CASE("render: the same picture gives the same bytes", "[draw]") {
  const Picture a = unfolded("encoder_decoder", 4), b = unfolded("encoder_decoder", 4);
  CHECK(to_dot(a) == to_dot(b));
  CHECK(to_svg(a) == to_svg(b));
}

TEST_CASE("dot: nodes and edges at top level, clusters hold ids only", "[draw]") {
  const std::regex node(R"(  [A-Za-z_]\w* \[label=.*\];)"),
      edge(R"(  [A-Za-z_]\w* -> [A-Za-z_]\w* \[pos=.*\];)"),
      cluster(R"(  subgraph cluster_\d+ \{ graph \[label=.*\];( [A-Za-z_]\w*;)+ \})");
  const std::vector<std::string> lines = lines_of(to_dot(unfolded("elman", 3)));
  int nodes = 0, edges = 0, clusters = 0;
  for (std::size_t i = 4; i + 1 < lines.size(); ++i) {
    INFO(lines[i]);
    const bool is_node = std::regex_match(lines[i], node),
               is_edge = std::regex_match(lines[i], edge),
               is_cluster = std::regex_match(lines[i], cluster);
    CHECK(is_node + is_edge + is_cluster == 1);
    nodes += is_node, edges += is_edge, clusters += is_cluster;
  }
  CHECK(nodes == 52);
  CHECK(edges == 63);
  CHECK(clusters == 4);
}

TEST_CASE("dot: without op names only labels differ", "[draw][S02]") {
  const Picture p = unfolded("elman", 3);
  const std::regex label("label=\"[^\"]*\"");
  const auto bare = [&](const std::string& text) {
    return std::regex_replace(text, label, "label");
  };
  const std::string with = to_dot(p), without = to_dot(p, {.labels = false});
  CHECK(with != without);
  CHECK(bare(with) == bare(without));
  CHECK(with.find("tanh  [3]") != std::string::npos);
  CHECK(without.find("label=\"h[1]\\n[3]\"") != std::string::npos);
}

TEST_CASE("dot: delay edges are dashed and do not constrain", "[draw]") {
  int dashed = 0;
  for (const std::string& line : lines_of(to_dot(unfolded("elman", 3)))) {
    if (line.find("style=dashed") == std::string::npos) continue;
    ++dashed;
    CHECK(line.find("label=\"z⁻¹\"") != std::string::npos);
    CHECK(line.find("constraint=false") != std::string::npos);
  }
  CHECK(dashed == 3);
}

TEST_CASE("S13: Graphviz draws every shipped definition in every view without a warning",
          "[draw][graphviz]") {
  if (!has_command("dot")) {
    WARN("dot is not installed: nothing was drawn");
    return;
  }
  int drawn = 0;
  for (const std::string& name : shipped_names()) {
    for (const auto& [view, picture] : views_of(name)) {
      if (view.find("values") != std::string::npos && view.find("gradient") == std::string::npos)
        continue;
      const TemporaryFile file(".dot", to_dot(picture));
      const Outcome outcome = run_command("dot -Tsvg -o /dev/null " + file.path());
      INFO(name << ", " << view << ": " << outcome.output);
      CHECK(outcome.status == 0);
      CHECK(outcome.output.empty());
      ++drawn;
    }
  }
  CHECK(drawn > 100);
}

TEST_CASE("S13: Graphviz reads names that need every kind of care", "[draw][graphviz]") {
  if (!has_command("dot")) {
    WARN("dot is not installed: nothing was drawn");
    return;
  }
  const TemporaryFile file(".dot", to_dot(nasty_picture()));
  const Outcome outcome = run_command("dot -Tsvg -o /dev/null " + file.path());
  INFO(outcome.output);
  CHECK(outcome.status == 0);
  CHECK(outcome.output.empty());
}

TEST_CASE("dot: no string is too long for Graphviz, whatever is drawn past however many layers",
          "[draw][graphviz]") {
  Picture p;
  p.title = "chain";
  constexpr int kLayers = 700;
  for (int i = 0; i < kLayers; ++i) {
    PictureNode n;
    n.id = n.role = "n" + std::to_string(i);
    n.op = "tanh";
    p.nodes.push_back(n);
    if (i > 0) p.edges.push_back({.from = i - 1, .to = i, .kind = EdgeKind::data, .label = ""});
  }
  p.edges.push_back({.from = 0, .to = kLayers - 1, .kind = EdgeKind::data, .label = ""});
  const std::string plain = to_dot(p);
  CHECK(std::ranges::count(plain, '\n') == std::ssize(p.nodes) + std::ssize(p.edges) + 5);
  for (int i = 0; i < 20'000; ++i) p.nodes[0].title += i % 7 == 0 ? "\"\\" : "µ";
  const std::string text = to_dot(p);
  std::size_t longest = 0;
  for (std::size_t at = 0; at != std::string::npos && at < text.size();) {
    const std::size_t next = text.find('\n', at);
    longest = std::max(longest, std::min(next, text.size()) - at);
    at = next == std::string::npos ? next : next + 1;
  }
  CHECK(longest < 16'384);
  if (!has_command("dot")) {
    WARN("dot is not installed: nothing was drawn");
    return;
  }
  const TemporaryFile file(".dot", text);
  const Outcome o = run_command("dot -Tsvg " + file.path());
  INFO(o.output.substr(0, 300));
  CHECK(o.status == 0);
  CHECK(o.output.find("yntax error") == std::string::npos);
  CHECK(o.output.find("&quot;\\µµµµµµ&quot;") != std::string::npos);
}

TEST_CASE("dot: 200 steps are drawn, because the coordinates are written", "[draw][graphviz]") {
  if (!has_command("dot") || !has_command("timeout")) {
    WARN("dot is not installed: nothing was drawn");
    return;
  }
  const Unfolded u = unfold(shipped_definition("lstm"), {.steps = 200});
  const TemporaryFile file(".dot",
                           to_dot(picture_of(u, {.detail = Detail::operations, .most_steps = 0})));
  CHECK(run_command("timeout 300 dot -Tsvg -o /dev/null " + file.path()).status == 0);
}

TEST_CASE("svg: an XML parser reads every shipped picture and every name", "[draw][xml]") {
  if (!has_command("python3")) {
    WARN("python3 is not installed: nothing was parsed");
    return;
  }
  const TemporaryFile script(".py", kParse);
  for (const std::string& name : shipped_names()) {
    const TemporaryFile a(".svg", to_svg(unfolded(name, 3)));
    const TemporaryFile b(".svg", to_svg(picture_of(folded(shipped_definition(name)))));
    const Outcome outcome =
        run_command("python3 " + script.path() + " " + a.path() + " " + b.path());
    INFO(name << ": " << outcome.output);
    CHECK(outcome.status == 0);
  }
  const TemporaryFile nasty(".svg", to_svg(nasty_picture()));
  const Outcome outcome = run_command("python3 " + script.path() + " " + nasty.path());
  INFO(outcome.output);
  CHECK(outcome.status == 0);
  for (const std::string text :
       {R"("a\"b")", R"("a<b>")", R"("&amp;")", R"("]]>")", R"("two\nlines")", R"("</text>")"}) {
    CHECK(outcome.output.find(text) != std::string::npos);
  }
}

TEST_CASE("render: random characters as names never break the output", "[draw][fuzz]") {
  if (!has_command("python3") || !has_command("dot")) {
    WARN("python3 or dot is not installed: nothing was read back");
    return;
  }
  std::mt19937 random(7);
  Graph g;
  Var sum = g.constant(0);
  for (int i = 0; i < 400; ++i) {
    std::string name;
    for (auto length = 1 + random() % 12; length > 0; --length) {
      static const std::string special = "\"\\<>|{}&;'\n\r\t[]-=# ";
      if (random() % 2 != 0)
        name += special[random() % special.size()];
      else
        append_utf8(name, static_cast<char32_t>(1 + random() % (random() % 4 == 0 ? 0xD7FF : 255)));
    }
    // not the number of a node
    sum = g.name(sum + g.input("." + name + std::to_string(i)), name + "." + std::to_string(i),
                 {i % 7});
  }
  const Picture p = picture_of(g.tape(), {.detail = Detail::operations, .most_steps = 0});
  const TemporaryFile dot(".dot", to_dot(p)), svg(".svg", to_svg(p)), script(".py", kParse);
  const Outcome drawn = run_command("dot -Tsvg -o /dev/null " + dot.path());
  INFO(drawn.output);
  CHECK(drawn.status == 0);
  CHECK(drawn.output.empty());
  CHECK(run_command("python3 " + script.path() + " " + svg.path()).status == 0);
}

TEST_CASE("svg: nothing external, a title, light and dark", "[draw]") {
  const std::string svg = to_svg(unfolded("elman", 3));
  for (const char* const foreign :
       {"href", "url(http", "@import", "<script", "<image", "font-face"}) {
    CHECK(svg.find(foreign) == std::string::npos);
  }
  CHECK(svg.find("<title>elman</title>") != std::string::npos);
  CHECK(svg.find("<desc>") != std::string::npos);
  CHECK(svg.find("prefers-color-scheme:dark") != std::string::npos);
}

TEST_CASE("write: the suffix tells the format", "[draw]") {
  const Unfolded u = unfold(shipped_definition("elman"), {.steps = 2});
  const auto written = [&](const std::string& suffix) {
    const TemporaryFile file(suffix, "");
    write(u.graph(), file.path());
    return slurp(file.path());
  };
  CHECK(written(".dot").starts_with("digraph"));
  CHECK(written(".svg").starts_with("<svg"));
  CHECK(written(".json").starts_with("{"));
  CHECK_THROWS_AS(write(u.graph(), "elman.png"), Error);
  CHECK_THROWS_AS(write(u.graph(), "folder.dot/elman"), Error);
}

TEST_CASE("dot: a window of neighbours is one edge of the circuit", "[draw]") {
  const std::string text = to_dot(picture_of(folded(shipped_definition("grid_convolution"))));
  CHECK(text.find("label=\"i−1…i+1, j−1…j+1\"") != std::string::npos);
  CHECK(text.find("j+1\"", text.find("j−1…j+1\"") + 12) == std::string::npos);
}
