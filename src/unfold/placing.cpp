// Templates: what they read is gathered first, then they are replayed.
#include <algorithm>
#include <cmath>

#include "taugrad/graph/op.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"
#include "unfold/unfolder.h"

namespace taugrad {

bool Unfolder::gather(int number, Setting& setting, std::vector<NodeId>& found) {
  bool complete = true;
  for (const Slot& slot : this->block(number).slots)
    complete = gather_slot(slot, setting, found) && complete;
  return complete;
}

bool Unfolder::gather_slot(const Slot& slot, Setting& setting, std::vector<NodeId>& found) {
  switch (slot.kind) {
    case Slot::Kind::read:
      found.push_back(read(slot, setting, Part::value));
      break;
    case Slot::Kind::nll:
      found.push_back(read(slot, setting, Part::nll));
      break;
    case Slot::Kind::copy:
      found.push_back(copy_of(slot, setting));
      break;
    case Slot::Kind::index:
      found.push_back(position_number(setting, slot.symbol));
      break;
    case Slot::Kind::length:
      found.push_back(length_node(slot.symbol, setting.extent));
      break;
    case Slot::Kind::dropout:
      found.push_back(0);
      break;
    case Slot::Kind::part:
      found.push_back(read_part(slot, setting));
      break;
    case Slot::Kind::reduction: {
      const ExtentId extent = setting.extent;
      bool complete = true;
      const std::vector<int>& over = block(slot.symbol).over;
      each_position(over, setting, [&] {
        setting.extent = both(extent, extent_of(over, setting.at));
        complete = gather(slot.symbol, setting, found) && complete;
      });
      setting.extent = extent;
      return complete;
    }
  }
  return found.back() >= 0;
}

// A template does not stand inside itself: what it keeps while it is placed is its own.
std::span<NodeId> Unfolder::place(int number, Setting& setting, const std::vector<NodeId>& found,
                                  std::size_t& cursor) {
  const Block& block = this->block(number);
  Template& t = templates_[static_cast<std::size_t>(number)];
  t.placed.resize(t.steps.size());
  std::size_t i = 0;
  for (const Slot& slot : block.slots) {
    const NodeId node = slot.kind == Slot::Kind::reduction
                            ? place_reduction(slot.symbol, setting, found, cursor)
                            : found[cursor++];
    while (t.steps[i].slot < 0) ++i;
    t.placed[i++] = node;
  }
  for (i = 0; i < t.steps.size(); ++i)
    if (t.steps[i].slot < 0) t.placed[i] = place_step(number, t.steps[i], t.placed, setting);
  t.values.clear();
  for (const int root : t.roots) t.values.push_back(t.placed[static_cast<std::size_t>(root)]);
  return t.values;
}

NodeId Unfolder::place_step(int number, Template::Step& step, const std::vector<NodeId>& placed,
                            const Setting& setting) {
  if (step.count == 0) {  // a constant: one for all steps
    if (step.shared < 0) {
      const NameId name = tape_.owner_name();
      const IndexId index = tape_.owner_index();
      tape_.set_owner(0, 0);
      step.shared = tape_.append_raw(*step.op, {}, step.shape, step.attrs, kShared);
      tape_.set_owner(name, index);
    }
    return step.shared;
  }
  const Template& t = templates_[static_cast<std::size_t>(number)];
  inputs_.clear();
  ExtentId extent = kShared;
  for (int k = 0; k < step.count; ++k) {
    inputs_.push_back(
        placed[static_cast<std::size_t>(t.inputs[static_cast<std::size_t>(step.first + k)])]);
    if (tape_.extent_id(inputs_.back()) != kShared) extent = setting.extent;
  }
  if (step.op == &kToItems)  // of a shared value that is differentiated per example (R18)
    return extent == kShared ? to_items(tape_.var(inputs_[0]), setting.extent).id : inputs_[0];
  if (step.dropout >= 0) return dropped(inputs_[0], number, step.dropout, setting);
  return tape_.append_raw(*step.op, inputs_, step.shape, step.attrs, extent);
}

// A mask belongs to one mention in one equation, at the positions of the reductions around it; that
// of the left side is the node's own.
NodeId Unfolder::dropped(NodeId a, int block, int slot, const Setting& setting) {
  const double p = this->block(block).slots[static_cast<std::size_t>(slot)].p;
  if (!options_.train || p == 0) return a;
  std::string stream = "dropout:" + std::to_string(block) + ":" + std::to_string(slot);
  for (const int index : reduced_)
    stream += ":" + std::to_string(setting.at[static_cast<std::size_t>(index)]);
  Var x = tape_.var(a);
  if (!x.per_example()) x = to_items(x, setting.extent);
  return (x * dropout_mask(x, p, stream)).id;
}

NodeId Unfolder::place_reduction(int number, Setting& setting, const std::vector<NodeId>& found,
                                 std::size_t& cursor) {
  const Block& block = this->block(number);
  const ExtentId outer = setting.extent;
  std::vector<NodeId> terms;
  std::vector<ExtentId> extents;
  reduced_.insert(reduced_.end(), block.over.begin(), block.over.end());
  each_position(block.over, setting, [&] {
    setting.extent = both(outer, extent_of(block.over, setting.at));
    Var term = tape_.var(place(number, setting, found, cursor).front());
    if (!term.per_example()) term = to_items(term, setting.extent);
    terms.push_back(term.id);
    extents.push_back(setting.extent);
  });
  reduced_.resize(reduced_.size() - block.over.size());
  setting.extent = outer;
  return reduce(block, terms, extents, outer);
}

NodeId Unfolder::reduce(const Block& block, const std::vector<NodeId>& terms,
                        const std::vector<ExtentId>& extents, ExtentId target) {
  const ExtentId every = target == kShared ? kEveryItem : target;
  if (terms.empty()) {
    const Template& t = templates_[static_cast<std::size_t>(&block - hoisted_.blocks.data())];
    const int root = t.roots.front();
    const int slot = t.steps[static_cast<std::size_t>(root)].slot;
    const Shape shape =
        slot >= 0 ? model_.scratch().shape(block.slots[static_cast<std::size_t>(slot)].leaf)
                  : tape_.shape_of(t.steps[static_cast<std::size_t>(root)].shape);
    const double nothing = block.reduction == "prod"        ? 1
                           : block.reduction == "logsumexp" ? -INFINITY
                                                            : 0;
    return constant(tape_, nothing, shape, every).id;
  }
  if (block.reduction == "max" || block.reduction == "min" || block.reduction == "prod")
    return chained(block.reduction, terms, extents, every);
  if (block.reduction == "norm" || block.reduction == "logsumexp")
    return stacked(block.reduction, terms, extents, every);
  Vars all;
  for (const NodeId term : terms) all.push_back(tape_.var(fit(term, every)));
  if (block.reduction == "mean") return mean_n(tape_.var(count_of(block, every)), all).id;
  return all.size() == 1 ? all.front().id : add_n(all).id;
}

// what items that have a step have, and others not: a or b
Var Unfolder::where_alive(ExtentId alive, ExtentId target, Var a, Var b) {
  if (alive == target) return a;
  return where(tape_.var(fit(constant(tape_, 1, {}, alive).id, target)), a, b);
}

// ties: the first. An item that lacks a step keeps what it has.
NodeId Unfolder::chained(const std::string& how, const std::vector<NodeId>& terms,
                         const std::vector<ExtentId>& extents, ExtentId target) {
  Var best = tape_.var(terms.front());
  const ExtentId start = extents.front();
  for (std::size_t i = 1; i < terms.size(); ++i) {
    const Var term = tape_.var(fit(terms[i], start));
    const Var next = how == "max" ? max(best, term) : how == "min" ? min(best, term) : best * term;
    best = where_alive(extents[i], start, next, best);
  }
  const Var all = tape_.var(fit(best.id, target));
  if (how != "prod") return all.id;
  return where_alive(start, target, all, tape_.var(number(1))).id;
}

// the terms as rows of a matrix, which is reduced along the first axis; -inf adds nothing to a
// logsumexp
NodeId Unfolder::stacked(const std::string& how, const std::vector<NodeId>& terms,
                         const std::vector<ExtentId>& extents, ExtentId target) {
  const Shape shape = tape_.shape(terms.front());
  Vars rows;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    Var term = tape_.var(fit(terms[i], target));
    if (how == "logsumexp")
      term = where_alive(extents[i], target, term, tape_.var(number(-INFINITY)));
    rows.push_back(reshape(term, {shape.size()}));
  }
  const Var all = stack(rows);
  return reshape(how == "norm" ? norm(all, {.axis = 0}) : logsumexp(all, {.axis = 0}), shape).id;
}

// how many positions a mean goes over, at least 1: a mean over none is 0 (R9)
NodeId Unfolder::count_of(const Block& block, ExtentId extent) {
  double known = 1;
  Var count;
  for (const int index : block.over) {
    const int length = model_.index_length[static_cast<std::size_t>(index)];
    if (!runs_ragged(length)) {
      known *= static_cast<double>(shown_length_of_index(index));
      continue;
    }
    const Var n = tape_.var(length_node(length, extent));
    const Var least = max(n, tape_.var(number(1)));
    count = count ? count * least : least;
  }
  if (!count) return number(known);
  return known == 1 ? count.id : (count * known).id;
}

}  // namespace taugrad
