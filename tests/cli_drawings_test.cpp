// `show` and `diff` as a person uses them: formats by name and suffix, a terminal, two sides.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "support_cli.h"

using namespace support;

TEST_CASE("show: a picture without a line, and one without a circle", "[cli][draw]") {
  const Folder f;
  std::ofstream(f / "none.json")
      << R"({"version": 1, "lengths": [], "extents": [[]], "nodes": []})";
  for (const char* what : {"-e 'a = 1'", "-e 'y = x'", "-e 'h[t] = 1'", "none.json"})
    for (const char* format : {"svg", "dot", "tikz"}) {
      INFO(what << " " << format);
      const auto r = support::taugrad(
          f, std::string("show ") + what + " --detail variables -q --format " + format);
      CHECK(r.status == 0);
      CHECK(!r.out.empty());
    }
}

TEST_CASE("show: formats by suffix and by name", "[cli][formats]") {
  const Folder f;
  CHECK(taugrad(f, "show elman --steps 3 -q -o e.mmd").status == 0);
  CHECK(has(slurp(f / "e.mmd"), "flowchart LR"));
  CHECK(taugrad(f, "show elman --steps 3 -q -o e.tex").status == 0);
  CHECK(has(slurp(f / "e.tex"), "$h^{(3)}$"));
  CHECK(taugrad(f, "show elman --format model-explorer -q -o e.json").status == 0);
  CHECK(has(slurp(f / "e.json"), "\"graphs\""));
  CHECK(taugrad(f, "show elman --format tikz -o e.json").status == 2);
  CHECK(has(taugrad(f, "show elman --format node-data").err, "--values"));
  CHECK(taugrad(f, "show elman --steps 2 --values --colour bytes -q -o e.node-data.json").status ==
        0);
  CHECK(has(slurp(f / "e.node-data.json"), "\"results\""));
  const Outcome help = taugrad(f, "show --help");
  for (const char* suffix : {".mmd", ".tex", ".graphml", ".model-explorer.json"})
    CHECK(has(help.out, suffix));
}

TEST_CASE("show: with --format any file's name will do that tells no other format",
          "[cli][formats]") {
  const Folder f;
  for (const char* format : {"dot", "graphml", "html", "json", "mermaid", "model-explorer",
                             "node-data", "svg", "sync", "tikz"})
    for (const char* name : {"x.tikz", "x.SVG", "net.v2", "x.", "picture", "a.txt", "x.json.bak"}) {
      INFO(format << " " << name);
      const std::string show = std::string("show elman --steps 2 -q ") +
                               (std::string(format) == "node-data" ? "--values " : "") +
                               "--format " + format;
      const Outcome printed = taugrad(f, show);
      CHECK(printed.status == 0);
      CHECK(taugrad(f, show + " -o " + name).status == 0);
      CHECK(slurp(f / name) == printed.out);
    }
  CHECK(taugrad(f, "show elman --steps 2 --plan --format json -q -o x.plan").status == 0);
  CHECK(slurp(f / "x.plan").starts_with("{"));
  CHECK(taugrad(f, "show elman --plan --format json -q -o x.svg").status == 2);
  CHECK(has(taugrad(f, "show elman -o x.tikz").err, "one of"));
  CHECK(has(taugrad(f, "show elman --format tikz -o x.svg").err, "different formats"));
}

TEST_CASE("show: variables are of every view", "[cli][printed]") {
  const Folder f;
  for (const char* view : {"folded", "unfolded", "gradient", "model"}) {
    const std::string line =
        std::string("show elman --view ") + view + " --detail variables -q -o ";
    INFO(line);
    CHECK(taugrad(f, line + "a.svg").status == 0);
    CHECK(has(slurp(f / "a.svg"), "class=\"m\""));
    CHECK(taugrad(f, line + "b.dot").status == 0);
    CHECK(taugrad(f, line + "b.tex").status == 0);
  }
  CHECK(taugrad(f, "show elman --view model --detail values -o a.svg").status == 2);
}

TEST_CASE("show: equations and tables on a terminal, DOT in a pipe", "[cli]") {
  const Folder f;
  CHECK(taugrad(f, "show elman -q").out.starts_with("digraph"));
  const std::string program = TAUGRAD_EXECUTABLE;
  std::ofstream(f / "terminal.sh") << "script -qec '" << program << " show elman' /dev/null\n";
  const std::string line = "cd '" + f.path.string() + "' && TAUGRAD_GRAPHS='" + TAUGRAD_SOURCE_DIR +
                           "/graphs' sh terminal.sh > shown.txt 2>/dev/null";
  if (std::system("command -v script > /dev/null") != 0) {
    WARN("script is not installed: SKIPPED the terminal");
    return;
  }
  CHECK(std::system(line.c_str()) == 0);
  const std::string shown = slurp(f / "shown.txt");
  INFO(shown);
  CHECK(has(shown, "a⁽ᵗ⁾ = b + W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾"));
  CHECK(has(shown, "30 parameters"));
  CHECK(has(shown, "tanh"));
  CHECK_FALSE(has(shown, "digraph"));
}

TEST_CASE("diff: both sides in one drawing", "[cli][difference]") {
  const Folder f;
  const Outcome o = taugrad(f, "diff elman driven -o d.svg");
  CHECK(o.status == 1);
  CHECK(has(o.out, "equation"));
  CHECK(has(o.err, "only in A"));
  CHECK(has(slurp(f / "d.svg"), "B: each t"));
  CHECK(taugrad(f, "diff elman elman --values --steps 2 -q -o d.html").status == 0);
  CHECK(has(slurp(f / "d.html"), "id=\"values\""));
  CHECK(taugrad(f, "diff elman driven --steps 3").status == 2);
  CHECK(taugrad(f, "diff elman driven -o d.png").status == 2);
}

TEST_CASE("inspect: histograms as bars", "[cli]") {
  const Folder f;
  std::ofstream(f / "t.json") << R"({"a": [0, 0, 0, 0, 12], "b": [3, 3], "c": [1e308, -1e308]})";
  const Outcome o = taugrad(f, "inspect t.json");
  CHECK(o.status == 0);
  CHECK(has(o.out, "█          ▂"));
  CHECK(has(taugrad(f, "inspect t.json --json").out, "\"histogram\": [\n        4,"));
}
