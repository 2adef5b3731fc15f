#include <algorithm>
#include <cstdint>
#include <functional>

#include "base/system/files.h"
#include "base/system/suffix.h"
#include "graph/gradient_order.h"
#include "graph/tables.h"
#include "json/json_writer.h"
#include "taugrad/graph/op.h"
#include "taugrad/io/graph_json.h"

namespace taugrad {
namespace {

constexpr std::size_t kChunk = 1 << 20;  // bytes handed to the sink at a time

using Sink = std::function<void(std::string_view)>;

template <class T>
void append_list(std::string& out, const T& numbers) {
  out += '[';
  bool first = true;
  for (const auto n : numbers) {
    if (!first) out += ", ";
    first = false;
    json::append_number(out, static_cast<std::int64_t>(n));
  }
  out += ']';
}

void append_attr(std::string& out, const Attr& attr) {
  if (const auto* i = std::get_if<std::int64_t>(&attr)) {
    json::append_number(out, *i);
  } else if (const auto* d = std::get_if<double>(&attr)) {
    json::append_number(out, *d, true);
  } else if (const auto* list = std::get_if<Ints>(&attr)) {
    append_list(out, *list);
  } else {
    // as bare strings these three words are numbers
    const std::string& text = std::get<std::string>(attr);
    const bool word = text == "inf" || text == "-inf" || text == "nan";
    out += word ? "{\"text\": " : "";
    json::append_string(out, text);
    out += word ? "}" : "";
  }
}

void append_attrs(std::string& out, const Attrs& attrs) {
  out += '{';
  bool first = true;
  for (const auto& [name, value] : attrs) {
    if (!first) out += ", ";
    first = false;
    json::append_string(out, name);
    out += ": ";
    append_attr(out, value);
  }
  out += '}';
}

// Sorted keys; empty attrs, index, inputs, known_as, letters and name, "order": 0 and
// "value": false are left out.
void append_node(std::string& out, const Tape& tape, NodeId id) {
  const Node n = tape.node(id);
  const std::span<const std::string> letters = tape.letters(id);
  out += '{';
  if (!n.attrs.empty()) {
    out += "\"attrs\": ";
    append_attrs(out, n.attrs);
    out += ", ";
  }
  out += "\"extent\": ";
  json::append_number(out, static_cast<std::int64_t>(n.extent));
  out += ", \"id\": ";
  json::append_number(out, static_cast<std::int64_t>(n.id));
  if (!n.index.empty()) {
    out += ", \"index\": ";
    append_list(out, n.index);
  }
  if (!n.inputs.empty()) {
    out += ", \"inputs\": ";
    append_list(out, n.inputs);
  }
  if (const std::string known = tape.known_as(id); !known.empty()) {
    out += ", \"known_as\": ";
    json::append_string(out, known);
  }
  if (!letters.empty()) {
    out += ", \"letters\": [";
    for (const std::string& letter : letters) {
      if (&letter != &letters.front()) out += ", ";
      json::append_string(out, letter);
    }
    out += ']';
  }
  if (!n.name.empty()) {
    out += ", \"name\": ";
    json::append_string(out, n.name);
  }
  out += ", \"op\": ";
  json::append_string(out, n.op.name);
  if (const int order = gradient_order(tape, id); order > 0) {
    out += ", \"order\": ";
    json::append_number(out, static_cast<std::int64_t>(order));
  }
  out += ", \"shape\": ";
  append_list(out, n.shape.dims());
  if (n.is_value && !n.name.empty()) out += ", \"value\": true";
  out += '}';
}

void append_extents(std::string& out, const Tape& tape) {
  for (ExtentId e = kEveryItem; e < tape.extent_count(); ++e) {
    out += e > kEveryItem ? ",\n[" : "\n[";
    bool first = true;
    for (const Extent::Bound& b : tape.extent(e).bounds) {
      if (!first) out += ", ";
      first = false;
      out += "{\"at_least\": ";
      json::append_number(out, static_cast<std::int64_t>(b.at_least));
      out += ", \"length\": ";
      json::append_number(out, static_cast<std::int64_t>(b.which));
      out += '}';
    }
    out += ']';
  }
}

void write(const Graph& g, const Sink& sink) {
  const Tape& tape = g.tape();
  for (const std::string& name : tape.length_names) check_name(name);  // anybody may write there
  for (std::size_t e = kEveryItem; e < tape.extent_count(); ++e)
    check_extent(tape, static_cast<ExtentId>(e));
  std::string out = "{\n\"version\": ";
  const auto flush = [&](std::size_t from) {
    if (out.size() < from) return;
    sink(out);
    out.clear();
  };
  json::append_number(out, static_cast<std::int64_t>(kGraphVersion));
  out += ",\n\"lengths\": [";
  for (const std::string& name : tape.length_names) {
    if (&name != &tape.length_names.front()) out += ", ";
    json::append_string(out, name);
  }
  if (std::ranges::any_of(tape.longest, [](std::int64_t steps) { return steps >= 0; })) {
    out += "],\n\"longest\": [";
    for (std::size_t i = 0; i < tape.longest.size(); ++i) {
      if (i > 0) out += ", ";
      json::append_number(out, tape.longest[i] > INT32_MAX ? -1 : tape.longest[i]);
    }
  }
  out += "],\n\"extents\": [";
  append_extents(out, tape);
  out += "\n],\n\"nodes\": [";
  for (NodeId id = 0; id < tape.size(); ++id) {
    out += id > 0 ? ",\n" : "\n";
    append_node(out, tape, id);
    flush(kChunk);
  }
  out += "\n]\n}\n";
  flush(0);
}

}  // namespace

std::string to_json(const Graph& g) {
  std::string text;
  write(g, [&](std::string_view part) { text += part; });
  return text;
}

void save_graph(const std::string& path, const Graph& g) {
  known_suffix(path, {"json"});
  OutputFile file(path);
  write(g, [&](std::string_view part) { file.write(part); });
  file.commit();
}

}  // namespace taugrad
