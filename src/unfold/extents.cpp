// Which items of a ragged batch a node exists for.
#include <algorithm>

#include "taugrad/ops/ops.h"
#include "unfold/unfolder.h"

namespace taugrad {

ExtentId Unfolder::extent_of(const std::vector<int>& letters, const Positions& at) {
  if (!options_.ragged) return kEveryItem;
  Extent e;
  for (const int index : letters) {
    const int length = model_.index_length[static_cast<std::size_t>(index)];
    const std::int32_t before = is_cut(index) ? static_cast<std::int32_t>(segment_.first) : 0;
    const std::int32_t p = at[static_cast<std::size_t>(index)] - before;
    if (!runs_ragged(length) || p < 1) continue;
    const auto same = std::find_if(e.bounds.begin(), e.bounds.end(),
                                   [&](const Extent::Bound& b) { return b.which == length; });
    if (same != e.bounds.end())
      same->at_least = std::max(same->at_least, p);
    else
      e.bounds.push_back({length, p});
  }
  std::sort(e.bounds.begin(), e.bounds.end(),
            [](const auto& a, const auto& b) { return a.which < b.which; });
  return e.bounds.empty() ? kEveryItem : tape_.intern_extent(e);
}

ExtentId Unfolder::both(ExtentId a, ExtentId b) {
  if (a == b || b == kEveryItem || b == kShared) return a;
  if (a == kEveryItem || a == kShared) return b;
  Extent e = tape_.extent(a);
  for (const Extent::Bound& bound : tape_.extent(b).bounds) {
    const auto same = std::find_if(e.bounds.begin(), e.bounds.end(),
                                   [&](const auto& other) { return other.which == bound.which; });
    if (same != e.bounds.end())
      same->at_least = std::max(same->at_least, bound.at_least);
    else
      e.bounds.push_back(bound);
  }
  std::sort(e.bounds.begin(), e.bounds.end(),
            [](const auto& x, const auto& y) { return x.which < y.which; });
  return tape_.intern_extent(e);
}

std::int32_t Unfolder::bound(ExtentId extent, int length) const {
  if (extent == kShared || extent == kEveryItem) return 0;
  for (const Extent::Bound& b : tape_.extent(extent).bounds)
    if (b.which == length) return b.at_least;
  return 0;
}

// the node for exactly the items of `target`: those it lacks get zeros (R4)
NodeId Unfolder::fit(NodeId node, ExtentId target) {
  if (node < 0) return node;
  const ExtentId own = tape_.extent_id(node);
  if (own == target || own == kShared || target == kShared) return node;
  const std::uint64_t key = (static_cast<std::uint64_t>(node) << 32) | target;
  if (const auto known = fitted_.find(key); known != fitted_.end()) return known->second;
  Var v = tape_.var(node);
  const ExtentId common = both(own, target);
  if (common != own) v = restrict_to(v, common);
  if (common != target) v = extend_to(v, target);
  return fitted_[key] = v.id;
}

namespace {

// an untied weight read beyond an item's own length is zero for that item, and is not per example
bool may_pass_the_end(const ResolvedModel& model, const Slot& weight) {
  const std::vector<int>& axes = model.symbols[static_cast<std::size_t>(weight.symbol)].axes;
  for (std::size_t a = 0; a < weight.places.size(); ++a) {
    const int length = model.index_length[static_cast<std::size_t>(axes[a])];
    const At& p = weight.places[a];
    const bool other = p.kind == Place::Kind::letter &&
                       model.index_length[static_cast<std::size_t>(p.index)] != length;
    if (model.fixed_lengths[static_cast<std::size_t>(length)] < 0 &&
        (p.kind == Place::Kind::end || p.kind == Place::Kind::computed || other || p.offset > 0))
      return true;
  }
  return false;
}

// a position that is computed from an item's own length is another one for each item
bool depends_on_length(const At& p) { return p.form && has_length(*p.form); }

// behind an item's last step a[t+1] is 0, which is not behind t
bool leaves_order(const ResolvedModel& model, const At& p) {
  bool any = false;
  if (p.form)
    each_term(*p.form, [&](const PositionForm::Term& t) {
      if (t.kind != PositionForm::Term::Kind::data) return;
      const Symbol& held = model.symbols[static_cast<std::size_t>(t.number)];
      for (const At& at : t.places)
        any = any ||
              (held.ordered && held.after && (at.kind != Place::Kind::letter || at.offset > 0));
    });
  return any;
}

}  // namespace

bool can_be_ragged(const ResolvedModel& model) {
  for (const Symbol& s : model.symbols) {
    bool at_number = false, at_end = false;
    for (const int r : s.rules) {
      const Rule& rule = model.rules[static_cast<std::size_t>(r)];
      int ends = 0;
      for (const At& p : rule.places) {
        if (p.kind == Place::Kind::end && p.offset < 1) return false;
        at_number = at_number || (p.kind == Place::Kind::number && p.offset > 0);
        if (p.kind == Place::Kind::end) ++ends;
        if (p.kind != Place::Kind::letter && s.random()) return false;
      }
      if (ends > 1) return false;
      at_end = at_end || ends > 0;
    }
    if (at_number && at_end) return false;
    if (s.category >= 0 && at_end) return false;  // an absent symbol is not a zero
  }
  for (const Block& block : model.blocks)
    for (const Slot& slot : block.slots) {
      int ends = 0;
      for (const At& p : slot.places) ends += p.kind == Place::Kind::end ? 1 : 0;
      if (ends > 1 || (ends > 0 && has_data(slot.places))) return false;
      if (std::any_of(slot.places.begin(), slot.places.end(), depends_on_length)) return false;
      if (std::any_of(slot.places.begin(), slot.places.end(),
                      [&](const At& p) { return leaves_order(model, p); }))
        return false;
      if (slot.kind == Slot::Kind::copy && may_pass_the_end(model, slot)) return false;
      const bool category = slot.kind == Slot::Kind::read &&
                            model.symbols[static_cast<std::size_t>(slot.symbol)].category >= 0;
      // a symbol read beyond its item's length would be extended by 0, which is a symbol
      if (category)
        for (const At& p : slot.places)
          if (p.kind != Place::Kind::letter || p.offset > 0 ||
              model.index_length[static_cast<std::size_t>(p.index)] !=
                  model.index_length[static_cast<std::size_t>(
                      model.symbols[static_cast<std::size_t>(slot.symbol)]
                          .axes[static_cast<std::size_t>(&p - slot.places.data())])])
            return false;
    }
  return true;
}

}  // namespace taugrad
