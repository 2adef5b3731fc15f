#include "unfold/graph_size.h"

#include <algorithm>
#include <set>

#include "base/fail.h"

namespace taugrad {
namespace {

// bytes a node, measured on unfolded networks
constexpr double kGraphNode = 60;
constexpr double kPlanNode = 80;
constexpr double kGradientNodes = 1.25;  // nodes of a gradient, a node of its graph

class Counter {
 public:
  Counter(const ResolvedModel& model, const HoistedBlocks& hoisted,
          const std::vector<std::int64_t>& lengths, const UnfoldOptions& options)
      : model_(model),
        hoisted_(hoisted),
        lengths_(lengths),
        options_(options),
        known_(hoisted.blocks.size()),
        counted_(hoisted.blocks.size(), 0) {}

  GraphSize run() {
    for (const Symbol& s : model_.symbols)
      if (s.kind != SymbolKind::variable || s.random()) add(positions(s.axes), leaf_of(s));
    for (const Rule& rule : model_.rules) {
      if (rule.block < 0) continue;
      const Symbol& s = model_.symbols[static_cast<std::size_t>(rule.symbol)];
      add(positions(rule.letters), of_block(rule.block));
      add(positions(rule.letters), copies_in({rule.block}));
      if (s.random()) add(positions(rule.letters), {.nodes = 3, .elements = 3});
    }
    for (const HoistedPart& part : hoisted_.parts)
      add(positions(part.letters), of_block(part.block));
    for (const LossTerm& term : model_.loss) add(positions(term.letters), of_block(term.block));
    for (const std::string& name : options_.cotangents)
      if (const int s = model_.find(name); s >= 0) {
        const Symbol& variable = model_.symbols[static_cast<std::size_t>(s)];
        const auto size = static_cast<double>(variable.shape.size());
        add(positions(variable.axes), {.nodes = 3, .elements = 2 * size + 1, .largest = 2 * size});
      }
    return total_;
  }

 private:
  double positions(const std::vector<int>& letters) const {
    double count = 1;
    for (const int index : letters)
      count *= static_cast<double>(
          lengths_[static_cast<std::size_t>(model_.index_length[static_cast<std::size_t>(index)])]);
    return count;
  }

  void add(double times, const GraphSize& one) {
    total_.nodes += times * one.nodes;
    total_.elements += times * one.elements;
    total_.shared += times * one.shared;
    if (times > 0) total_.largest = std::max(total_.largest, one.largest);
  }

  static GraphSize leaf_of(const Symbol& s) {
    const double size = s.category >= 0 ? 1 : static_cast<double>(s.shape.size());
    if (s.kind == SymbolKind::weight) return {.nodes = 1, .shared = size};
    return {.nodes = 1, .elements = size, .largest = size};
  }

  /// One placement of a block, terms of its reductions and all; without the copies it mentions.
  const GraphSize& of_block(int number) {
    const auto b = static_cast<std::size_t>(number);
    if (counted_[b]) return known_[b];
    counted_[b] = 1;
    GraphSize size;
    const Block& block = hoisted_.blocks[b];
    const Tape& tape = model_.scratch();
    std::size_t slot = 0;
    for (const NodeId id : block.nodes) {
      if (slot < block.slots.size() && block.slots[slot].leaf == id) {
        const Slot& s = block.slots[slot++];
        if (s.kind == Slot::Kind::reduction) add_reduction(size, s);
        if (options_.ragged && s.kind != Slot::Kind::copy)
          size.nodes += 0.5;  // fitted to its items
        continue;
      }
      if (tape.inputs(id).empty()) {
        total_.constants += static_cast<double>(tape.shape(id).size());
        continue;
      }
      double moved = per_example(id);
      for (const NodeId in : tape.inputs(id)) moved += per_example(in);
      size.largest = std::max(size.largest, moved);
      size.nodes += 1;
      size.elements += per_example(id);
      if (tape.extent_id(id) == kShared) size.shared += static_cast<double>(tape.shape(id).size());
    }
    return known_[b] = size;
  }

  double per_example(NodeId id) const {
    const Tape& tape = model_.scratch();
    return tape.extent_id(id) == kShared ? 0 : static_cast<double>(tape.shape(id).size());
  }

  void add_reduction(GraphSize& size, const Slot& slot) {
    const Block& block = hoisted_.blocks[static_cast<std::size_t>(slot.symbol)];
    const GraphSize& term = of_block(slot.symbol);
    const double terms = positions(block.over);
    const auto own = static_cast<double>(model_.scratch().shape(slot.leaf).size());
    const bool chain =
        block.reduction == "max" || block.reduction == "min" || block.reduction == "prod";
    const bool rows = block.reduction == "norm" || block.reduction == "logsumexp";
    // a step of a maximum; a row that is stacked, where it may be missing another; an input
    const double each = chain || rows ? (block.reduction == "logsumexp" ? 2.5 : 1) : 0.25;
    size.nodes += terms * (term.nodes + each) + 1;
    size.elements += terms * (term.elements + (chain || rows ? own : 0)) + own;
    size.shared += terms * term.shared;
    size.largest = std::max(size.largest, term.largest);
  }

  /// A copy of every weight that the blocks mention.
  GraphSize copies_in(std::vector<int> open) const {
    std::set<int> weights;
    while (!open.empty()) {
      const Block& block = hoisted_.blocks[static_cast<std::size_t>(open.back())];
      open.pop_back();
      for (const Slot& s : block.slots) {
        if (s.kind == Slot::Kind::copy) weights.insert(s.symbol);
        if (s.kind == Slot::Kind::reduction) open.push_back(s.symbol);
      }
    }
    GraphSize size{.nodes = static_cast<double>(weights.size())};
    for (const int weight : weights)  // views, but to an interpreter
      size.shared +=
          static_cast<double>(model_.symbols[static_cast<std::size_t>(weight)].shape.size());
    return size;
  }

  const ResolvedModel& model_;
  const HoistedBlocks& hoisted_;
  const std::vector<std::int64_t>& lengths_;
  const UnfoldOptions& options_;
  std::vector<GraphSize> known_;
  std::vector<char> counted_;
  GraphSize total_;
};

}  // namespace

std::vector<std::int64_t> lengths_of(const ResolvedModel& model, const UnfoldOptions& options) {
  std::vector<std::int64_t> lengths;
  for (std::size_t l = 0; l < model.lengths.size(); ++l) {
    if (model.is_derived(l)) {
      lengths.push_back(-1);
      continue;
    }
    std::int64_t length = model.fixed_lengths[l] >= 0 ? model.fixed_lengths[l] : options.steps;
    if (const auto given = options.lengths.find(model.lengths[l]); given != options.lengths.end())
      length = given->second;
    for (std::size_t i = 0; i < model.index_length.size(); ++i)
      if (model.index_length[i] == static_cast<int>(l))
        if (const auto given = options.lengths.find(model.system.indices[i].name);
            given != options.lengths.end())
          length = given->second;
    if (length < 0)
      fail(Status::bad_input, "G022", "the length \"{}\" is not given; say how many steps",
           model.lengths[l]);
    lengths.push_back(length);
  }
  derive_lengths(model, lengths);
  return lengths;
}

double GraphSize::graph_bytes() const { return nodes * kGraphNode; }
double GraphSize::plan_bytes() const { return nodes * kPlanNode; }

GraphSize GraphSize::with_gradient() const {
  return {nodes * (1 + kGradientNodes), elements * (1 + kGradientNodes), largest, constants,
          shared * (1 + kGradientNodes)};
}

GraphSize graph_size(const ResolvedModel& model, const HoistedBlocks& hoisted,
                     const std::vector<std::int64_t>& lengths, const UnfoldOptions& options) {
  return Counter(model, hoisted, lengths, options).run();
}

GraphSize graph_size(const ResolvedModel& model, const UnfoldOptions& options) {
  return graph_size(model, hoist(model), lengths_of(model, options), options);
}

}  // namespace taugrad
