#include "runtime/slot_places.h"

#include <algorithm>
#include <cmath>

namespace taugrad::runtime {
namespace {

/// Equal in all that their places depend on.
bool stands_still(const plan::Slot& a, const plan::Slot& b) {
  return a.elements == b.elements && a.outside == b.outside && a.extent == b.extent;
}

}  // namespace

template <class S>
SlotPlaces<S>::SlotPlaces(const plan::Plan<S>& plan)
    : plan_(plan), plain_(plan.slots.law() == nullptr) {
  split();
  for (const Part& part : parts_) {
    if (part.may_be_even) continue;
    for (std::size_t i = part.begin; i < part.end(); ++i)
      if (plan.slots[i].outside) outside_.push_back(static_cast<plan::SlotId>(i));
  }
  given_.resize(outside_.size());
}

template <class S>
void SlotPlaces<S>::split() {
  if (plain_) {
    parts_ = {{0, 1, plan_.slots.size()}};
    return;
  }
  for (const plan::Stretches::Piece& piece : plan_.slots.law()->pieces()) {
    Part part{piece.begin, piece.length, piece.count};
    part.may_be_even = piece.count >= kFewTimes;
    for (std::size_t i = piece.begin; part.may_be_even && i < piece.begin + piece.length; ++i) {
      const plan::Slot slot = plan_.slots[i];
      part.may_be_even = !slot.outside && stands_still(slot, plan_.slots[i + piece.length]);
    }
    parts_.push_back(part);
  }
}

template <class S>
double SlotPlaces<S>::bytes_of(std::size_t slot, const Placement& placed) const {
  const plan::Slot s = plan_.slots[slot];
  if (s.outside) return 0;
  if (!shared_.empty()) return shared_[slot];
  return static_cast<double>(s.elements) * static_cast<double>(placed.rows[s.extent]) * sizeof(S);
}

/// Bytes by slot, the most that any of its values needs.
template <class S>
void SlotPlaces<S>::count_shared(const Placement& placed) {
  shared_.clear();
  if (plan_.occupants.empty()) return;
  std::vector<double> bytes(plan_.slots.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = bytes_of(i, placed);
  for (const plan::Occupant o : plan_.occupants) {
    const plan::Slot s = plan_.slots[static_cast<std::size_t>(o.slot)];
    // as a double: exact as far as memory reaches, and never overflows
    const double needs =
        static_cast<double>(s.elements) * static_cast<double>(placed.rows[o.extent]) * sizeof(S);
    double& most = bytes[static_cast<std::size_t>(o.slot)];
    if (!s.outside) most = std::max(most, needs);
  }
  shared_ = std::move(bytes);
}

/// A slot starts on a cache line; those that fill less than one lie side by side, so that the rows
/// of many steps follow one another.
template <class S>
double SlotPlaces<S>::begin_of(double bytes, double offset) {
  return bytes < kLine ? offset : std::ceil(offset / kLine) * kLine;
}

/// Slots [begin, end), from an offset on. @return where they end
template <class S>
double SlotPlaces<S>::add(std::size_t begin, std::size_t end, double offset,
                          const Placement& placed) {
  for (std::size_t i = begin; i < end; ++i) {
    const double bytes = bytes_of(i, placed);
    offset = begin_of(bytes, offset);
    offset_.push_back(offset);
    offset += bytes;
  }
  return offset;
}

/// A part's slots: the first two times, and where the third lies as far behind the second as all
/// later ones lie apart, no more.
template <class S>
double SlotPlaces<S>::add(Part& part, double offset, const Placement& placed) {
  part.first = offset_.size();
  part.apart = 0;
  if (!part.may_be_even || !shared_.empty()) return add(part.begin, part.end(), offset, placed);
  const std::size_t n = part.length;
  offset = add(part.begin, part.begin + n, offset, placed);
  const double second = add(part.begin + n, part.begin + 2 * n, offset, placed);
  const double third = add(part.begin + 2 * n, part.begin + 3 * n, second, placed);
  const double apart = third - second;
  bool even = true, lines = false;
  for (std::size_t r = 0; r < n; ++r) {
    const double* const at = offset_.data() + part.first + n + r;
    even = even && at[n] - at[0] == apart;
    lines = lines || bytes_of(part.begin + r, placed) >= kLine;
  }
  if (!even || apart == 0 || (lines && std::fmod(apart, kLine) != 0))
    return add(part.begin + 3 * n, part.end(), third, placed);
  offset_.resize(part.first + 2 * n);
  part.apart = apart;
  return third + apart * static_cast<double>(part.count - 3);
}

template <class S>
double SlotPlaces<S>::lay_out(const Placement& placed) {
  base_.clear();
  offset_.clear();
  count_shared(placed);
  double offset = 0;
  for (Part& part : parts_) offset = add(part, offset, placed);
  return offset;
}

template <class S>
void SlotPlaces<S>::lie_at(S* arena) {
  base_.resize(offset_.size());
  for (std::size_t i = 0; i < base_.size(); ++i)
    base_[i] = arena + static_cast<std::size_t>(offset_[i]) / sizeof(S);
  for (std::size_t k = 0; k < outside_.size(); ++k)
    base_[number_of(static_cast<std::size_t>(outside_[k]))] = given_[k];
}

template <class S>
std::map<std::string_view, double> SlotPlaces<S>::bytes_by_name(const Placement& placed) const {
  std::map<std::string_view, double> bytes;
  for (std::size_t i = 0; i < plan_.slots.size(); ++i)
    bytes[plan_.names[plan_.slots[i].name]] += bytes_of(i, placed);
  return bytes;
}

template <class S>
void SlotPlaces<S>::set(plan::SlotId slot, S* place) {
  const auto found = std::ranges::lower_bound(outside_, slot);
  given_[static_cast<std::size_t>(found - outside_.begin())] = place;
  if (!base_.empty()) base_[number_of(static_cast<std::size_t>(slot))] = place;
}

template <class S>
std::size_t SlotPlaces<S>::even_times(plan::SlotId a, plan::SlotId b) const {
  const std::int64_t apart = std::int64_t{b} - a;
  if (apart == 0) return plan_.slots.size();
  const Part& part = part_of(static_cast<std::size_t>(a));
  const auto first = static_cast<std::int64_t>(part.begin + part.length),  // of the second time
      last = static_cast<std::int64_t>(part.end()) - 1;
  if (part.apart == 0 || apart % static_cast<std::int64_t>(part.length) != 0 || a < first) return 1;
  return static_cast<std::size_t>(apart > 0 ? (last - a) / apart : (a - first) / -apart) + 1;
}

template <class S>
plan::SlotId SlotPlaces<S>::missing() const {
  const auto found = std::ranges::find(given_, nullptr);
  return found == given_.end() ? -1 : outside_[static_cast<std::size_t>(found - given_.begin())];
}

template <class S>
const typename SlotPlaces<S>::Part& SlotPlaces<S>::part_of(std::size_t slot) const {
  return *(std::ranges::upper_bound(parts_, slot, {}, &Part::begin) - 1);
}

/// In base_, of a slot that is kept by itself.
template <class S>
std::size_t SlotPlaces<S>::number_of(std::size_t slot) const {
  const Part& part = part_of(slot);
  return part.first + slot - part.begin;
}

template <class S>
S* SlotPlaces<S>::place_of(std::size_t slot) const {
  const Part& part = part_of(slot);
  const std::size_t in = slot - part.begin;
  if (part.apart == 0 || in < 2 * part.length) return base_[part.first + in];
  const std::size_t time = in / part.length, row = in % part.length;
  return base_[part.first + part.length + row] + static_cast<std::int64_t>(part.apart) /
                                                     static_cast<std::int64_t>(sizeof(S)) *
                                                     static_cast<std::int64_t>(time - 1);
}

template class SlotPlaces<float>;
template class SlotPlaces<double>;

}  // namespace taugrad::runtime
