#include <fmt/core.h>
#include <fmt/ranges.h>

#include "json/json_writer.h"
#include "taugrad/fold/fold.h"

namespace taugrad {
namespace {

const char* kind_name(FoldedKind kind) {
  switch (kind) {
    case FoldedKind::input:
      return "input";
    case FoldedKind::weight:
      return "weight";
    case FoldedKind::variable:
      return "variable";
    case FoldedKind::random:
      return "random";
    case FoldedKind::operation:
      return "operation";
    case FoldedKind::constant:
      return "constant";
    case FoldedKind::loss:
      return "loss";
  }
  return "";
}

std::string text(std::string_view s) {
  std::string out;
  json::append_string(out, s);
  return out;
}

std::string line(const FoldedNode& n, std::size_t id) {
  std::vector<std::string> over;
  for (const std::string& letter : n.over) over.push_back(text(letter));
  return fmt::format(
      "{{\"id\": {}, \"kind\": {}, \"name\": {}, \"op\": {}, \"over\": [{}], \"shape\": [{}]}}", id,
      text(kind_name(n.kind)), text(n.name), text(n.op), fmt::join(over, ", "),
      fmt::join(n.shape.dims(), ", "));
}

std::string line(const FoldedEdge& e) {
  const std::string how = e.whole ? fmt::format("\"place\": {}", text(e.place))
                                  : fmt::format("\"delay\": [{}]", fmt::join(e.delay, ", "));
  return fmt::format("{{\"from\": {}, \"to\": {}, \"slot\": {}, {}}}", e.from, e.to, e.slot, how);
}

void add_list(std::string& out, std::string_view key, const std::vector<std::string>& lines) {
  out += fmt::format(",\n  {}: [", text(key));
  for (std::size_t i = 0; i < lines.size(); ++i)
    out += fmt::format("{}\n    {}", i ? "," : "", lines[i]);
  out += lines.empty() ? "]" : "\n  ]";
}

}  // namespace

std::string to_json(const FoldedGraph& g) {
  std::string out =
      fmt::format("{{\n  \"format\": \"taugrad folded graph\",\n  \"version\": 1,\n  \"name\": {}",
                  text(g.name));
  std::vector<std::string> nodes, edges, initial;
  for (std::size_t i = 0; i < g.nodes.size(); ++i) nodes.push_back(line(g.nodes[i], i));
  for (const FoldedEdge& e : g.edges) edges.push_back(line(e));
  for (const InitialValue& v : g.initial)
    initial.push_back(
        fmt::format("{{\"variable\": {}, \"equation\": {}}}", text(v.variable), text(v.equation)));
  add_list(out, "nodes", nodes);
  add_list(out, "edges", edges);
  add_list(out, "initial", initial);
  return out + "\n}\n";
}

}  // namespace taugrad
