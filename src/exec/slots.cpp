#include <unordered_map>

#include "exec/planner.h"

namespace taugrad::exec {
namespace {

/// Slots by what they can hold: so many elements for each item, or in all.
class FreeSlots {
 public:
  std::vector<SlotId>& of(const Storage& s) {
    return lists_[s.elements * 2 + (s.extent == kShared ? 1 : 0)];
  }

 private:
  std::unordered_map<std::int64_t, std::vector<SlotId>> lists_;
};

template <class S>
class SlotSharing {
 public:
  SlotSharing(Plan<S>& plan, std::vector<Storage>& storages)
      : plan_(plan), storages_(storages), slot_of_(storages.size(), -1) {}

  void run(const std::vector<std::uint8_t>& in_place) {
    for (std::size_t i = 0; i < storages_.size(); ++i)
      if (storages_[i].leaf) slot_of_[i] = add_slot(storages_[i]);
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
      const Step<S>& step = plan_.steps[i];
      // Element by element, a result may take the place of an operand of its size that nobody reads
      // later.
      if (in_place[i] != 0) release(step, i);
      if (step.out >= 0) take(step.out);
      if (in_place[i] == 0) release(step, i);
    }
    for (Value& v : plan_.values) v.slot = slot_of_[static_cast<std::size_t>(v.slot)];
  }

 private:
  SlotId add_slot(const Storage& s) {
    plan_.slots.push_back({s.elements, s.name, s.leaf && s.extent == kShared});
    const auto slot = static_cast<SlotId>(plan_.slots.size() - 1);
    plan_.occupants.push_back({slot, s.extent});
    last_extent_.push_back(s.extent);
    return slot;
  }

  void take(ValueId out) {
    const auto number = static_cast<std::size_t>(plan_.values[static_cast<std::size_t>(out)].slot);
    Storage& s = storages_[number];
    if (slot_of_[number] >= 0) return;  // a further term of a sum
    auto& free = free_.of(s);
    if (free.empty()) {
      slot_of_[number] = add_slot(s);
    } else {
      const SlotId slot = free.back();
      free.pop_back();
      slot_of_[number] = slot;
      if (auto& last = last_extent_[static_cast<std::size_t>(slot)]; last != s.extent) {
        plan_.occupants.push_back({slot, s.extent});
        last = s.extent;
      }
    }
  }

  void release(const Step<S>& step, std::size_t number) {
    for (std::uint32_t k = 0; k < step.operand_count; ++k) {
      const ValueId operand = plan_.operands[step.first_operand + k];
      const auto storage =
          static_cast<std::size_t>(plan_.values[static_cast<std::size_t>(operand)].slot);
      Storage& s = storages_[storage];
      if (s.last_step != static_cast<std::int32_t>(number)) continue;
      free_.of(s).push_back(slot_of_[storage]);
      s.last_step = kForever;  // once, even where an operand is read twice
    }
  }

  Plan<S>& plan_;
  std::vector<Storage>& storages_;
  std::vector<SlotId> slot_of_;        // by storage
  std::vector<ExtentId> last_extent_;  // by slot
  FreeSlots free_;
};

}  // namespace

template <class S>
void share_slots(Plan<S>& plan, std::vector<Storage>& storages,
                 const std::vector<std::uint8_t>& in_place) {
  SlotSharing<S>(plan, storages).run(in_place);
}

template void share_slots(Plan<float>&, std::vector<Storage>&, const std::vector<std::uint8_t>&);
template void share_slots(Plan<double>&, std::vector<Storage>&, const std::vector<std::uint8_t>&);

}  // namespace taugrad::exec
