#include "fold/fold_circuit.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/index.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"
#include "unfold/unfolder.h"

namespace taugrad::folding {
namespace {

using Source = Reading::Source;

class Placer {
 public:
  Placer(const ResolvedModel& model, Circuit& circuit)
      : model_(model), scratch_(model.scratch()), c_(circuit) {}

  void run() {
    c_.tape.length_names = model_.lengths;
    for (int r = 0; r < static_cast<int>(model_.rules.size()); ++r) place_rule(r);
    add_loss();
    c_.over.resize(at(c_.tape.size()));
  }

 private:
  const Symbol& symbol(int s) const { return model_.symbols[at(s)]; }

  NodeId mark(NodeId id, const Letters& letters) {
    c_.over.resize(at(c_.tape.size()));
    c_.over[at(id)] = letters;
    return id;
  }
  // Everything appended since `first`.
  void mark_from(NodeId first, const Letters& letters) {
    for (NodeId id = first; id < c_.tape.size(); ++id) mark(id, letters);
  }

  Var reading(const Op& op, const Shape& shape, ExtentId extent, const Attrs& attrs, Reading what) {
    const Var leaf = c_.tape.leaf(op, shape, extent, attrs);
    c_.readings.emplace(leaf.id, std::move(what));
    return leaf;
  }

  NodeId slot_node(const Slot& slot, const Letters& letters) {
    Source source = Source::value;
    switch (slot.kind) {
      case Slot::Kind::dropout:
      case Slot::Kind::part:
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

  bool of_numbers(const std::vector<NodeId>& inputs) const {
    return std::ranges::all_of(inputs, [&](NodeId in) { return numbers_.contains(in); });
  }

  // As unfolding hoists it (hoist.cpp): over the letters that it depends on, of numbers alone all.
  Letters needed_letters(const std::vector<NodeId>& inputs, const Letters& letters) const {
    if (inputs.empty()) return {};
    if (of_numbers(inputs)) return letters;
    std::set<int> needed;
    for (const NodeId in : inputs) {
      if (numbers_.contains(in)) continue;
      const auto reading = c_.readings.find(in);
      const Letters of =
          reading == c_.readings.end() ? c_.over[at(in)] : letters_of(reading->second, letters);
      needed.insert(of.begin(), of.end());
    }
    Letters kept;
    for (const int letter : letters)
      if (needed.contains(letter)) kept.push_back(letter);
    return kept;
  }

  Letters letters_of(const Reading& r, const Letters& letters) const {
    if (r.source == Source::weight) return left_;
    if (r.source == Source::index) return {r.number};
    Letters of;
    for (const At& p : r.places) {
      if (p.kind == Place::Kind::letter)
        of.push_back(p.index);
      else if (p.kind != Place::Kind::number)
        return letters;
    }
    return of;
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
          mark(c_.tape.append_raw(scratch_.op(id), inputs, c_.tape.intern_shape(scratch_.shape(id)),
                                  c_.tape.intern_attrs(scratch_.attrs(id)), scratch_.extent_id(id)),
               needed_letters(inputs, letters));
      if (of_numbers(inputs)) numbers_.insert(placed[id]);
    }
    std::vector<NodeId> roots;
    for (const NodeId root : block.roots) roots.push_back(placed.at(root));
    return roots;
  }

  static const Op& gathering(std::string_view reduction) {
    static constexpr std::pair<std::string_view, const Op*> kOps[] = {
        {"max", &kMaximum}, {"min", &kMinimum},         {"prod", &kMul},
        {"norm", &kNorm},   {"logsumexp", &kLogSumExp}, {"mean", &kMeanN}};
    for (const auto& [name, op] : kOps)
      if (name == reduction) return *op;
    return kAddN;
  }

  NodeId place_reduction(int number, const Letters& letters) {
    const Block& block = model_.blocks[at(number)];
    Letters inner = letters;
    inner.insert(inner.end(), block.over.begin(), block.over.end());
    const NodeId first = c_.tape.size();
    Var term = c_.tape.var(place(number, inner).front());
    if (!term.per_example()) term = to_items(term, kEveryItem);
    if (term.id >= first && !c_.readings.contains(term.id)) mark(term.id, inner);
    const Op& op = gathering(block.reduction);
    std::vector<NodeId> inputs{term.id};
    if (&op == &kMeanN) {
      const Var count = reading(kConstant, {}, kShared, {{"value", 1.0}}, {Source::length, -1, {}});
      const NodeId before = c_.tape.size();
      inputs.insert(inputs.begin(), broadcast_to(count, term.shape()).id);
      mark_from(before, letters);
    }
    const NodeId result =
        c_.tape.append_raw(op, inputs, c_.tape.shape_id(term.id), 0, term.extent());
    mark(result, letters);
    c_.gathers.insert({result, inner});
    return result;
  }

  // As in Unfolder::finish_value: a value is per example where it must be, and a node of its own.
  NodeId finished(NodeId root, const Symbol& s, const Letters& letters) {
    Var v = c_.tape.var(root);
    if (s.per_example && !v.per_example()) v = to_items(v, kEveryItem);
    if (c_.readings.contains(v.id) || c_.tape.inputs(v.id).empty()) v = copy(v);
    return mark(v.id, letters);
  }

  void own(const std::string& name) { c_.tape.set_owner(c_.tape.intern_name(name), 0); }

  void place_rule(int number) {
    const Rule& rule = model_.rules[at(number)];
    const Symbol& s = symbol(rule.symbol);
    own(s.name);
    left_ = rule.letters;
    const std::vector<NodeId> roots = place(rule.block, rule.letters);
    if (s.random()) {
      place_nll(number, roots);
    } else {
      const NodeId id = finished(roots[0], s, rule.letters);
      c_.tape.set_value(id, c_.tape.intern_name(s.name), 0);
      c_.value_of_rule[number] = id;
    }
    c_.tape.set_owner(0, 0);
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
    const NodeId before = c_.tape.size();
    const Var nll = nll_of(s, y, c_.tape.var(roots[0]),
                           roots.size() > 1 ? c_.tape.var(roots[1]) : Var{}, kEveryItem);
    mark_from(before, rule.letters);
    c_.tape.set_value(nll.id, c_.tape.intern_name("nll:" + s.name), 0);
    c_.value_of_rule[number] = nll.id;
  }

  void add_loss() {
    own("loss");
    std::vector<NodeId> terms;
    for (const LossTerm& term : model_.loss) {
      const NodeId before = c_.tape.size();
      left_ = term.letters;
      Var v = c_.tape.var(place(term.block, term.letters).front());
      if (!v.per_example()) v = to_items(v, kEveryItem);
      if (v.id >= before && !c_.readings.contains(v.id)) mark(v.id, term.letters);
      terms.push_back(v.id);
    }
    if (model_.loss.empty())
      for (int r = 0; r < static_cast<int>(model_.rules.size()); ++r)
        if (symbol(model_.rules[at(r)].symbol).random()) terms.push_back(c_.value_of_rule.at(r));
    if (terms.empty()) return;
    c_.over.resize(at(c_.tape.size()));
    const bool one = terms.size() == 1 && c_.over[at(terms[0])].empty();
    const Shape none;
    const NodeId loss =
        c_.tape.append_raw(one ? kCopy : kAddN, terms, c_.tape.intern_shape(none), 0, kEveryItem);
    mark(loss, {});
    c_.tape.set_value(loss, c_.tape.intern_name("loss"), 0);
    if (!one) c_.gathers.insert({loss, {}});
  }

  const ResolvedModel& model_;
  const Tape& scratch_;
  Circuit& c_;
  Letters left_;              // of the left side
  std::set<NodeId> numbers_;  // what is computed of numbers alone
};

}  // namespace

void place_templates(const ResolvedModel& model, Circuit& circuit) { Placer(model, circuit).run(); }

}  // namespace taugrad::folding
