// The circuit of a definition, from the templates of its equations.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <utility>

#include "recurrence/folding.h"
#include "recurrence/model.h"
#include "recurrence/unfolder.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

using Letters = std::vector<int>;  // index numbers

std::size_t at(int i) { return static_cast<std::size_t>(i); }

// Places every template once on a tape of its own. What it reads stands there as a leaf, and is
// connected when all are placed.
class Circuit {
 public:
  explicit Circuit(const Model& model) : model_(model), scratch_(*model.scratch) {}

  FoldedGraph run() {
    tape_.length_names = model_.lengths;
    for (int r = 0; r < static_cast<int>(model_.rules.size()); ++r) place_rule(r);
    add_loss();
    make_nodes();
    make_edges();
    for (const Rule& rule : model_.rules)
      if (rule.fixed > 0 && !symbol(rule.symbol).random()) note_initial(rule);
    sketch_.graph.name = model_.system.name;
    return folding::without_boundaries(std::move(sketch_));
  }

 private:
  enum class Source { value, likelihood, weight, index, length };
  // A leaf that stands for something read.
  struct Reading {
    Source source;
    int number;  // of the symbol, or the index
    std::vector<At> places;
  };

  const Symbol& symbol(int s) const { return model_.symbols[at(s)]; }

  // ---- templates ------------------------------------------------------------------------------

  NodeId mark(NodeId id, const Letters& letters) {
    over_.resize(at(tape_.size()));
    over_[at(id)] = letters;
    return id;
  }
  // Everything appended since `first`.
  void mark_from(NodeId first, const Letters& letters) {
    for (NodeId id = first; id < tape_.size(); ++id) mark(id, letters);
  }

  Var reading(const Op& op, const Shape& shape, ExtentId extent, const Attrs& attrs, Reading what) {
    const Var leaf = tape_.leaf(op, shape, extent, attrs);
    readings_.emplace(leaf.id, std::move(what));
    return leaf;
  }

  NodeId slot_node(const Slot& slot, const Letters& letters) {
    Source source = Source::value;
    switch (slot.kind) {
      case Slot::Kind::dropout:
        return -1;
      case Slot::Kind::reduction:
        return place_reduction(slot.symbol, letters);
      case Slot::Kind::read:
        break;
      case Slot::Kind::nll:
        source = Source::likelihood;
        break;
      case Slot::Kind::copy:
        source = Source::weight;
        break;
      case Slot::Kind::index:
        source = Source::index;
        break;
      case Slot::Kind::length:
        source = Source::length;
        break;
    }
    return reading(scratch_.op(slot.leaf), scratch_.shape(slot.leaf), scratch_.extent_id(slot.leaf),
                   scratch_.attrs(slot.leaf), {source, slot.symbol, slot.places})
        .id;
  }

  // Blocks nest only as deep as reductions are written inside one another.
  std::vector<NodeId> place(int number, const Letters& letters) {
    const Block& block = model_.blocks[at(number)];
    std::map<NodeId, NodeId> placed;
    for (const Slot& slot : block.slots) placed[slot.leaf] = slot_node(slot, letters);
    std::vector<NodeId> inputs;
    for (const NodeId id : block.nodes) {
      if (placed.contains(id)) continue;
      inputs.clear();
      for (const NodeId in : scratch_.inputs(id)) inputs.push_back(placed.at(in));
      const bool dropout = std::find(inputs.begin(), inputs.end(), -1) != inputs.end();
      if (dropout) {  // active only in training
        placed[id] = inputs.front();
        continue;
      }
      placed[id] =
          mark(tape_.append_raw(scratch_.op(id), inputs, tape_.intern_shape(scratch_.shape(id)),
                                tape_.intern_attrs(scratch_.attrs(id)), scratch_.extent_id(id)),
               inputs.empty() ? Letters{} : letters);
    }
    std::vector<NodeId> roots;
    for (const NodeId root : block.roots) roots.push_back(placed.at(root));
    return roots;
  }

  NodeId place_reduction(int number, const Letters& letters) {
    const Block& block = model_.blocks[at(number)];
    Letters inner = letters;
    inner.insert(inner.end(), block.over.begin(), block.over.end());
    const NodeId first = tape_.size();
    Var term = tape_.var(place(number, inner).front());
    if (!term.per_example()) term = to_items(term, kEveryItem);
    if (term.id >= first && !readings_.contains(term.id)) mark(term.id, inner);
    const bool largest = block.reduction == "max";
    Var result = tape_.var(tape_.append_raw(largest ? kMaximum : kAddN, {{term.id}},
                                            tape_.shape_id(term.id), 0, term.extent()));
    mark(result.id, letters);
    gathers_.insert({result.id, inner});
    if (block.reduction != "mean") return result.id;
    const Var count = reading(kConstant, {}, kShared, {{"value", 1.0}}, {Source::length, -1, {}});
    const NodeId before = tape_.size();
    result = result / count;
    mark_from(before, letters);
    return result.id;
  }

  // As in Unfolder::finish_value: a value is per example where it must be, and a node of its own.
  NodeId finished(NodeId root, const Symbol& s, const Letters& letters) {
    Var v = tape_.var(root);
    if (s.per_example && !v.per_example()) v = to_items(v, kEveryItem);
    if (readings_.contains(v.id) || tape_.inputs(v.id).empty()) v = copy(v);
    return mark(v.id, letters);
  }

  void own(const std::string& name) { tape_.set_owner(tape_.intern_name(name), 0); }

  void place_rule(int number) {
    const Rule& rule = model_.rules[at(number)];
    const Symbol& s = symbol(rule.symbol);
    own(s.name);
    const std::vector<NodeId> roots = place(rule.block, rule.letters);
    if (s.random()) {
      place_nll(number, roots);
    } else {
      const NodeId id = finished(roots[0], s, rule.letters);
      tape_.set_value(id, tape_.intern_name(s.name), 0);
      value_of_rule_[number] = id;
    }
    tape_.set_owner(0, 0);
  }

  void place_nll(int number, const std::vector<NodeId>& roots) {
    const Rule& rule = model_.rules[at(number)];
    const Symbol& s = symbol(rule.symbol);
    own("nll:" + s.name);
    Attrs category;
    if (s.category >= 0) category.set("category", s.category);
    const Source source = s.length >= 0 ? Source::length : Source::value;
    const Var y = reading(kInput, s.shape, kEveryItem, category,
                          {source, s.length >= 0 ? s.length : rule.symbol, rule.places});
    const NodeId before = tape_.size();
    const Var nll = nll_of(s, y, tape_.var(roots[0]),
                           roots.size() > 1 ? tape_.var(roots[1]) : Var{}, kEveryItem);
    mark_from(before, rule.letters);
    tape_.set_value(nll.id, tape_.intern_name("nll:" + s.name), 0);
    value_of_rule_[number] = nll.id;
  }

  void add_loss() {
    own("loss");
    std::vector<NodeId> terms;
    for (const LossTerm& term : model_.loss) {
      const NodeId before = tape_.size();
      Var v = tape_.var(place(term.block, term.letters).front());
      if (!v.per_example()) v = to_items(v, kEveryItem);
      if (v.id >= before && !readings_.contains(v.id)) mark(v.id, term.letters);
      terms.push_back(v.id);
    }
    if (model_.loss.empty())
      for (int r = 0; r < static_cast<int>(model_.rules.size()); ++r)
        if (symbol(model_.rules[at(r)].symbol).random()) terms.push_back(value_of_rule_.at(r));
    if (terms.empty()) return;
    over_.resize(at(tape_.size()));
    const bool one = terms.size() == 1 && over_[at(terms[0])].empty();
    const Shape none;
    const NodeId loss =
        tape_.append_raw(one ? kCopy : kAddN, terms, tape_.intern_shape(none), 0, kEveryItem);
    mark(loss, {});
    tape_.set_value(loss, tape_.intern_name("loss"), 0);
    if (!one) gathers_.insert({loss, {}});
  }

  // ---- nodes and edges ------------------------------------------------------------------------

  std::vector<std::string> names_of(const Letters& letters) const {
    std::vector<std::string> names;
    for (const int i : letters) names.push_back(model_.system.indices[at(i)].name);
    return names;
  }

  void make_nodes() {
    over_.resize(at(tape_.size()));
    for (NodeId id = 0; id < tape_.size(); ++id) {
      if (readings_.contains(id)) continue;
      FoldedNode node = folding::node_of(tape_, id);
      node.over = names_of(over_[at(id)]);
      node_of_[id] = sketch_.add(std::move(node));
    }
    for (const auto& [rule, id] : value_of_rule_) {
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

  static std::string place_text(const At& p, const std::string& letter) {
    if (p.kind == Place::Kind::number) return fmt::format("{}", p.offset);
    const std::string base = p.kind == Place::Kind::end ? "last" : letter;
    return p.offset == 0 ? base : fmt::format("{}{:+}", base, p.offset);
  }
  std::string places_text(const std::vector<At>& places) const {
    std::vector<std::string> parts;
    for (const At& p : places)
      parts.push_back(place_text(p, p.kind == Place::Kind::letter
                                        ? model_.system.indices[at(p.index)].name
                                        : std::string()));
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
      const std::span<const NodeId> inputs = tape_.inputs(id);
      const auto gather = gathers_.find(id);
      for (std::size_t k = 0; k < inputs.size(); ++k) {
        const int slot = gather == gathers_.end() ? static_cast<int>(k) : 0;
        if (gather != gathers_.end())
          connect_gathered(inputs[k], gather->second, node, over_[at(id)]);
        else
          connect(inputs[k], over_[at(id)], node, slot);
      }
    }
  }

  void connect(NodeId from, const Letters& letters, int to, int slot) {
    const auto reading = readings_.find(from);
    FoldedEdge e;
    if (reading == readings_.end()) {
      e.from = node_of_.at(from);
      e.delay.assign(letters.size(), 0);
    } else {
      const Reading& r = reading->second;
      if (const int rule = boundary_read(r); rule >= 0) {
        e.from = node_of_.at(value_of_rule_.at(rule));
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
  void connect_gathered(NodeId term, const Letters& inner, int to, const Letters& letters) {
    const auto reading = readings_.find(term);
    const bool over_steps = reading != readings_.end()
                                ? !reading->second.places.empty() && inner != letters
                                : over_[at(term)] != letters;
    connect(term, letters, to, 0);
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
      e.from = node_of_.at(value_of_rule_.at(rule));
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

  const Model& model_;
  const Tape& scratch_;
  Tape tape_;
  std::map<NodeId, Reading> readings_;
  std::map<NodeId, Letters> gathers_;  // sums over steps: the letters of their terms
  std::vector<Letters> over_;          // by node of the tape
  std::map<int, NodeId> value_of_rule_;
  folding::Sketch sketch_;
  std::map<NodeId, int> node_of_;
  std::map<int, int> value_, likelihood_;  // by symbol: node of the general equation
  std::map<std::pair<Source, int>, int> leaves_;
};

}  // namespace

FoldedGraph folded(const Definition& d) { return Circuit(*resolve(d)).run(); }

}  // namespace taugrad
