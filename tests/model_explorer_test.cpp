// What Model Explorer is given, against the types that it publishes
// (src/ui/src/components/visualizer/ common/{input_graph,types,edge_overlays,sync_navigation}.ts of
// its repository): every key, its type, and that ids lead somewhere.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "support_nasty.h"
#include "support_picture.h"
#include "taugrad/draw/format.h"

using namespace taugrad;
using namespace taugrad::test;
using nlohmann::json;

namespace {

/// The keys of an object are among those of its type, those that it must have are there.
void check_keys(const json& object, const std::set<std::string>& must,
                const std::set<std::string>& may = {}) {
  REQUIRE(object.is_object());
  for (const std::string& key : must) {
    INFO(key);
    CHECK(object.contains(key));
  }
  for (const auto& [key, value] : object.items()) {
    INFO(key);
    CHECK((must.contains(key) || may.contains(key)));
  }
}

void check_strings(const json& object) {  // KeyValuePairs, Record<string, string>
  for (const auto& [key, value] : object.items()) CHECK(value.is_string());
}

void check_key_values(const json& list) {  // KeyValueList
  REQUIRE(list.is_array());
  for (const json& item : list) {
    check_keys(item, {"key", "value"});
    check_strings(item);
  }
}

void check_colour(const json& text) {
  CHECK(std::regex_match(text.get<std::string>(), std::regex("#[0-9a-f]{6}")));
}

using Ids = std::set<std::string>;

Ids ids_of(const json& graph) {
  Ids ids;
  for (const json& n : graph["nodes"]) CHECK(ids.insert(n["id"].get<std::string>()).second);
  return ids;
}

void check_node(const json& n, const Ids& ids) {  // GraphNode
  check_keys(n, {"id", "label", "namespace"},
             {"subgraphIds", "attrs", "incomingEdges", "inputsMetadata", "outputsMetadata", "style",
              "config"});
  for (const char* key : {"id", "label", "namespace"}) CHECK(n[key].is_string());
  const std::string path = n["namespace"];
  CHECK_FALSE(path.starts_with('/'));
  CHECK_FALSE(path.ends_with('/'));
  CHECK(path.find("//") == path.npos);
  check_key_values(n["attrs"]);
  for (const json& e : n["incomingEdges"]) {
    check_keys(e, {"sourceNodeId", "sourceNodeOutputId", "targetNodeInputId"}, {"metadata"});
    CHECK(ids.contains(e["sourceNodeId"].get<std::string>()));
    CHECK(e["sourceNodeOutputId"].is_string());
    CHECK(e["targetNodeInputId"].is_string());
    if (e.contains("metadata")) check_strings(e["metadata"]);
  }
  for (const json& m : n["outputsMetadata"]) {
    check_keys(m, {"id", "attrs"});
    check_key_values(m["attrs"]);
  }
  check_keys(n["style"], {}, {"backgroundColor", "borderColor", "hoveredBorderColor"});
  for (const auto& [key, value] : n["style"].items()) check_colour(value);
}

void check_overlays(const json& tasks, const std::string& graph, const Ids& ids) {  // TasksData
  check_keys(tasks, {}, {"edgeOverlaysDataListLeftPane", "edgeOverlaysDataListRightPane"});
  for (const json& data : tasks["edgeOverlaysDataListLeftPane"]) {
    check_keys(data, {"type", "name", "overlays"}, {"graphName"});
    CHECK(data["type"] == "edge_overlays");
    CHECK(data["graphName"] == graph);
    for (const json& o : data["overlays"]) {
      check_keys(o, {"name", "edges", "edgeColor"},
                 {"edgeWidth", "edgeLabelFontSize", "showEdgesConnectedToSelectedNodeOnly",
                  "visibleEdgeHops"});
      check_colour(o["edgeColor"]);
      for (const json& e : o["edges"]) {
        check_keys(e, {"sourceNodeId", "targetNodeId"}, {"label"});
        CHECK(ids.contains(e["sourceNodeId"].get<std::string>()));
        CHECK(ids.contains(e["targetNodeId"].get<std::string>()));
      }
    }
  }
}

/// A GraphCollection; returns the ids of the nodes of each of its graphs.
std::map<std::string, Ids> check_collection(const json& c) {
  check_keys(c, {"label", "graphs"}, {"graphSorting"});
  CHECK(c["label"].is_string());
  std::map<std::string, Ids> all;
  for (const json& g : c["graphs"]) {
    check_keys(g, {"id", "nodes"},
               {"subgraphIndex", "groupNodeAttributes", "groupNodeConfigs", "nodeLabelsToHide",
                "tasksData", "layoutConfigs"});
    const Ids ids = ids_of(g);
    for (const json& n : g["nodes"]) check_node(n, ids);
    for (const auto& [space, attributes] : g["groupNodeAttributes"].items())
      check_strings(attributes);
    check_overlays(g["tasksData"], g["id"], ids);
    CHECK(all.emplace(g["id"].get<std::string>(), ids).second);
  }
  return all;
}

void check_node_data(const json& data, const std::map<std::string, Ids>& graphs) {
  CHECK(data.size() >= 2);
  for (const auto& [graph, of] : data.items()) {  // NodeDataProviderData
    REQUIRE(graphs.contains(graph));
    check_keys(of, {"results"}, {"name", "thresholds", "gradient"});
    for (const auto& [id, result] : of["results"].items()) {
      CHECK(graphs.at(graph).contains(id));
      check_keys(result, {"value"}, {"bgColor", "textColor"});
      CHECK((result["value"].is_number() || result["value"] == "not finite"));
      check_colour(result["bgColor"]);
      check_colour(result["textColor"]);
    }
  }
}

void check_sync(const json& sync, const std::map<std::string, Ids>& graphs) {
  check_keys(sync, {"type"}, {"mapping", "mappingEntries", "disableMappingFallback"});
  CHECK(sync["type"] == "sync_navigation");
  Ids left, right;  // an id belongs to one entry only
  for (const json& entry : sync["mappingEntries"]) {
    check_keys(entry, {"leftNodeIds", "rightNodeIds"});
    for (const json& id : entry["leftNodeIds"]) {
      CHECK(graphs.at("folded").contains(id.get<std::string>()));
      CHECK(left.insert(id).second);
    }
    for (const json& id : entry["rightNodeIds"]) {
      CHECK(graphs.at("unfolded").contains(id.get<std::string>()));
      CHECK(right.insert(id).second);
    }
  }
}

std::string text_of(const std::string& format, const FormatSource& source) {
  return format_named(format).text(source, {});
}

}  // namespace

TEST_CASE("model explorer: graphs, values and maps of every shipped definition are of its types",
          "[formats][model-explorer]") {
  for (const std::string& name : shipped_names()) {
    INFO(name);
    const Definition d = shipped_definition(name);
    ValuedGraph values(d, {}, {});
    const Explorer page = explore(d, {.view = "unfolded", .values = &values}).page;
    const FormatSource source{.picture = [] { return Picture(); }, .page = [&] { return page; }};
    const auto graphs = check_collection(json::parse(text_of("model-explorer", source)));
    CHECK(graphs.contains("folded"));
    CHECK(graphs.contains("unfolded"));
    check_node_data(json::parse(text_of("node-data", source)), graphs);
    const json sync = json::parse(text_of("sync", source));
    check_sync(sync, graphs);
    CHECK(sync["mappingEntries"].size() > 1);
  }
}

TEST_CASE("model explorer: every variable of the circuit leads to all its steps",
          "[formats][model-explorer]") {
  const Explorer page =
      explore(shipped_definition("lstm"), {.unfolding = {.steps = 40}, .view = "unfolded"}).page;
  const FormatSource source{.picture = [] { return Picture(); }, .page = [&] { return page; }};
  const json sync = json::parse(text_of("sync", source));
  std::map<std::string, std::size_t> steps;
  for (const json& e : sync["mappingEntries"])
    steps[e["leftNodeIds"][0].get<std::string>()] = e["rightNodeIds"].size();
  CHECK(steps.at("h") == 41);  // with h[0]
  CHECK(steps.at("x") == 40);
  const json collection = json::parse(text_of("model-explorer", source));
  CHECK(collection["graphs"][0]["id"] == "unfolded");
}

TEST_CASE("model explorer: shares of the gradient lie over the edges, adding up to 100 %",
          "[formats][model-explorer]") {
  const Definition d = shipped_definition("elman");
  ValuedGraph values(d, {}, {}, {.steps = 3});
  const Explorer page =
      explore(d, {.view = "unfolded", .picture = {.detail = Detail::values}, .values = &values})
          .page;
  const FormatSource source{.picture = [] { return Picture(); }, .page = [&] { return page; }};
  const json collection = json::parse(text_of("model-explorer", source));
  double sum = 0;
  for (const json& o :
       collection["graphs"][0]["tasksData"]["edgeOverlaysDataListLeftPane"][0]["overlays"]) {
    if (o["name"] != "share of the gradient") continue;
    for (const json& e : o["edges"])
      if (e["sourceNodeId"] == "h_2") sum += std::stod(e["label"].get<std::string>());
  }
  CHECK(sum == Approx(100).margin(0.11));
}

TEST_CASE("model explorer: a value that is not finite, a name that parts levels",
          "[formats][model-explorer]") {
  const Definition d = shipped_definition("driven");
  ValuedGraph values(d, {}, {});
  Explorer page = explore(d, {.view = "unfolded", .values = &values}).page;
  page.facts[0].value.not_finite = 1;
  page.scenes[0].picture.clusters[0].label = "a/b/";
  const FormatSource source{.picture = [] { return Picture(); }, .page = [&] { return page; }};
  const auto graphs = check_collection(json::parse(text_of("model-explorer", source)));
  const std::string data = text_of("node-data", source);
  check_node_data(json::parse(data), graphs);
  CHECK(data.find("\"not finite\"") != std::string::npos);
  const FormatSource nasty{.picture = [] { return nasty_picture(); }};
  check_collection(json::parse(text_of("model-explorer", nasty)));
}
