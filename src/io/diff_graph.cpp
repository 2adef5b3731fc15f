#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "base/index.h"
#include "io/diff.h"
#include "taugrad/graph/op.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

using Change = Difference::Change;

constexpr int kShownDepth = 3;  // operations within one another that a line shows

class Hash {
 public:
  Hash& add(std::uint64_t x) {  // splitmix64, chained
    value_ += 0x9E3779B97F4A7C15ULL + x;
    value_ = (value_ ^ (value_ >> 30)) * 0xBF58476D1CE4E5B9ULL;
    value_ = (value_ ^ (value_ >> 27)) * 0x94D049BB133111EBULL;
    value_ ^= value_ >> 31;
    return *this;
  }
  Hash& add(std::string_view text) {
    std::uint64_t h = 0xCBF29CE484222325ULL;
    for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
    return add(h).add(text.size());
  }
  Hash& add(const Ints& values) {
    for (const std::int64_t v : values) add(static_cast<std::uint64_t>(v));
    return add(values.size());
  }
  Hash& add(const Attr& attr) {
    add(attr.index());
    if (const auto* i = std::get_if<std::int64_t>(&attr))
      return add(static_cast<std::uint64_t>(*i));
    if (const auto* r = std::get_if<double>(&attr)) return add(std::bit_cast<std::uint64_t>(*r));
    if (const auto* l = std::get_if<Ints>(&attr)) return add(*l);
    return add(std::string_view(std::get<std::string>(attr)));
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0;
};

/// What is known of all nodes with one label; a sum does not depend on their order.
struct Labelled {
  NodeId first = -1;
  std::int64_t count = 0;
  std::uint64_t sum = 0;
};

/// A graph, taken apart at its named nodes: each is compared by the expression that gives it, down
/// to the named nodes that it reads. Unnamed nodes that nothing reads stand under no label at all.
class Parts {
 public:
  explicit Parts(const Graph& g) : tape_(g.tape()) {
    hash_.resize(static_cast<std::size_t>(tape_.size()));
    std::vector<char> read(hash_.size(), 0);
    for (NodeId id = 0; id < tape_.size(); ++id) {
      hash_[at(id)] = hash_of(id);
      for (const NodeId in : tape_.inputs(id)) read[at(in)] = 1;
      if (is_number(id) && !numbers_.insert(hash_[at(id)]).second) continue;
      ++nodes_;
      ++ops_[std::string(tape_.op(id).name)];
      edges_ += static_cast<std::int64_t>(tape_.inputs(id).size());
      if (named(id)) add(label_hash(id), id);
    }
    for (NodeId id = 0; id < tape_.size(); ++id)
      if (!read[at(id)] && !named(id)) {
        add(0, id);
        outputs_.push_back(id);
      }
  }

  std::int64_t nodes() const { return nodes_; }
  std::int64_t edges() const { return edges_; }
  const std::map<std::string, std::int64_t>& ops() const { return ops_; }
  const std::unordered_map<std::uint64_t, Labelled>& labels() const { return labels_; }
  const std::vector<std::uint64_t>& order() const { return order_; }

  std::string label(const Labelled& l) const {
    return named(l.first) ? tape_.label(l.first) : "(outputs)";
  }
  /// "h[2] = tanh(add(b[2], matmul(W[2], h[1])))  [3]"
  std::string shown(const Labelled& l) const { return shown(l, l.first, expression(l.first, 0)); }
  /// The same beside what `other` has under that label: what is equal in both may be left out, what
  /// is not is there, however deep it stands.
  std::string shown(const Labelled& l, const Parts& other, const Labelled& m) const {
    const auto [a, b] = first_apart(l, other, m);
    const std::string text = expression(a, 0);
    return shown(l, a, text == other.expression(b, 0) ? apart(a, other, b, 0) : text);
  }

 private:
  bool named(NodeId id) const { return tape_.is_value(id) && !tape_.name(id).empty(); }

  // of equal numbers in expressions it means nothing whether they are one node or several
  bool is_number(NodeId id) const { return &tape_.op(id) == &kConstant && !named(id); }

  std::uint64_t label_hash(NodeId id) const {
    Hash h;
    h.add(tape_.name(id));
    for (const std::int32_t i : tape_.index(id)) h.add(static_cast<std::uint64_t>(i));
    if (tape_.has_letters(tape_.name_id(id)))
      for (const std::string& letter : tape_.letters(id)) h.add(std::string_view(letter));
    return h.value() | 1;
  }
  std::uint64_t read_hash(NodeId in) const { return named(in) ? label_hash(in) : hash_[at(in)]; }
  std::uint64_t hash_of(NodeId id) const {
    Hash h;
    h.add(tape_.op(id).name);
    for (const auto& [name, attr] : tape_.attrs(id)) h.add(std::string_view(name)).add(attr);
    const auto dims = tape_.shape(id).dims();
    h.add(Ints(dims.begin(), dims.end())).add(tape_.inputs(id).size());
    const ExtentId extent = tape_.extent_id(id);
    h.add(extent != kShared);
    if (extent != kShared)
      for (const Extent::Bound& b : tape_.extent(extent).bounds)
        h.add(std::string_view(tape_.length_names.at(static_cast<std::size_t>(b.which))))
            .add(static_cast<std::uint64_t>(b.at_least));
    for (const NodeId in : tape_.inputs(id)) h.add(read_hash(in));
    return h.value();
  }
  void add(std::uint64_t label, NodeId id) {
    Labelled& l = labels_[label];
    if (l.count++ == 0) {
      l.first = id;
      order_.push_back(label);
    }
    l.sum += hash_[at(id)];
  }

  std::string shown(const Labelled& l, NodeId id, const std::string& expression) const {
    const std::string label = named(id) ? tape_.label(id) + " = " : "";
    return fmt::format("{}{}  {}{}", label, expression, to_string(tape_.shape(id)),
                       l.count > 1 ? fmt::format(", {} nodes", l.count) : "");
  }

  /// Of outputs without names the first that the other graph does not have, and its like there.
  std::pair<NodeId, NodeId> first_apart(const Labelled& l, const Parts& other,
                                        const Labelled& m) const {
    if (named(l.first)) return {l.first, m.first};
    const auto missing = [](const Parts& from, const Parts& in) {
      std::unordered_multiset<std::uint64_t> there;
      for (const NodeId id : in.outputs_) there.insert(in.hash_[at(id)]);
      for (const NodeId id : from.outputs_) {
        const auto found = there.find(from.hash_[at(id)]);
        if (found == there.end()) return id;
        there.erase(found);
      }
      return from.outputs_.front();
    };
    return {missing(*this, other), missing(other, *this)};
  }

  /// Where an expression differs from another: while both apply one operation and one input of it
  /// differs, that input. The way there, from the outside.
  std::vector<std::pair<NodeId, NodeId>> way_apart(NodeId a, const Parts& other, NodeId b) const {
    std::vector<std::pair<NodeId, NodeId>> way{{a, b}};
    for (;;) {
      const auto [x, y] = way.back();
      if (!alike(x, other, y)) return way;
      const auto from = tape_.inputs(x), to = other.tape_.inputs(y);
      std::vector<std::pair<NodeId, NodeId>> differ;
      for (std::size_t i = 0; i < from.size(); ++i)
        if (read_hash(from[i]) != other.read_hash(to[i])) differ.emplace_back(from[i], to[i]);
      if (differ.size() != 1 || named(differ[0].first) || other.named(differ[0].second)) return way;
      way.push_back(differ[0]);
    }
  }

  bool alike(NodeId a, const Parts& other, NodeId b) const {
    const Tape& u = other.tape_;
    return tape_.op(a).name == u.op(b).name && tape_.attrs(a) == u.attrs(b) &&
           tape_.inputs(a).size() == u.inputs(b).size();
  }

  /// An expression down to where it differs from another. @param forks  of the way so far
  std::string apart(NodeId a, const Parts& other, NodeId b, int forks) const {
    const auto way = way_apart(a, other, b);
    constexpr std::size_t kShownWay = 2 * kShownDepth;  // a longer one without its middle
    std::string text = fork(way.back().first, other, way.back().second, forks);
    for (std::size_t i = way.size() - 1; i-- > 0;) {
      if (way.size() > kShownWay && i + kShownDepth == way.size()) {
        text = fmt::format("{}(.. {} ..)", tape_.op(way[kShownDepth - 1].first).name, text);
        i = kShownDepth - 1;
        continue;
      }
      text = around(way[i].first, way[i + 1].first, text);
    }
    return text;
  }
  /// An operation of which several inputs differ, or which is another one.
  std::string fork(NodeId a, const Parts& other, NodeId b, int forks) const {
    if (forks >= kShownDepth || !alike(a, other, b)) return expression(a, 0);
    std::string inputs;
    for (std::size_t i = 0; i < tape_.inputs(a).size(); ++i) {
      const NodeId in = tape_.inputs(a)[i], to = other.tape_.inputs(b)[i];
      const bool same = read_hash(in) == other.read_hash(to);
      inputs +=
          (inputs.empty() ? "" : ", ") +
          (same || named(in) || other.named(to) ? in_short(in) : apart(in, other, to, forks + 1));
    }
    return tape_.inputs(a).empty() ? operation(a) : operation(a) + "(" + inputs + ")";
  }
  /// An operation whose input `in` is written as `text`, the others in short.
  std::string around(NodeId id, NodeId in, const std::string& text) const {
    std::string inputs;
    for (const NodeId i : tape_.inputs(id))
      inputs += (inputs.empty() ? "" : ", ") + (i == in ? text : in_short(i));
    return operation(id) + "(" + inputs + ")";
  }
  std::string in_short(NodeId id) const {
    return named(id) ? tape_.label(id) : operation(id) + (tape_.inputs(id).empty() ? "" : "(..)");
  }

  std::string operation(NodeId id) const {
    const Tape& t = tape_;
    std::string text(t.op(id).name), before = "{";
    for (const auto& [name, attr] : t.attrs(id)) {
      text += fmt::format("{}{}=", before, name);
      before = ", ";
      if (const auto* i = std::get_if<std::int64_t>(&attr)) text += fmt::format("{}", *i);
      if (const auto* r = std::get_if<double>(&attr)) text += fmt::format("{}", *r);
      if (const auto* l = std::get_if<Ints>(&attr)) text += fmt::format("[{}]", fmt::join(*l, ","));
      if (const auto* s = std::get_if<std::string>(&attr)) text += *s;
    }
    return t.attrs(id).empty() ? text : text + "}";
  }
  std::string expression(NodeId id, int depth) const {
    if (tape_.inputs(id).empty()) return operation(id);
    std::string inputs;
    for (const NodeId in : tape_.inputs(id))
      inputs += (inputs.empty() ? "" : ", ") +
                (named(in) || depth + 1 >= kShownDepth ? in_short(in) : expression(in, depth + 1));
    return operation(id) + "(" + inputs + ")";
  }

  const Tape& tape_;
  std::vector<std::uint64_t> hash_, order_;
  std::vector<NodeId> outputs_;  // nobody reads or names them
  std::unordered_map<std::uint64_t, Labelled> labels_;
  std::map<std::string, std::int64_t> ops_;
  std::unordered_set<std::uint64_t> numbers_;
  std::int64_t nodes_ = 0, edges_ = 0;
};

void add_count(Differences& d, const std::string& part, const std::string& name, std::int64_t a,
               std::int64_t b) {
  if (a == b) return;
  const auto shown = [&](std::int64_t n) {
    return fmt::format("{}{}", name.empty() ? "" : name + ": ", n);
  };
  d.all.push_back({Change::changed, part, name, shown(a), shown(b)});
}

}  // namespace

Differences diff_graphs(const Graph& a, const Graph& b) {
  Differences d{.kind = "graph"};
  const Parts in_a(a), in_b(b);
  add_count(d, "nodes", "", in_a.nodes(), in_b.nodes());
  add_count(d, "edges", "", in_a.edges(), in_b.edges());
  std::map<std::string, std::int64_t> ops = in_a.ops();
  ops.insert(in_b.ops().begin(), in_b.ops().end());
  const auto count = [](const Parts& p, const std::string& op) {
    const auto found = p.ops().find(op);
    return found == p.ops().end() ? 0 : found->second;
  };
  for (const auto& [op, n] : ops) add_count(d, "operation", op, count(in_a, op), count(in_b, op));
  for (const std::uint64_t key : in_a.order()) {
    const Labelled& before = in_a.labels().at(key);
    const auto other = in_b.labels().find(key);
    if (other == in_b.labels().end())
      d.all.push_back({Change::removed, "node", in_a.label(before), in_a.shown(before), ""});
    else if (before.sum != other->second.sum || before.count != other->second.count)
      d.all.push_back({Change::changed, "node", in_a.label(before),
                       in_a.shown(before, in_b, other->second),
                       in_b.shown(other->second, in_a, before)});
  }
  for (const std::uint64_t key : in_b.order())
    if (!in_a.labels().contains(key)) {
      const Labelled& l = in_b.labels().at(key);
      d.all.push_back({Change::added, "node", in_b.label(l), "", in_b.shown(l)});
    }
  return d;
}

}  // namespace taugrad
