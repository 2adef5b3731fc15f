// The malformed graph files and definitions that a user may bring, each with its code, its place
// and what the message must say. Safetensors and JSON as such have tables of their own.
#include <fmt/core.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "taugrad/autodiff/gradient.h"
#include "taugrad/base/error.h"
#include "taugrad/io/graph_json.h"
#include "taugrad/unfold/unfold.h"

using namespace taugrad;

namespace {

struct Bad {
  std::string row;  // number in the list of malformed inputs, and what it is
  std::string text;
  std::string code;
  std::string at;  // where: a part of the text with a ^ before the place; empty: no place
  std::vector<std::string> says;  // parts of message and help
};

template <class Read>
std::vector<Diagnostic> problems(const Read& read, Status& status) {
  try {
    read();
  } catch (const Error& e) {
    status = e.status();
    return e.diagnostics();
  }
  return {{}};
}

// The line and column of the ^ of a part of the text; its first occurrence counts.
std::pair<int, int> place_of(const std::string& text, const std::string& part) {
  if (part.empty()) return {0, 0};
  const std::size_t mark = part.find('^');
  const std::size_t found = text.find(part.substr(0, mark) + part.substr(mark + 1));
  REQUIRE(found != std::string::npos);
  const std::string before = text.substr(0, found + mark);
  const std::size_t line = before.rfind('\n');
  return {1 + static_cast<int>(std::count(before.begin(), before.end(), '\n')),
          static_cast<int>(before.size() - (line == std::string::npos ? 0 : line + 1)) + 1};
}

void check_row(const Bad& bad, const Diagnostic& d) {
  INFO(bad.row << "\n" << to_text(d));
  CHECK(d.code == bad.code);
  CHECK(std::pair(d.line, d.column) == place_of(bad.text, bad.at));
  for (const std::string& part : bad.says)
    CHECK_THAT(d.message + " | " + d.help, Catch::Contains(part));
  CHECK_THAT(to_text(d), !Catch::Contains("std::") && !Catch::Contains("nlohmann") &&
                             !Catch::Contains("exception"));
}

// A graph file around some nodes: line 1 the head, then a node a line.
std::string graph(const std::vector<std::string>& nodes) {
  std::string text = R"({"version": 1, "lengths": ["tau"], "extents": [[]], "nodes": [)";
  for (std::size_t i = 0; i < nodes.size(); ++i) text += (i == 0 ? "\n" : ",\n") + nodes[i];
  return text + "]}";
}

std::string node(int id, const std::string& op, const std::string& inputs, const std::string& shape,
                 const std::string& rest = "") {
  return "{\"id\": " + std::to_string(id) + ", \"op\": \"" + op + "\", \"inputs\": " + inputs +
         ", \"shape\": " + shape + ", \"extent\": 0" + rest + "}";
}

std::string named(const std::string& name) {
  return ", \"name\": \"" + name + "\", \"value\": true";
}

std::vector<std::string> two_weights(const std::string& a, const std::string& b) {
  return {node(0, "weight", "[]", a, named("x")), node(1, "weight", "[]", b, named("W"))};
}

std::vector<std::string> with(std::vector<std::string> nodes, const std::string& more) {
  nodes.push_back(more);
  return nodes;
}

const std::string kWeight = node(0, "weight", "[]", "[3]", named("W"));

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::vector<Bad> bad_graphs() {
  const std::string ok = graph({kWeight});
  const std::string wide = "[65536, 65536, 65536, 65536]";
  const auto constant = [](const std::string& value) {
    return graph({node(0, "constant", "[]", "[]", ", \"attrs\": {\"value\": " + value + "}")});
  };
  return {
      {"1 empty", "", "G001", "", {"g.json is empty; expected a graph object"}},
      {"2 truncated",
       ok.substr(0, ok.size() - 2),
       "G002",
       "true}^",
       {"JSON ends early at 2:95; 2 unclosed '[' (opened at 1:62)"}},
      {"3 missing comma",
       replaced(ok, "[\"tau\"],", "[\"tau\"]"),
       "G002",
       "^\"extents\"",
       {"expected ',' or '}' at 1:35"}},
      {"4 comment", "{// a graph\n}", "G002", "^//", {"comments are not allowed in JSON at 1:2"}},
      {"4 trailing comma", replaced(ok, "]}", "],}"), "G002", "],^}", {"trailing comma"}},
      {"5 NaN", constant("NaN"), "G003", "^NaN", {"number out of range", "\"nan\"/\"inf\""}},
      {"5 1e400", constant("1e400"), "G003", "^1e400", {"number out of range at 2:88"}},
      {"6 invalid UTF-8",
       replaced(ok, "\"W\"", "\"\xFF\""),
       "G004",
       "^\xFF",
       {"invalid UTF-8 (byte 0xFF) at 2:77"}},
      {"6 lone surrogate",
       replaced(ok, "\"W\"", "\"\\udc00\""),
       "G004",
       "^\\udc00",
       {"lone surrogate"}},
      {"7 byte-order mark",
       "\xEF\xBB\xBF" + ok,
       "G004",
       "^\xEF",
       {"byte-order mark; save as UTF-8 without BOM"}},
      {"7 UTF-16", std::string("\xFF\xFE{\0}\0", 6), "G004", "^\xFF", {"byte-order mark"}},
      {"8 duplicate key",
       replaced(ok, "\"op\"", "\"op\": \"weight\", \"op\""),
       "G005",
       "\"weight\", ^\"op\"",
       {"key \"op\" appears twice"}},
      {"8 at the top",
       replaced(ok, "\"lengths\"", "\"version\""),
       "G005",
       "1, ^\"version\"",
       {"key \"version\" appears twice"}},
      {"8 in attrs",
       constant("1.0, \"value\": 2.0"),
       "G005",
       "1.0, ^\"value\"",
       {"key \"value\" appears twice"}},
      {"9 nested arrays",
       std::string(100000, '['),
       "G007",
       "^[",
       {"expected an object, got array"}},
      {"9 nested inside",
       "{\"nodes\": " + std::string(100000, '['),
       "G006",
       std::string(63, '[') + "^[",
       {"nesting deeper than 64 at 1:74"}},
      {"10 an array", "[]", "G007", "^[", {"expected an object, got array"}},
      {"11 no version",
       replaced(ok, "\"version\": 1, ", ""),
       "G008",
       "^{",
       {"lacks the field \"version\""}},
      {"11 future version",
       replaced(ok, "\"version\": 1", "\"version\": 9"),
       "G008",
       "^9",
       {"file version 9 is newer than this program supports (1)", "upgrade or re-export"}},
      {"12 unknown field",
       replaced(ok, "\"shape\"", "\"shpae\""),
       "G009",
       "^\"shpae\"",
       {"unknown field \"shpae\"", "did you mean \"shape\"?"}},
      {"12 at the top",
       replaced(ok, "\"lengths\"", "\"lenghts\""),
       "G009",
       "^\"lenghts\"",
       {"unknown field \"lenghts\"", "did you mean \"lengths\"?"}},
      {"13 wrong type",
       replaced(ok, "\"weight\"", "5"),
       "G010",
       "^5",
       {"\"op\" must be a string, got number"}},
      {"13 a node that is none",
       graph({"7"}),
       "G010",
       "\n^7",
       {"\"nodes\" must be an array of objects"}},
      {"13 missing field",
       replaced(ok, ", \"shape\": [3]", ""),
       "G010",
       "\n^{",
       {"node 0 \"W\" lacks the field \"shape\""}},
      {"13 letters without an index",
       replaced(ok, "\"shape\": [3]", "\"letters\": [\"t\"], \"shape\": [3]"),
       "G010",
       "\"letters\": ^[",
       {"0 numbers in \"index\" and 1 \"letters\""}},
      {"14 true as a size",
       replaced(ok, "[3]", "[true]"),
       "G011",
       "[^true]",
       {"\"shape\" must be an integer in 0..2147483647, got true"}},
      {"14 a fraction", replaced(ok, "[3]", "[3.7]"), "G011", "^3.7", {"got 3.7"}},
      {"14 negative", replaced(ok, "[3]", "[-1]"), "G011", "^-1", {"got -1"}},
      {"14 2^64",
       replaced(ok, "[3]", "[18446744073709551616]"),
       "G011",
       "^18446744073709551616",
       {"got 18446744073709551616"}},
      {"13 a further gradient that is none",
       replaced(ok, "\"shape\": [3]", "\"known_as\": \"dW\", \"shape\": [3]"),
       "G025",
       "\"known_as\": ^\"dW\"",
       {"\"known_as\" is grad:W of a further gradient of W, got \"dW\""}},
      {"13 a value known as another",
       replaced(ok, "\"shape\": [3]", "\"known_as\": \"grad:W\", \"shape\": [3]"),
       "G010",
       "\"known_as\": ^\"grad:W\"",
       {"is a value: \"known_as\" is of one that is none"}},
      {"14 an order that nobody counts",
       replaced(ok, "\"shape\": [3]", "\"order\": 10, \"shape\": [3]"),
       "G011",
       "\"order\": ^10",
       {"\"order\" must be an integer in 0..9, got 10"}},
      {"15 unknown op",
       graph({node(0, "sigmiod", "[]", "[3]")}),
       "G012",
       "^\"sigmiod\"",
       {"unknown op \"sigmiod\"", "did you mean \"sigmoid\"?", "register_op"}},
      {"16 duplicate name",
       graph({kWeight, node(1, "weight", "[]", "[3]", named("W"))}),
       "G013",
       "\"extent\": 0, \"name\": ^\"W\", \"value\": true}]",
       {"node \"W\" defined twice (first at 2:1)"}},
      {"16 duplicate id",
       graph({kWeight, node(0, "weight", "[]", "[3]", named("V"))}),
       "G013",
       "},\n{\"id\": ^0",
       {"node 0 defined twice (first at 2:1)"}},
      {"17 undefined input",
       graph({kWeight, node(1, "tanh", "[7]", "[3]", named("f"))}),
       "G014",
       "[^7]",
       {"input 7 of node 1 is not defined before it"}},
      {"17 itself",
       graph({kWeight, node(1, "tanh", "[1]", "[3]")}),
       "G014",
       "[^1]",
       {"input 1 of node 1 is not defined before it"}},
      {"17 a negative id",
       graph({kWeight, node(1, "tanh", "[-1]", "[3]")}),
       "G014",
       "[^-1]",
       {"input -1"}},
      {"17 a gap in the ids",
       graph({kWeight, node(5, "tanh", "[0]", "[3]")}),
       "G014",
       "^5",
       {"\"id\" must be 1, got 5"}},
      {"18 number of inputs",
       graph(with(two_weights("[3]", "[3]"), node(2, "mul", "[0, 1, 0]", "[3]", named("y")))),
       "G015",
       "^[0, 1, 0]",
       {"op \"mul\" takes 2 inputs, node 2 \"y\" has 3"}},
      {"18 a leaf with inputs",
       graph({kWeight, node(1, "weight", "[0]", "[3]", named("y"))}),
       "G015",
       "^[0]",
       {"op \"weight\" takes 0 inputs"}},
      {"18 none at all",
       graph({node(0, "concat", "[]", "[3]")}),
       "G015",
       "\"concat\", \"inputs\": ^[]",
       {"op \"concat\" takes at least 1"}},
      {"23 shapes do not fit",
       graph(with(two_weights("[128]", "[64, 256]"), node(2, "matmul", "[1, 0]", "[64]"))),
       "G020",
       "^[64]",
       {"matmul: inner sizes differ: [64,256] x [128] (256 != 128)",
        "W stands at 3:1, x stands at 2:1"}},
      {"23 another shape than the op gives",
       graph({kWeight, node(1, "tanh", "[0]", "[4]")}),
       "G020",
       "^[4]",
       {"\"shape\" is [4], tanh gives [3]"}},
      {"23 another extent",
       replaced(graph({kWeight, node(1, "tanh", "[0]", "[3]")}), "[3], \"extent\": 0}]",
                "[3], \"extent\": 1}]"),
       "G020",
       "[0], \"shape\": ^[3]",
       {"\"extent\" is 1, its inputs give 0"}},
      {"23 no such extent",
       replaced(ok, "\"extent\": 0", "\"extent\": 2"),
       "G011",
       "\"extent\": ^2",
       {"\"extent\" must be an integer in 0..1, got 2"}},
      {"23 no such length",
       graph({replaced(node(0, "length", "[]", "[]", ", \"attrs\": {\"which\": 1}"), "extent\": 0",
                       "extent\": 1")}),
       "G020",
       "\"shape\": ^[]",
       {"the graph has no length number 1"}},
      {"23 a length of what is shared",
       graph({node(0, "length", "[]", "[]", ", \"attrs\": {\"which\": 0}")}),
       "G020",
       "\"shape\": ^[]",
       {"shared by all items has no length"}},
      {"23 a constant without its value",
       graph({node(0, "constant", "[]", "[3]")}),
       "G020",
       "^[3]",
       {"attribute \"value\" is missing"}},
      {"23 an attribute of another type",
       graph(
           {kWeight, node(1, "slice", "[0]", "[2]", ", \"attrs\": {\"from\": \"a\", \"to\": 2}")}),
       "G020",
       "^[2]",
       {"slice: attribute \"from\" is an integer, not \"a\""}},
      {"24 not broadcastable",
       graph(with(two_weights("[3, 4]", "[5]"), node(2, "add", "[0, 1]", "[6]"))),
       "G020",
       "^[6]",
       {"add: shapes differ: [3,4] and [5]"}},
      {"25 a product that wraps to 0",
       graph({node(0, "weight", "[]", wide, named("big"))}),
       "G021",
       "^[65536",
       {"node 0 \"big\": [65536,65536,65536,65536] would have 1.8e+19 elements; limit 1.1e+12"}},
      {"25 too many axes",
       graph({node(0, "weight", "[]", "[1, 1, 1, 1, 1]", named("W"))}),
       "G021",
       "^[1,",
       {"at most 4 axes"}},
      {"30 a name of 10 KB",
       replaced(ok, "\"W\"", fmt::format("\"{:n>10000}\"", "")),
       "G025",
       "^\"nnn",
       {"a node's name has 1..256 bytes, got 10000"}},
      {"30 an empty name", replaced(ok, "\"W\"", "\"\""), "G025", "^\"\"", {"1..256 bytes, got 0"}},
      {"extents without every item",
       replaced(ok, "[[]]", "[]"),
       "G014",
       "\"extents\": [^]",
       {"lacks its first entry"}},
  };
}

}  // namespace

TEST_CASE("bad input: graph files", "[bad_input]") {
  for (const Bad& bad : bad_graphs()) {
    Status status = Status::ok;
    const Diagnostic d = problems([&] { graph_from_json(bad.text, "g.json"); }, status).front();
    CHECK(status == Status::bad_input);
    check_row(bad, d);
    CHECK(d.file == "g.json");
  }
}

TEST_CASE("bad input: names of every kind are accepted in graph files", "[bad_input]") {
  for (const std::string name : {"a\\\"b", "</script>", "a\\nb", "__metadata__", "\xC3\xA9"})
    CHECK_NOTHROW(
        graph_from_json(replaced(graph({kWeight}), "\"W\"", "\"" + name + "\""), "g.json"));
}

TEST_CASE("bad input: a graph file without a loss, or with one that is not a number",
          "[bad_input]") {
  Status status = Status::ok;
  const Graph none = graph_from_json(graph({kWeight}), "g.json");
  const Graph wide = graph_from_json(graph({replaced(kWeight, "\"W\"", "\"loss\"")}), "g.json");
  check_row({"28 none", "", "G023", "", {"the graph has no loss"}},
            problems([&] { loss_of(none); }, status).front());
  check_row(
      {"28 not a number", "", "G023", "", {"loss \"loss\" has shape [3]; reduce it to a scalar"}},
      problems([&] { loss_of(wide); }, status).front());
  CHECK(problems([&] { gradient(wide.at("loss"), {wide.at("loss")}); }, status).front().code ==
        "G023");
}
