#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "plan/plan.h"
#include "runtime/batch.h"

namespace taugrad::runtime {

/// Where the slots of a plan lie for one batch. Slots that a law tells, and that come again many
/// times, lie at one distance from time to time, as long as they hold as many rows each time.
template <class S>
class SlotPlaces {
 public:
  explicit SlotPlaces(const plan::Plan<S>& plan);

  /// Finds the places. @return the bytes that they take, as a double: a plan may ask for more than
  /// any integer type counts
  double lay_out(const Placement& placed);
  /// Those places, from `arena` on.
  void lie_at(S* arena);
  /// Bytes by name of what lies in the slots, of lay_out.
  std::map<std::string_view, double> bytes_by_name(const Placement& placed) const;

  S* of(plan::SlotId slot) const {
    const auto i = static_cast<std::size_t>(slot);
    return plain_ ? base_[i] : place_of(i);
  }
  /// How many of the slots `a`, `b`, and so on lie at one distance.
  std::size_t even_times(plan::SlotId a, plan::SlotId b) const;
  /// Where the numbers of a shared leaf are.
  void set(plan::SlotId slot, S* place);
  /// The slot of a shared leaf that has not been given; -1: there is none.
  plan::SlotId missing() const;

 private:
  /// Slots one after another whose places are kept one by one, or for the first time and the
  /// second.
  struct Part {
    std::size_t begin, length, count;  ///< its first slot; how many come how often
    std::size_t first = 0;             ///< in base_
    bool may_be_even = false;          ///< alike from time to time, and in the arena
    double apart = 0;                  ///< bytes, from the second time on; 0: kept one by one
    std::size_t end() const { return begin + length * count; }
  };
  static constexpr std::size_t kFewTimes = 8;  ///< are kept one by one
  static constexpr double kLine = 64;          ///< bytes of a cache line

  static double begin_of(double bytes, double offset);
  double bytes_of(std::size_t slot, const Placement& placed) const;
  void split();
  void count_shared(const Placement& placed);
  double add(std::size_t begin, std::size_t end, double offset, const Placement& placed);
  double add(Part& part, double offset, const Placement& placed);
  const Part& part_of(std::size_t slot) const;
  std::size_t number_of(std::size_t slot) const;
  S* place_of(std::size_t slot) const;

  const plan::Plan<S>& plan_;
  bool plain_;                         // one part, one by one
  std::vector<plan::SlotId> outside_;  // ascending
  std::vector<S*> given_;              // by outside_; null: not yet
  std::vector<Part> parts_;
  std::vector<double> shared_;  // by slot: bytes for all that lie there in turn; empty: none does
  std::vector<double> offset_;  // bytes, as base_ stands; until lie_at
  std::vector<S*> base_;
};

}  // namespace taugrad::runtime
