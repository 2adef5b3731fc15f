#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/fail.h"
#include "base/limits.h"
#include "base/suggest.h"
#include "base/system/files.h"
#include "base/system/memory_limit.h"
#include "base/utf8.h"
#include "graph/adjoint.h"
#include "graph/gradient_order.h"
#include "io/node_reader.h"
#include "json/pieces.h"
#include "taugrad/io/graph_json.h"
#include "unfold/graph_size.h"

namespace taugrad {
namespace {

using json::Cut;
using json::Event;
using json::Token;
using json::Tokens;

// The top level. What nodes need to know (version, lengths, extents) is written before them; in a
// file where it comes later, nodes are passed over first and read in a second pass.
class GraphReader {
 public:
  GraphReader(std::string_view text, std::string_view file)
      : source_{text, file, "a graph object"}, nodes_(source_, graph_) {}

  Graph read() {
    parse_pieces(source_, {[&](const Token& token) { check_root(token); },
                           [&](const Token& key) { return read_key(key); },
                           [&](Tokens& value) { read_field(value); },
                           [&](Tokens& element) { nodes_.read(element); }});
    for (const std::string_view field : {"version", "lengths", "extents", "nodes"}) {
      if (seen(field)) continue;
      fail_at(field == "version" ? "G008" : "G010",
              fmt::format("the graph lacks the field \"{}\"", field), 0);
    }
    if (!nodes_read_) read_nodes_alone();
    set_gradient_order();
    return std::move(graph_);
  }

 private:
  Event next() { return event_ = tokens_->next(); }
  const Token& now() const { return tokens_->now(); }
  bool seen(std::string_view field) const { return seen_.contains(std::string(field)); }

  [[noreturn]] void fail(std::string code, std::string message, std::string help = {}) const {
    source_.fail(std::move(code), std::move(message), now().offset, 1, std::move(help));
  }
  [[noreturn]] void fail_at(std::string code, std::string message, std::size_t offset) const {
    source_.fail(std::move(code), std::move(message), offset);
  }

  void check_root(const Token& token) const {
    if (token.event != Event::begin_object)
      fail_at("G007",
              fmt::format("expected an object, got {}",
                          token.event == Event::begin_array ? "array" : "another value"),
              token.offset);
  }

  Cut read_key(const Token& key) {
    constexpr std::array<std::string_view, 5> kFields = {"version", "lengths", "longest", "extents",
                                                         "nodes"};
    field_ = key.text;
    if (std::find(kFields.begin(), kFields.end(), field_) == kFields.end())
      source_.fail("G009", fmt::format("unknown field \"{}\"", printable(field_, 80)), key.offset,
                   1, did_you_mean(field_, kFields));
    if (!seen_.insert(field_).second)
      fail_at("G005", fmt::format("key \"{}\" appears twice", field_), key.offset);
    if (field_ != "nodes") return Cut::whole;
    nodes_read_ = seen("version") && seen("lengths") && seen("extents");
    return nodes_read_ ? Cut::elements : Cut::skip;
  }

  void read_nodes_alone() {
    field_ = "nodes";
    parse_pieces(source_,
                 {[](const Token&) {},
                  [](const Token& key) { return key.text == "nodes" ? Cut::elements : Cut::skip; },
                  [&](Tokens& value) { read_field(value); },
                  [&](Tokens& element) { nodes_.read(element); }});
  }

  void read_field(Tokens& value) {
    tokens_ = &value;
    next();
    if (field_ == "version") read_version();
    if (field_ == "lengths") read_lengths();
    if (field_ == "longest") read_longest();
    if (field_ == "extents") read_extents();
    if (field_ == "nodes") expect(Event::begin_array, "nodes", "an array");
  }

  std::int64_t integer(std::string_view what, std::int64_t least) const {
    if (event_ == Event::integer && now().integer >= least && now().integer <= INT32_MAX)
      return now().integer;
    if (event_ == Event::integer || event_ == Event::real || event_ == Event::boolean)
      fail("G011",
           fmt::format("\"{}\" must be an integer in {}..{}, got {}", what, least, INT32_MAX,
                       printable(source_.text.substr(now().offset, now().end - now().offset), 40)));
    fail("G010", fmt::format("\"{}\" must be an integer", what));
  }

  void expect(Event e, std::string_view what, std::string_view wanted) const {
    if (event_ != e) fail("G010", fmt::format("\"{}\" must be {}", what, wanted));
  }

  void read_version() {
    const std::int64_t version = integer("version", 1);
    if (version > kGraphVersion)
      fail("G008",
           fmt::format("file version {} is newer than this program supports ({})", version,
                       kGraphVersion),
           "upgrade or re-export");
  }

  void read_lengths() {
    expect(Event::begin_array, "lengths", "an array of names");
    while (next() != Event::end_array) {
      expect(Event::string, "lengths", "an array of names");
      if (now().text.empty() || now().text.size() > limits::kNameBytes)
        fail("G025", fmt::format("a length's name has 1..{} bytes, got {}", limits::kNameBytes,
                                 now().text.size()));
      std::vector<std::string>& names = graph_.tape().length_names;
      if (std::ranges::find(names, now().text) != names.end())
        fail("G013", fmt::format("length \"{}\" stands twice", printable(now().text, 80)));
      names.emplace_back(now().text);
    }
    lengths_checked_up_to();
  }

  void read_longest() {
    expect(Event::begin_array, "longest", "an array of integers");
    while (next() != Event::end_array) graph_.tape().longest.push_back(integer("longest", -1));
    lengths_checked_up_to();
  }

  void read_extents() {
    expect(Event::begin_array, "extents", "an array of arrays");
    std::size_t id = kEveryItem;
    for (; next() != Event::end_array; ++id) {
      expect(Event::begin_array, "extents", "an array of arrays");
      const std::size_t offset = now().offset;
      Extent extent;
      while (next() != Event::end_array) extent.bounds.push_back(read_bound(extent));
      if (id == kEveryItem && !extent.bounds.empty())
        fail_at("G014", "the first extent is every item: []", offset);
      if (graph_.tape().intern_extent(extent) != id)
        fail_at("G013", fmt::format("extent {} stands twice", id), offset);
    }
    if (id == kEveryItem) fail("G014", "\"extents\" lacks its first entry, []");
  }

  Extent::Bound read_bound(const Extent& so_far) {
    constexpr std::array<std::string_view, 2> kBound = {"at_least", "length"};
    expect(Event::begin_object, "extents", "arrays of {\"at_least\", \"length\"}");
    std::int64_t at_least = -1, which = -1;
    const std::size_t offset = now().offset;
    while (next() == Event::key) {
      const std::string key(now().text);
      if (key != "at_least" && key != "length")
        fail("G009", fmt::format("unknown field \"{}\"", printable(key, 80)),
             did_you_mean(key, kBound));
      std::int64_t& field = key == "length" ? which : at_least;
      if (field >= 0) fail("G005", fmt::format("key \"{}\" appears twice", key));
      next();
      field = integer(key, key == "length" ? 0 : 1);
    }
    if (which < 0 || at_least < 0)
      fail_at("G010", "a bound lacks \"at_least\" or \"length\"", offset);
    if (!so_far.bounds.empty() && so_far.bounds.back().which >= which)
      fail_at("G013", "bounds stand in the order of their lengths, one each", offset);
    most_length_ = std::max(most_length_, which);
    bound_offset_ = offset;
    lengths_checked_up_to();
    return {static_cast<std::int32_t>(which), static_cast<std::int32_t>(at_least)};
  }

  // lengths and what speaks of them may stand in either order
  void lengths_checked_up_to() const {
    const auto count = static_cast<std::int64_t>(graph_.tape().length_names.size());
    if (seen("lengths") && std::ssize(graph_.tape().longest) > count)
      fail("G014", fmt::format("\"longest\" has more entries than \"lengths\": {}",
                               graph_.tape().longest.size()));
    if (seen("lengths") && most_length_ >= count)
      fail_at("G014", fmt::format("length {} is not one of \"lengths\"", most_length_),
              bound_offset_);
  }

  void set_gradient_order() {
    graph_.tape().set_owner(0, 0);
    taugrad::set_gradient_order(graph_.tape(), 0);
    if (!nodes_.told_orders()) infer_orders();
  }

  // files written before orders were: names tell a gradient
  void infer_orders() {
    if (!has_gradients(graph_.tape())) return;
    set_gradient_orders(graph_.tape(), adjoint_nodes(graph_.tape()));
  }

  json::Source source_;
  Graph graph_;
  NodeReader nodes_;
  std::string field_;
  Tokens* tokens_ = nullptr;  // of the field that is read
  Event event_ = Event::end;
  std::set<std::string> seen_;
  std::int64_t most_length_ = -1;
  std::size_t bound_offset_ = 0;
  bool nodes_read_ = false;
};

/// Asked for before nodes are read: each says its operation.
void require_for_nodes(std::string_view text, std::string_view file) {
  constexpr std::string_view kOp = "\"op\"";
  GraphSize size;
  for (std::size_t at = text.find(kOp); at != text.npos; at = text.find(kOp, at + kOp.size()))
    size.nodes += 1;
  require_memory("reading", {{fmt::format("the graph of {}, {} nodes", file, size.nodes),
                              size.graph_bytes()}});
}

}  // namespace

Graph graph_from_json(std::string_view text, std::string_view file) {
  require_for_nodes(text, file);
  return GraphReader(text, file).read();
}

Graph load_graph(const std::string& path) {
  return graph_from_json(read_file(path, limits::kGraphBytes),
                         path == "-" ? "standard input" : path);
}

}  // namespace taugrad
