// The circuit of a definition, from the templates of its equations.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/index.h"
#include "fold/fold_circuit.h"
#include "fold/folding.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

using folding::Letters;
using folding::Reading;
using Source = Reading::Source;

class Connector {
 public:
  explicit Connector(const ResolvedModel& model) : model_(model) {
    folding::place_templates(model, c_);
  }

  FoldedGraph run() {
    make_nodes();
    make_edges();
    for (const Rule& rule : model_.rules)
      if (rule.fixed > 0 && !symbol(rule.symbol).random()) note_initial(rule);
    sketch_.graph.name = model_.system.name;
    return folding::without_boundaries(std::move(sketch_));
  }

 private:
  const Symbol& symbol(int s) const { return model_.symbols[at(s)]; }

  std::vector<std::string> names_of(const Letters& letters) const {
    std::vector<std::string> names;
    for (const int i : letters) names.push_back(model_.system.indices[at(i)].name);
    return names;
  }

  void make_nodes() {
    for (NodeId id = 0; id < c_.tape.size(); ++id) {
      if (c_.readings.contains(id)) continue;
      FoldedNode node = folding::node_of(c_.tape, id);
      node.over = names_of(c_.over[at(id)]);
      node_of_[id] = sketch_.add(std::move(node));
    }
    for (const auto& [rule, id] : c_.value_of_rule) {
      const Rule& r = model_.rules[at(rule)];
      if (r.fixed == 0)
        (symbol(r.symbol).random() ? likelihood_ : value_)[r.symbol] = node_of_.at(id);
    }
  }

  // Inputs, weights, data and numbers: one node, made when it is first read.
  int leaf(Source source, int number) {
    const auto [it, fresh] = leaves_.try_emplace({source, number}, -1);
    if (!fresh) return it->second;
    FoldedNode n;
    n.kind = FoldedKind::constant;
    if (source == Source::index) {
      n.op = folding::kIndexOp;
      n.name = model_.system.indices[at(number)].name;
      n.over = {n.name};
    } else if (source == Source::length) {
      n.op = folding::kLengthOp;
      if (number >= 0) n.attrs.set("which", std::int64_t{number});
      if (number >= 0) n.name = model_.lengths[at(number)];
    } else {
      const Symbol& s = symbol(number);
      n.kind = source == Source::weight      ? FoldedKind::weight
               : s.random()                  ? FoldedKind::random
               : s.kind == SymbolKind::input ? FoldedKind::input
                                             : FoldedKind::constant;
      const Op& op = source == Source::weight         ? kWeight
                     : n.kind == FoldedKind::constant ? kConstant
                                                      : kInput;
      n.op = op.name;
      n.shape = s.shape;
      n.name = s.name;
      n.over = names_of(s.axes);
      if (s.category >= 0) n.attrs.set("category", s.category);
    }
    return it->second = sketch_.add(std::move(n));
  }

  int end_of(const Reading& r) {
    if (r.source == Source::index || r.source == Source::length || r.source == Source::weight)
      return leaf(r.source, r.number);
    if (r.source == Source::likelihood) return likelihood_.at(r.number);
    const auto known = value_.find(r.number);  // none: input, data, or zero at every position
    return known != value_.end() ? known->second : leaf(Source::value, r.number);
  }

  std::string places_text(const std::vector<At>& places) const {
    std::vector<std::string> parts;
    for (const At& p : places) parts.push_back(to_string(model_, p));
    return fmt::format("{}", fmt::join(parts, ","));
  }

  // Where in time `r` lies, seen from a node over `letters`.
  FoldedEdge edge_of(const Reading& r, const Letters& letters) {
    FoldedEdge e;
    e.from = end_of(r);
    const bool fixed = std::any_of(r.places.begin(), r.places.end(),
                                   [](const At& p) { return p.kind != Place::Kind::letter; });
    if (fixed) {
      e.whole = true;
      e.place = places_text(r.places);
      e.data = has_data(r.places);
      return e;
    }
    e.delay.assign(letters.size(), 0);
    for (const At& p : r.places)
      for (std::size_t l = 0; l < letters.size(); ++l)
        if (letters[l] == p.index) e.delay[l] = -p.offset;
    return e;
  }

  void make_edges() {
    for (const auto& [id, node] : node_of_) {
      const std::span<const NodeId> inputs = c_.tape.inputs(id);
      const auto gather = c_.gathers.find(id);
      for (std::size_t k = 0; k < inputs.size(); ++k) {
        const int slot = static_cast<int>(k);
        const int first = std::max(folding::first_term(c_.tape.op(id)), 0);
        if (gather != c_.gathers.end() && slot >= first)
          connect_gathered(inputs[k], gather->second, node, c_.over[at(id)], first);
        else
          connect(inputs[k], c_.over[at(id)], node, slot);
      }
    }
  }

  void connect(NodeId from, const Letters& letters, int to, int slot) {
    const auto reading = c_.readings.find(from);
    FoldedEdge e;
    if (reading == c_.readings.end()) {
      e.from = node_of_.at(from);
      e.delay.assign(letters.size(), 0);
    } else {
      const Reading& r = reading->second;
      if (const int rule = boundary_read(r); rule >= 0) {
        e.from = node_of_.at(c_.value_of_rule.at(rule));
        e.delay.assign(letters.size(), 0);
      } else {
        e = edge_of(r, letters);
        connect_boundaries(r, to, slot);
      }
    }
    e.to = to;
    e.slot = slot;
    sketch_.connect(std::move(e));
  }

  // A term of a sum over steps; of one that is not over steps, the term itself.
  void connect_gathered(NodeId term, const Letters& inner, int to, const Letters& letters,
                        int slot) {
    const auto reading = c_.readings.find(term);
    const bool over_steps = reading != c_.readings.end()
                                ? !reading->second.places.empty() && inner != letters
                                : c_.over[at(term)] != letters;
    connect(term, letters, to, slot);
    FoldedEdge& e = sketch_.graph.edges.back();
    if (!over_steps || e.whole) return;
    e.whole = true;
    e.place = folding::kAll;
    e.delay.clear();
  }

  // The boundary equation that a fixed position such as h[0] reads, or -1.
  int boundary_read(const Reading& r) const {
    if (r.source != Source::value || symbol(r.number).random()) return -1;
    for (const int rule : symbol(r.number).rules)
      if (model_.rules[at(rule)].fixed > 0 && model_.rules[at(rule)].places == r.places)
        return rule;
    return -1;
  }

  void connect_boundaries(const Reading& r, int to, int slot) {
    if (r.source != Source::value || symbol(r.number).random()) return;
    for (const int rule : symbol(r.number).rules) {
      if (model_.rules[at(rule)].fixed == 0) continue;
      FoldedEdge e;
      e.from = node_of_.at(c_.value_of_rule.at(rule));
      e.to = to;
      e.slot = slot;
      sketch_.connect(std::move(e), true);
    }
  }

  void note_initial(const Rule& rule) {
    const std::string& text = rule.equation->text.text;
    const auto equals = text.find('=');
    const std::string& name = symbol(rule.symbol).name;
    sketch_.graph.initial.push_back(
        {name, fmt::format("{}[{}] {}", name, places_text(rule.places),
                           equals == std::string::npos ? text : text.substr(equals))});
  }

  const ResolvedModel& model_;
  folding::Circuit c_;
  folding::Sketch sketch_;
  std::map<NodeId, int> node_of_;
  std::map<int, int> value_, likelihood_;  // by symbol: node of the general equation
  std::map<std::pair<Source, int>, int> leaves_;
};

}  // namespace

FoldedGraph folded(const Definition& d) { return Connector(*resolve(d)).run(); }

}  // namespace taugrad
