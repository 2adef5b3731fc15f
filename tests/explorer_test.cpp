// The page to explore: its size, its policy, what it holds. What it does is tried in a browser
// (explorer_browser.py).
#include "taugrad/draw/explorer.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "draw/explorer/explorer_page.h"
#include "support_picture.h"
#include "taugrad/base/error.h"
#include "taugrad/draw/write.h"
#include "taugrad/ops/ops.h"

using namespace taugrad;
using namespace taugrad::test;
using nlohmann::json;

namespace {

/// The JSON that a page holds, by the id of its element.
json data_of(const std::string& page, const std::string& id) {
  const std::string open = "<script type=\"application/json\" id=\"" + id + "\">";
  const std::size_t from = page.find(open);
  REQUIRE(from != std::string::npos);
  const std::size_t start = from + open.size();
  return json::parse(page.substr(start, page.find("</script>", start) - start));
}

std::string page_of(const std::string& name, int steps, const std::string& view = "unfolded") {
  return to_html(
      explore(shipped_definition(name), {.unfolding = {.steps = steps}, .view = view}).page);
}

std::string view_shown(const json& page) {
  return page["scenes"][page["first"].get<std::size_t>()]["name"];
}

}  // namespace

TEST_CASE("explorer: the page's own text is small, of letters that any editor takes",
          "[explorer]") {
  std::size_t bytes = 0;
  for (const std::string_view part :
       {draw::kExplorerStyle, draw::kExplorerScript, draw::kExplorerBody}) {
    bytes += part.size();
    for (const char c : part) CHECK((c == '\n' || (c >= ' ' && c < 0x7F)));
    const std::size_t address = part.find("http");  // the name of SVG alone
    CHECK((address == part.npos || part.substr(address).starts_with("http://www.w3.org/2000/svg")));
    CHECK((address == part.npos || part.find("http", address + 1) == part.npos));
  }
  CHECK(bytes < 80'000);
}

TEST_CASE("explorer: the policy allows this script and this style, nothing else", "[explorer]") {
  const std::string page = page_of("elman", 3);
  std::smatch policy;
  REQUIRE(std::regex_search(
      page, policy,
      std::regex("default-src 'none'; script-src 'sha256-([A-Za-z0-9+/]{43}=)'; style-src "
                 "'sha256-([A-Za-z0-9+/]{43}=)'; base-uri 'none'; form-action 'none'")));
  CHECK(page.find("unsafe") == std::string::npos);
  if (!has_command("openssl")) return;
  for (const auto& [part, hash] : {std::pair{draw::kExplorerScript, policy[1].str()},
                                   std::pair{draw::kExplorerStyle, policy[2].str()}}) {
    const TemporaryFile text(".txt", std::string(part));
    const Outcome o =
        run_command("openssl dgst -sha256 -binary " + text.path() + " | openssl base64 -A");
    CHECK(o.output == hash);
  }
}

TEST_CASE("explorer: every shipped definition has a page, in every view", "[explorer]") {
  for (const std::string& name : shipped_names()) {
    INFO(name);
    const std::string html = page_of(name, 3);
    CHECK(html == page_of(name, 3));
    const json page = data_of(html, "page");
    CHECK(view_shown(page) == "unfolded");
    for (const char* list : {"scenes", "steps"})
      for (std::size_t s = 0; s < page[list].size(); ++s) {
        const json scene =
            data_of(html, (list == std::string("scenes") ? "scene" : "step") + std::to_string(s));
        for (const auto& [key, column] : scene["nodes"].items())
          CHECK(column.size() == page[list][s]["nodes"].get<std::size_t>());
        for (const auto& [key, column] : scene["edges"].items())
          CHECK(column.size() == scene["edges"]["from"].size());
        for (const json& route : scene["edges"]["route"])
          CHECK(route.get<std::size_t>() < scene["routes"].size());
      }
    CHECK(page["steps"].empty() == shipped_definition(name).indices.empty());
    for (const json& e : page["equations"])
      for (const json& part : e["parts"]) {
        CHECK(part[1].get<int>() < part[2].get<int>());
        CHECK(part[2].get<std::size_t>() <= e["text"].get<std::string>().size());
      }
  }
}

TEST_CASE("explorer: an equation says which of its characters an operation stands for",
          "[explorer]") {
  const json page = data_of(page_of("elman", 2), "page");
  const json& a = page["equations"][0];
  CHECK(a["of"] == "a");
  CHECK(a["file"] == "elman.json");
  CHECK(a["line"] == 9);
  std::vector<std::string> parts;
  for (const json& p : a["parts"]) {
    const int first = p[1], last = p[2];
    parts.push_back(p[0].get<std::string>() + ": " +
                    a["text"].get<std::string>().substr(static_cast<std::size_t>(first),
                                                        static_cast<std::size_t>(last - first)));
  }
  CHECK(parts == std::vector<std::string>{"matmul: W @ h[t-1]", "add: b + W @ h[t-1]",
                                          "matmul: U @ x[t]", "add: b + W @ h[t-1] + U @ x[t]"});
  const json boundary = data_of(page_of("vector_to_sequence_state", 2), "page");
  bool found = false;
  for (const json& e : boundary["equations"])
    found = found || (e["of"] == "h" && e["places"] == json::parse("[0]"));
  CHECK(found);
}

TEST_CASE("explorer: a long graph is there without its middle, and with all of it", "[explorer]") {
  const std::string html = page_of("lstm", 200);
  const json page = data_of(html, "page");
  std::vector<std::string> names;
  for (const json& s : page["scenes"]) names.push_back(s["name"]);
  CHECK(names == std::vector<std::string>{"folded", "unfolded", "unfolded_all"});
  CHECK_FALSE(page["scenes"][1]["whole"].get<bool>());
  CHECK(data_of(html, "scene2")["clusters"].size() == 201);
  // routes repeat from step to step: they are written once
  CHECK(data_of(html, "scene2")["routes"].size() < 80);
}

TEST_CASE("explorer: a graph has a page of all its views", "[explorer]") {
  const auto views = [](const Graph& g, const WriteOptions& options) {
    std::string names;
    for (const ExplorerScene& s : explore(g, options).scenes) names += s.name + " ";
    return names;
  };
  const Graph g = unfold(shipped_definition("elman"), {.steps = 12}).graph();
  CHECK(views(g, {}) == "folded unfolded unfolded_all gradient gradient_all ");
  const Explorer page = explore(g, {.view = View::gradient, .title = "by hand"});
  CHECK(page.scenes[page.first].name == "gradient");
  CHECK(page.steps.size() >= 5);
  CHECK(to_html(page) == to_html(explore(g, {.view = View::gradient, .title = "by hand"})));
  Graph small;  // no step repeats, and there are two that could be its loss
  const Var x = small.input("x", {2});
  small.name(sum(x), "a");
  small.name(sum(x * x), "b");
  const NodeId before = small.size();
  CHECK(views(small, {}) == "unfolded ");
  CHECK(views(small, {.loss = "a"}) == "unfolded gradient ");
  CHECK(small.size() == before);
  CHECK_THROWS_AS(explore(small, {.view = View::folded}), Error);
}

TEST_CASE("explorer: names stay inside the data", "[explorer]") {
  const std::string nasty = "</script><img src=x onerror=alert(1)>";
  Graph g;
  const Var x = g.input(nasty, {2});
  g.name(tanh(x), "<!--" + nasty, {1});
  GraphPictureOptions options;
  options.title = nasty;
  options.about = nasty;
  const std::string page = to_html(picture_of(g.tape(), options));
  CHECK(page.find("<img") == std::string::npos);
  CHECK(page.find("<!--") == std::string::npos);
  CHECK(data_of(page, "page")["title"] == nasty);
  CHECK(data_of(page, "scene0")["nodes"]["name"][0] == nasty);
}

TEST_CASE("explorer: pictures and graphs are written by suffix; bad numbers are refused",
          "[explorer]") {
  const Unfolded u = unfold(shipped_definition("elman"), {.steps = 2});
  const TemporaryFile graph(".html", ""), picture(".html", "");
  write(u.graph(), graph.path());
  write(picture_of(u), picture.path());
  for (const auto* file : {&graph, &picture}) {
    std::ifstream in(file->path(), std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    CHECK(text.str().starts_with("<!DOCTYPE html>"));
    CHECK(data_of(text.str(), "scene0")["nodes"]["id"].size() > 10);
  }
  Picture bad;
  bad.edges.resize(1);
  CHECK_THROWS_AS(to_html(bad), Error);
}
