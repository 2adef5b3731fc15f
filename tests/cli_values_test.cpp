// `show --values` and `--colour` on a command line: what they draw, and what they refuse.
#include <catch2/catch.hpp>
#include <set>
#include <vector>

#include "support_cli.h"

using namespace support;

TEST_CASE("show --values: colours in SVG and DOT, numbers on a page, the same bytes again",
          "[cli]") {
  const Folder f;
  for (const std::string line :
       {"elman --values -o a.svg", "elman --colour gradient --steps 4 -o a.dot",
        "lstm --values --view gradient --steps 2 -o a.svg", "elman --colour time -o a.svg",
        "elman --colour bytes -o a.svg", "elman --values --view folded -o a.html",
        "-e 'h[t] = tanh(W @ h[t-1] + U @ x[t])' --values --seed 3 -o a.html",
        "grid_four_directions --values --steps 3 -o a.html"}) {
    INFO(line);
    const std::string file = line.substr(line.rfind(' ') + 1);
    CHECK(taugrad(f, "show " + line + " -q").status == 0);
    const std::string once = slurp(f / file);
    CHECK(taugrad(f, "show " + line + " -q").status == 0);
    CHECK(slurp(f / file) == once);
    CHECK(has(once, file.ends_with("html")  ? "id=\"values\""
                    : file.ends_with("svg") ? "class=\"lg\""
                                            : "colour: norm of the gradient"));
  }
  const auto seeded = [&](const std::string& options) {
    return taugrad(f, "show elman --format svg --values " + options).out;
  };
  CHECK(seeded("--seed 1") == seeded("--seed 1"));
  CHECK(seeded("--seed 1") != seeded("--seed 2"));
}

TEST_CASE("show: a page of a graph's JSON", "[cli]") {
  const Folder f;
  CHECK(taugrad(f, "show elman --steps 4 -q -o net.json").status == 0);
  CHECK(taugrad(f, "show net.json -q -o net.html").status == 0);
  const std::string page = slurp(f / "net.html");
  for (const char* view : {"folded", "unfolded", "gradient"})
    CHECK(has(page, "\"name\": \"" + std::string(view) + "\""));
  CHECK(taugrad(f, "show net.json --view gradient -q -o -  --format html").out != page);
}

namespace {

// what the nodes of a drawing say of their values and gradients
std::multiset<std::string> told(const std::string& svg) {
  std::multiset<std::string> lines;
  for (const std::string what : {"value: ", "gradient: "})
    for (std::size_t at = svg.find(what); at != std::string::npos; at = svg.find(what, at + 1))
      lines.insert(svg.substr(at, svg.find_first_of("<\n", at) - at));
  return lines;
}

}  // namespace

TEST_CASE("show --values: a graph's JSON has the numbers of its definition", "[cli]") {
  const Folder f;
  for (const std::string name : {"elman", "char_lm", "bidirectional", "attention"}) {
    CHECK(taugrad(f, "show " + name + " --steps 3 -q -o net.json").status == 0);
    for (const std::string options :
         {"--values", "--colour gradient", "--values --view gradient", "--colour bytes --seed 3"}) {
      INFO(name << " " << options);
      const std::string line = " " + options + " --detail values -q -o ";
      CHECK(taugrad(f, "show " + name + " --steps 3" + line + "a.svg").status == 0);
      CHECK(taugrad(f, "show net.json" + line + "b.svg").status == 0);
      const auto of_definition = told(slurp(f / "a.svg")), of_graph = told(slurp(f / "b.svg"));
      CHECK_FALSE(of_definition.empty());
      CHECK(of_graph == of_definition);
    }
  }
  CHECK(taugrad(f, "show elman --steps 3 --view gradient -q -o net.json").status == 0);
  CHECK(taugrad(f, "show net.json --values -q -o net.svg").status == 0);
  CHECK(has(slurp(f / "net.svg"), "value: "));
  CHECK(taugrad(f, "show net.json --values -q -o net.html").status == 0);
  CHECK(has(slurp(f / "net.html"), "id=\"values\""));
  CHECK(taugrad(f, "show net.json --colour gradient -q -o net.node-data.json").status == 0);
}

TEST_CASE("show --values: of a graph, the item and the loss that are asked for", "[cli]") {
  const Folder f;
  spill(f / "x.json", R"~({"x": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]})~");
  CHECK(taugrad(f, "show -e 'h[t] = 2 * x[t]' --size n=2 --steps 2 -q -o g.json").status == 0);
  const std::string line = "show g.json --inputs x.json --values --format svg ";
  CHECK(has(taugrad(f, line).out, "value: 10 to 12, mean 11"));
  CHECK(has(taugrad(f, line + "--item 1").out, "value: 14 to 16, mean 15"));
  CHECK(taugrad(f, line + "--item 2").status == 2);
  CHECK(taugrad(f, line + "--loss nothing").status == 2);
  CHECK(has(taugrad(f, "show g.json --values --view folded").err, "U006"));
  CHECK(has(taugrad(f, "show g.json --values --steps 4").err, "U007"));
  spill(f / "u.json", R"~({"u": [[[1, 2]], [[5, 6]]]})~");
  CHECK(has(taugrad(f, "show g.json --values --inputs u.json").err, "D016"));
}

TEST_CASE("show --values: the data of a file, item by item", "[cli]") {
  const Folder f;
  spill(f / "x.json", R"~({"x": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]], "lengths": [2, 1]})~");
  const std::string line =
      "show -e 'h[t] = 2 * x[t]' -e 'loss = sum(h[t])' --size n=2 --inputs x.json --format svg ";
  const std::string first = taugrad(f, line + "--values").out,
                    second = taugrad(f, line + "--values --item 1").out;
  CHECK(has(first, "h[2]"));
  CHECK_FALSE(has(second, "h[2]"));  // its item is over by then
  CHECK(has(second, "value: 6 to 8, mean 7, norm 10"));
}

TEST_CASE("show --values: what has no values, or no effect, is refused", "[cli]") {
  const Folder f;
  const std::vector<std::pair<std::string, std::string>> refused{
      {"elman --values --view folded", "U006"},
      {"elman --values --view model", "U006"},
      {"elman --values --format json", "U006"},
      {"elman --values --mode y=sampled --steps 3", "U006"},
      {"elman --values --colour size", "U002"},
      {"elman --item 0", "U007"},
      {"elman --inputs x.json", "U007"},
      {"elman --steps 3 --seed 1", "U007"},
      {"elman --values --colour gradient --format html", "U007"},
      {"elman --plan --values", "U007"},
      {"elman --values --item 1", "U002"},
      {"elman --values --no-labels --format html", "U007"},
      {"elman --no-labels --format html", "U007"},
  };
  for (const auto& [line, code] : refused) {
    INFO(line);
    const Outcome o = taugrad(f, "show " + line);
    CHECK(o.status == 2);
    CHECK(has(o.err, code));
    CHECK(o.out.empty());
  }
  CHECK(taugrad(f, "show elman --values --steps 10000000 -o a.svg").status == 6);
  CHECK(taugrad(f, "show elman --values --inputs nowhere.json -o a.svg").status == 4);
  CHECK_FALSE(fs::exists(f.path / "a.svg"));
}
