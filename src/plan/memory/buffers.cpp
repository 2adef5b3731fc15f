#include "plan/memory/buffers.h"

#include <unordered_map>

#include "base/index.h"

namespace taugrad::plan {
namespace {

template <class S>
class Slots {
 public:
  Slots(Plan<S>& plan, Column<Storage>& storages)
      : plan_(plan),
        storages_(storages),
        same_(storages.size(), -1),
        taken_(storages.size(), -1),
        slot_(storages.size(), -1) {}

  void run(bool reuse) {
    if (reuse) take_over();
    for (std::size_t i = 0; i < storages_.size(); ++i)
      if (storages_[i].leaf || storages_[i].born < 0) slot_[i] = add_slot(storages_[i]);
    sort_by_step();
    for (std::size_t step = 0; step < plan_.steps.size(); ++step) {
      for (const std::int32_t s : list(born_, step)) give(s);
      if (!reuse) continue;
      for (const std::int32_t s : list(dead_, step))
        free_[kind(storages_[at(s)])].push_back(slot_[at(s)]);
    }
    for (Value& v : plan_.values) v.slot = slot_[at(root(v.slot))];
  }

 private:
  /// Storages by step, those of a step side by side.
  struct ByStep {
    std::vector<std::int32_t> first, item;
  };
  static std::int64_t kind(const Storage& s) {  // what a slot can hold: elements a row, or in all
    return s.elements * 2 + (s.extent == kShared ? 1 : 0);
  }
  static std::span<const std::int32_t> list(const ByStep& by, std::size_t step) {
    const auto from = at(by.first[step]);
    return {by.item.data() + from, at(by.first[step + 1]) - from};
  }
  std::int32_t root(std::int32_t s) const {
    while (same_[at(s)] >= 0) s = same_[at(s)];
    return s;
  }

  SlotId add_slot(const Storage& s) {
    plan_.slots.push_back({s.elements, s.name, s.leaf && s.extent == kShared, s.extent});
    return static_cast<SlotId>(plan_.slots.size() - 1);
  }

  void give(std::int32_t number) {
    const Storage& s = storages_[at(number)];
    auto& free = free_[kind(s)];
    if (free.empty()) {
      slot_[at(number)] = add_slot(s);
      return;
    }
    slot_[at(number)] = free.back();
    free.pop_back();
    occupy(slot_[at(number)], s.extent);
  }
  void occupy(SlotId slot, ExtentId extent) {
    if (plan_.slots[at(slot)].extent != extent) plan_.occupants.push_back({slot, extent});
  }

  template <class Step>
  ByStep sorted(const Step& step_of) const {
    ByStep by;
    by.first.assign(plan_.steps.size() + 1, 0);
    for (std::size_t i = 0; i < storages_.size(); ++i)
      if (const std::int32_t step = step_of(i); step >= 0) ++by.first[at(step) + 1];
    for (std::size_t i = 1; i < by.first.size(); ++i) by.first[i] += by.first[i - 1];
    by.item.resize(at(by.first.back()));
    std::vector<std::int32_t> next(by.first.begin(), by.first.end() - 1);
    for (std::size_t i = 0; i < storages_.size(); ++i)
      if (const std::int32_t step = step_of(i); step >= 0)
        by.item[at(next[at(step)]++)] = static_cast<std::int32_t>(i);
    return by;
  }

  void sort_by_step() {
    const auto mine = [&](std::size_t i) { return same_[i] < 0 && slot_[i] < 0; };
    born_ = sorted([&](std::size_t i) { return mine(i) ? storages_[i].born : -1; });
    dead_ = sorted(
        [&](std::size_t i) { return mine(i) && !storages_[i].forever ? storages_[i].dies : -1; });
  }

  /// Element by element, a result may lie on an operand that nobody reads later.
  void take_over() {
    for (std::size_t step = 0; step < plan_.steps.size(); ++step) {
      const Step<S>& s = plan_.steps[step];
      if (s.form != Form::fused) continue;
      const RegionProgram<S>& program = plan_.programs[at(s.program)];
      const auto streams = static_cast<std::uint32_t>(program.apart.size());
      for (std::uint32_t i = 0; i < s.operand_count; i += streams)
        take_over(program, {plan_.operands.begin() + s.first_operand + i, streams},
                  static_cast<std::int32_t>(step));
    }
  }

  void take_over(const RegionProgram<S>& program, std::span<const ValueId> streams,
                 std::int32_t step) {
    for (std::size_t out = 0; out < streams.size(); ++out) {
      if (program.first_write[out] < 0 || program.apart[out] != 0) continue;
      const std::int32_t result = plan_.values[at(streams[out])].slot;
      if (same_[at(result)] >= 0 || storages_[at(result)].born != step || !whole(streams[out]))
        continue;
      for (std::size_t in = 0; in < streams.size(); ++in) {
        if (program.first_write[in] >= 0 || program.apart[in] != 0 ||
            program.last_read[in] > program.first_write[out])
          continue;
        if (can_take(streams[in], streams[out], step)) {
          const std::int32_t operand = root(plan_.values[at(streams[in])].slot);
          same_[at(result)] = operand;
          taken_[at(operand)] = step;
          join(storages_[at(operand)], storages_[at(result)]);
          break;
        }
      }
    }
  }

  bool whole(ValueId id) const {
    const Value& v = plan_.values[at(id)];
    return v.offset == 0 && v.stride == v.elements && v.elements == storages_[at(v.slot)].elements;
  }

  /// Also a result that no later step reads has its place for itself in its own step: the region
  /// may read it there after another result is written.
  bool can_take(ValueId operand, ValueId result, std::int32_t step) const {
    const std::int32_t place = root(plan_.values[at(operand)].slot);
    const Storage& s = storages_[at(place)];
    const Storage& r = storages_[at(plan_.values[at(result)].slot)];
    return taken_[at(place)] != step && !s.leaf && !s.forever && s.dies == step && !s.many &&
           whole(operand) && kind(s) == kind(r);
  }

  void join(Storage& operand, const Storage& result) {
    operand.dies = result.dies;
    operand.many = result.many;
    operand.forever = result.forever;
    joined_.emplace_back(&operand, result.extent);
  }

  Plan<S>& plan_;
  Column<Storage>& storages_;
  std::vector<std::int32_t> same_;   // by storage: the one whose place it takes; -1
  std::vector<std::int32_t> taken_;  // by storage: the last step where another took its place
  std::vector<SlotId> slot_;         // by storage
  ByStep born_, dead_;
  std::unordered_map<std::int64_t, std::vector<SlotId>> free_;
  std::vector<std::pair<const Storage*, ExtentId>> joined_;

 public:
  /// Slots hold rows for every value that takes them over.
  void finish() {
    for (const auto& [storage, extent] : joined_)
      occupy(slot_[static_cast<std::size_t>(storage - storages_.data())], extent);
  }
};

}  // namespace

template <class S>
void assign_slots(Plan<S>& plan, Column<Storage>& storages, bool reuse) {
  Slots<S> slots(plan, storages);
  slots.run(reuse);
  slots.finish();
}

template void assign_slots(Plan<float>&, Column<Storage>&, bool);
template void assign_slots(Plan<double>&, Column<Storage>&, bool);

}  // namespace taugrad::plan
