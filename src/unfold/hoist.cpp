#include "unfold/hoist.h"

#include <algorithm>
#include <map>
#include <set>

#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

/// A set of indices: a bit for the number of each.
using Letters = std::uint64_t;
constexpr std::size_t kMostIndices = 64;

Letters set_of(const std::vector<int>& indices) {
  Letters letters = 0;
  for (const int index : indices) letters |= Letters{1} << index;
  return letters;
}

std::vector<int> listed(Letters letters) {
  std::vector<int> indices;
  for (int index = 0; index < static_cast<int>(kMostIndices); ++index)
    if (letters >> index & 1) indices.push_back(index);
  return indices;
}

/// On what the value of a node depends.
struct Dependence {
  Letters letters = 0;
  bool copies = false;  ///< it mentions a weight: on the letters of the left side too
  bool own = false;     ///< it may not be shared: dropout
  bool reads = false;   ///< something; else it is a constant in another shape
  void add(const Dependence& other) {
    letters |= other.letters;
    copies = copies || other.copies;
    own = own || other.own;
    reads = reads || other.reads;
  }
};

class Hoister {
 public:
  explicit Hoister(const ResolvedModel& model) : model_(model), tape_(model.scratch()) {
    out_.blocks = model.blocks;
  }

  HoistedBlocks run() {
    if (model_.system.indices.size() > kMostIndices) return std::move(out_);
    for (std::size_t r = 0; r < model_.rules.size(); ++r) {
      owner_ = {.rule = static_cast<int>(r)};
      top(model_.rules[r].block, model_.rules[r].letters);
    }
    for (const LossTerm& term : model_.loss) {
      owner_ = {.term = term.block};
      top(term.block, term.letters);
    }
    for (const auto& [index, block] : model_.ends) {
      owner_ = {.term = block};
      top(block, {index});
    }
    return std::move(out_);
  }

 private:
  using Dependences = std::map<NodeId, Dependence>;
  using Parts = std::map<NodeId, int>;  ///< by node: the part that it is the root of

  void top(int block, const std::vector<int>& letters) {
    if (block < 0) return;
    left_ = set_of(letters);
    hoist_from(block, left_, left_);
  }

  /// @param visible  letters that a node of the block may depend on
  /// @param context  letters that stand for a position where the block is placed
  /// @param rebound  a reduction around it binds a letter of the left side anew
  void hoist_from(int number, Letters visible, Letters context, bool rebound = false) {
    const Block before = block(number);
    Parts parts;
    for (const auto& [id, letters] : shared_in(before, visible, rebound)) {
      HoistedPart part = owner_;
      part.letters = listed(letters);
      part.context = listed(context);
      part.block = static_cast<int>(out_.blocks.size());
      out_.blocks.push_back(cut(before, {id}, parts));
      parts[id] = static_cast<int>(out_.parts.size());
      out_.parts.push_back(part);
      hoist_from(part.block, letters, context, rebound);
    }
    if (!parts.empty()) {
      Block rest = cut(before, before.roots, parts);
      rest.reduction = before.reduction;
      rest.over = before.over;
      block(number) = std::move(rest);
    }
    const std::vector<Slot> slots = block(number).slots;  // a copy: the list of blocks grows
    for (const Slot& slot : slots) {
      if (slot.kind != Slot::Kind::reduction) continue;
      const Letters over = set_of(block(slot.symbol).over);
      hoist_from(slot.symbol, visible | over, context | over, rebound || (left_ & over) != 0);
    }
  }

  /// The nodes that lack a letter and that a root is, or a node reads that lacks none; ascending.
  /// Where a branch may not be taken at one position and taken at another, what stands behind it
  /// gets nothing from the first (a structural zero): only reductions are worth sharing there.
  std::vector<std::pair<NodeId, Letters>> shared_in(const Block& b, Letters visible, bool rebound) {
    std::map<NodeId, Letters> lacking;
    const std::set<NodeId> branches = behind_branches(b);
    for (const auto& [id, d] : dependences(b)) {
      const Letters letters = d.letters | (d.copies ? left_ : 0);
      const Slot* slot = slot_at(b, id);
      const bool computes = slot ? slot->kind == Slot::Kind::reduction
                                 : !tape_.inputs(id).empty() && !branches.contains(id);
      if (computes && d.reads && !d.own && !(d.copies && rebound) && (letters & ~visible) == 0 &&
          letters != visible)
        lacking[id] = letters;
    }
    std::set<NodeId> read(b.roots.begin(), b.roots.end());
    if (!lacking.empty())
      for (const NodeId user : b.nodes)
        if (!slot_at(b, user) && !lacking.contains(user))
          read.insert(tape_.inputs(user).begin(), tape_.inputs(user).end());
    std::erase_if(lacking, [&](const auto& node) { return !read.contains(node.first); });
    return {lacking.begin(), lacking.end()};
  }

  std::set<NodeId> behind_branches(const Block& b) const {
    std::set<NodeId> behind;
    for (auto id = b.nodes.rbegin(); id != b.nodes.rend(); ++id) {
      const Op& op = tape_.op(*id);
      const bool branches =
          &op == &kWhere || &op == &kMaximum || &op == &kMinimum || &op == &kClamp || &op == &kRelu;
      if (!slot_at(b, *id) && (branches || behind.contains(*id)))
        behind.insert(tape_.inputs(*id).begin(), tape_.inputs(*id).end());
    }
    return behind;
  }

  Block& block(int number) { return out_.blocks[static_cast<std::size_t>(number)]; }

  static const Slot* slot_at(const Block& b, NodeId id) {
    const auto found = std::ranges::lower_bound(b.slots, id, {}, &Slot::leaf);
    return found != b.slots.end() && found->leaf == id ? &*found : nullptr;
  }

  /// What the roots need of a block; where a part begins, a slot reads it.
  Block cut(const Block& from, const std::vector<NodeId>& roots, const Parts& parts) const {
    std::set<NodeId> needed(roots.begin(), roots.end());
    Block b;
    b.roots = roots;
    for (auto id = from.nodes.rbegin(); id != from.nodes.rend(); ++id) {
      if (!needed.contains(*id)) continue;
      b.nodes.push_back(*id);
      if (const auto part = parts.find(*id); part != parts.end())
        b.slots.push_back({.kind = Slot::Kind::part, .leaf = *id, .symbol = part->second});
      else if (const Slot* slot = slot_at(from, *id))
        b.slots.push_back(*slot);
      else
        needed.insert(tape_.inputs(*id).begin(), tape_.inputs(*id).end());
    }
    std::ranges::reverse(b.nodes);
    std::ranges::reverse(b.slots);
    return b;
  }

  Dependences dependences(const Block& b) {
    Dependences result;
    for (const NodeId id : b.nodes) {
      Dependence& d = result[id];
      if (const Slot* slot = slot_at(b, id))
        d = dependence_of(*slot);
      else
        for (const NodeId in : tape_.inputs(id)) d.add(result.at(in));
    }
    return result;
  }

  Dependence dependence_of(const Slot& slot) {
    Dependence d{.reads = true};
    d.letters |= set_of(letters_of(slot.places));
    d.copies = slot.kind == Slot::Kind::copy;
    d.own = slot.kind == Slot::Kind::dropout;
    if (slot.kind == Slot::Kind::index) d.letters |= Letters{1} << slot.symbol;
    if (slot.kind == Slot::Kind::part)
      d.letters |= set_of(out_.parts[static_cast<std::size_t>(slot.symbol)].letters);
    if (slot.kind == Slot::Kind::reduction) {
      const Block& reduction = block(slot.symbol);
      const Dependences inside = dependences(reduction);
      for (const NodeId root : reduction.roots) d.add(inside.at(root));
      d.letters &= ~set_of(reduction.over);
    }
    return d;
  }

  const ResolvedModel& model_;
  const Tape& tape_;
  HoistedBlocks out_;
  HoistedPart owner_;
  Letters left_ = 0;
};

}  // namespace

HoistedBlocks hoist(const ResolvedModel& model) { return Hoister(model).run(); }

}  // namespace taugrad
