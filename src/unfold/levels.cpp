// Which equations can run level by level.
#include "unfold/levels.h"

#include <algorithm>

#include "base/index.h"
#include "language/resolve/components.h"

namespace taugrad {
namespace {

using Term = PositionForm::Term;

class CircleSearch {
 public:
  explicit CircleSearch(const ResolvedModel& model) : model_(model) {}

  std::optional<LevelCircle> run() {
    if (model_.lengths.size() != 1 || model_.is_derived(0) || !model_.ends.empty()) return {};
    if (!find_members()) return {};
    LevelCircle circle;
    circle.boundaries.assign(model_.symbols.size(), -1);
    for (const int s : members_)
      if (!take(s, circle)) return {};
    for (const int r : circle.rules)
      if (!fits(model_.rules[at(r)], circle)) return {};
    std::ranges::sort(circle.positions);
    circle.positions.erase(std::unique(circle.positions.begin(), circle.positions.end()),
                           circle.positions.end());
    return circle.positions.empty() ? std::nullopt : std::optional(std::move(circle));
  }

 private:
  template <class F>
  void each_slot(const Rule& rule, const F& f) const {
    for (const Slot& slot : model_.blocks[at(rule.block)].slots) f(slot);
    for (const int b : rule.reductions)
      for (const Slot& slot : model_.blocks[at(b)].slots) f(slot);
  }

  /// The input that says at which position of a symbol something is read, and nothing else does.
  const Symbol* pointer(const Slot& slot) const {
    if (slot.places.size() != 1 || !slot.places[0].form) return nullptr;
    const PositionForm& form = *slot.places[0].form;
    const Term* data = form.single();
    if (data == nullptr || data->kind != Term::Kind::data || form.offset != 0) return nullptr;
    const Symbol& held = model_.symbols[at(data->number)];
    const bool plain = data->places.size() == 1 && data->places[0].kind == Place::Kind::letter &&
                       data->places[0].offset == 0;
    return plain && held.ordered ? &held : nullptr;
  }

  /// The variables of the one circle in which something is read where data say.
  bool find_members() {
    std::vector<std::vector<int>> edges(model_.symbols.size());
    for (const Rule& rule : model_.rules)
      each_slot(rule, [&](const Slot& slot) {
        if (slot.kind == Slot::Kind::read || slot.kind == Slot::Kind::nll)
          edges[at(rule.symbol)].push_back(slot.symbol);
      });
    int circles = 0;
    for (const std::vector<int>& part : strong_components(edges)) {
      const auto inside = [&](int s) { return std::ranges::find(part, s) != part.end(); };
      bool by_data = false;
      for (const Rule& rule : model_.rules)
        if (inside(rule.symbol))
          each_slot(rule, [&](const Slot& slot) {
            by_data = by_data || (slot.kind == Slot::Kind::read && inside(slot.symbol) &&
                                  pointer(slot) != nullptr);
          });
      if (!by_data) continue;
      ++circles;
      members_ = part;
    }
    return circles == 1;
  }

  /// The equations of a variable: a general one, and perhaps that of position 0.
  bool take(int number, LevelCircle& circle) const {
    const Symbol& s = model_.symbols[at(number)];
    if (s.kind != SymbolKind::variable || s.random() || s.category >= 0 || s.axes.size() != 1 ||
        !s.per_example || s.length >= 0)
      return false;
    if (circle.index < 0) circle.index = s.axes[0];
    if (circle.index != s.axes[0]) return false;
    int general = 0;
    for (const int r : s.rules) {
      const At& place = model_.rules[at(r)].places[0];
      if (place.kind == Place::Kind::letter) {
        circle.rules.push_back(r);
        ++general;
      } else if (place.kind == Place::Kind::number && place.offset == 0) {
        circle.boundaries[at(number)] = r;
      } else {
        return false;
      }
    }
    return general == 1;
  }

  bool fits(const Rule& rule, LevelCircle& circle) const {
    if (!rule.reductions.empty()) return false;
    for (const Slot& slot : model_.blocks[at(rule.block)].slots) {
      const bool inside = slot.kind == Slot::Kind::read &&
                          std::ranges::find(members_, slot.symbol) != members_.end();
      if (slot.kind == Slot::Kind::nll || slot.kind == Slot::Kind::reduction ||
          slot.kind == Slot::Kind::dropout ||
          (slot.kind == Slot::Kind::copy && !slot.places.empty()))
        return false;
      if (!inside) continue;
      if (const Symbol* held = pointer(slot))
        circle.positions.push_back(static_cast<int>(held - model_.symbols.data()));
      else if (slot.places[0].kind != Place::Kind::letter || slot.places[0].offset != 0)
        return false;
    }
    return true;
  }

  const ResolvedModel& model_;
  std::vector<int> members_;
};

}  // namespace

std::optional<LevelCircle> level_circle(const ResolvedModel& model) {
  return CircleSearch(model).run();
}

}  // namespace taugrad
