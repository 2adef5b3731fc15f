// docs/graph.schema.json beside the reader of graphs: each accepts what the other does.
#include <fmt/core.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>

#include "base/system/files.h"
#include "random_graph.h"
#include "support_scratch.h"
#include "taugrad/base/error.h"
#include "taugrad/graph/op.h"
#include "taugrad/io/graph_json.h"

using namespace taugrad;
using namespace support;

namespace {

const std::string kSource = TAUGRAD_SOURCE_DIR;

/// From names to the kinds of values, of which "category" tells none.
std::map<std::string, std::string> attributes_of(const Op& op) {
  std::istringstream words{std::string(op.attributes)};
  std::map<std::string, std::string> kinds;
  for (std::string word; words >> word;) {
    const std::size_t colon = std::min(word.find(':'), word.size());
    kinds[word.substr(0, colon)] = word.substr(std::min(colon + 1, word.size()));
  }
  return kinds;
}

/// Of all operations.
std::set<std::string> attribute_names() {
  std::set<std::string> names{"no_such_attribute"};
  for (const Op* op : registry())
    for (const auto& [name, kind] : attributes_of(*op)) names.insert(name);
  return names;
}

/// JSON, and the kinds that take it.
const std::vector<std::pair<std::string, std::set<std::string>>> kAttributeValues = {
    {"1", {"", "integer", "flag", "real"}},
    {"2", {"", "integer", "real"}},
    {"1.5", {"real"}},
    {"\"inf\"", {"real", "text"}},
    {"\"no\"", {"text"}},
    {"{\"text\": \"inf\"}", {"text"}},
    {"[1]", {"integers"}},
    {"[]", {"integers"}}};

}  // namespace

TEST_CASE("graph json: the schema accepts what is written and refuses what the reader refuses",
          "[graph_json][schema]") {
  if (std::system("python3 -c 'import jsonschema' 2>/dev/null") != 0 &&
      std::system("/usr/bin/python3 -c 'import jsonschema' 2>/dev/null") != 0) {
    WARN("skipped: python3-jsonschema is not installed");
    return;
  }
  const std::string program = R"(
import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for line in open(sys.argv[2]):
    case = json.loads(line)
    if validator.is_valid(case["graph"]) != case["valid"]:
        sys.exit("disagrees: " + line[:300])
)";
  std::string cases;
  const auto add = [&](std::string graph, bool valid) {
    std::erase(graph, '\n');
    cases +=
        "{\"valid\": " + std::string(valid ? "true" : "false") + ", \"graph\": " + graph + "}\n";
  };
  for (unsigned seed = 0; seed < 20; ++seed)
    add(to_json(GraphGenerator(seed).make(20, true).graph), true);
  const std::string node =
      R"({"extent": 0, "id": 0, "name": "W", "op": "weight", "shape": [2], "value": true})";
  const auto graph = [](const std::string& nodes, const std::string& version = "1",
                        const std::string& more = "") {
    return "{\"version\": " + version + ", \"lengths\": [], \"extents\": [[]], \"nodes\": [" +
           nodes + "]" + more + "}";
  };
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string n = node;
    return graph(n.replace(n.find(from), from.size(), to));
  };
  std::vector<std::string> all = {
      graph(node),
      graph(""),
      graph(node, "9"),
      graph(node, "\"1\""),
      graph(node, "1", ", \"extra\": 1"),
      "{\"version\": 1, \"nodes\": []}",
      "[]",
      graph("3"),
      changed("\"W\"", "5"),
      changed("\"W\"", "\"\""),
      changed("[2]", "[-1]"),
      changed("[2]", "[3.7]"),
      changed("[2]", "[true]"),
      changed("[2]", "2"),
      changed("[2]", "[1, 1, 1, 1, 1]"),
      changed("\"extent\": 0", "\"extent\": -1"),
      changed("\"extent\": 0, ", ""),
      changed("\"op\": \"weight\"", "\"op\": 5"),
      changed("\"name\"", "\"nmae\""),
      changed("\"value\": true", "\"value\": 1"),
      changed("\"value\": true", "\"attrs\": {\"k\": null}"),
      changed("\"value\": true", "\"index\": [1], \"letters\": [\"t\"]"),
      changed("\"value\": true", "\"letters\": [\"t\"]"),
      changed("\"value\": true", "\"letters\": []"),
      changed("\"value\": true", "\"index\": [1], \"letters\": [\"\"]"),
      changed("\"value\": true", "\"index\": [1], \"letters\": [1]"),
      changed("\"value\": true", "\"index\": [1], \"letters\": \"t\""),
      changed("\"value\": true", "\"inputs\": [\"W\"]"),
      changed("\"value\": true", "\"order\": 2"),
      changed("\"value\": true", "\"order\": -1"),
      changed("\"value\": true", "\"order\": 10"),
      changed("\"value\": true", "\"order\": \"2\""),
      changed("\"value\": true", "\"known_as\": \"grad:W\""),
      changed("\"value\": true", "\"known_as\": \"W\""),
      changed("\"value\": true", "\"known_as\": 1"),
      changed("\"value\": true", "\"known_as\": \"grad:W\", \"value\": true"),
      changed("\"value\": true", "\"attrs\": {\"k\": [1.5]}"),
      changed("\"value\": true", "\"attrs\": {\"k\": {\"txt\": \"inf\"}}"),
      changed("\"value\": true",
              "\"attrs\": {\"k\": {\"text\": \"inf\"}, \"a\": [1], \"b\": \"nan\", \"c\": 1.5}")};
  const std::set<std::string> attributes = attribute_names();
  for (const Op* op : registry()) {
    const auto taken = attributes_of(*op);
    for (const std::string& name : attributes)
      for (const auto& [value, kinds] : kAttributeValues) {
        const auto own = taken.find(name);
        if (own != taken.end() && own->second.empty() && value != "1") continue;
        add(graph(fmt::format(
                R"({{"extent": 0, "id": 0, "op": "{}", "shape": [], "attrs": {{"{}": {}}}}})",
                op->name, name, value)),
            own != taken.end() && kinds.contains(own->second));
      }
  }
  for (const std::string& text : all) {
    bool valid = true;
    try {
      graph_from_json(text, "g.json");
    } catch (const Error&) {
      valid = false;
    }
    add(text, valid);
  }
  const Scratch script("schema.py"), lines("schema.jsonl");
  write_file(script.path, program);
  write_file(lines.path, cases);
  const std::string arguments =
      " " + script.path + " " + kSource + "/docs/graph.schema.json " + lines.path;
  const bool own = std::system("python3 -c 'import jsonschema' 2>/dev/null") == 0;
  CHECK(std::system(((own ? "python3" : "/usr/bin/python3") + arguments).c_str()) == 0);
}
