#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "plan/plan_builder.h"

namespace taugrad::plan {

/// Cuts regions that are too long along the tape. Where nodes belong to the steps of a sequence, a
/// cut falls between two steps, and only between the 2nd and 3rd, the 4th and 5th .. where steps
/// are short: then all steps, or all pairs of steps .., are cut alike, and the plan of many steps
/// goes on as that of a few does. Steps that run side by side are cut apart.
class RegionCuts {
 public:
  /// @param root  by node: the node that stands for the whole region
  RegionCuts(const PlanBuilder& draft, const std::vector<NodeId>& root);

  /// The number of a fused node's region. Nodes come in tape order.
  std::int32_t number(NodeId id);
  std::int32_t regions() const { return regions_; }
  /// Steps between two cuts of a region that goes through the sequence: the plan comes again after
  /// so many.
  std::int32_t together() const;

 private:
  static constexpr std::int64_t kMostNodes = 48;  ///< of a region
  static constexpr std::int32_t kMostSteps = 8;   ///< between two cuts
  static constexpr std::int32_t kManySteps = 8;   ///< a whole sequence
  static constexpr std::int32_t kNone = -1;

  /// Positions along a letter.
  struct Range {
    std::int32_t letter = kNone, low = 0, high = 0;
    std::int32_t length() const { return letter == kNone ? 0 : high - low + 1; }
  };
  /// A region before it is cut. Its steps are told apart by the letter with most positions.
  struct Whole {
    std::int64_t nodes = 0;
    std::array<Range, 2> ranges = {};  ///< the one with most positions first
    std::int64_t stretches = 1;        ///< of nodes of one step, side by side on the tape
    std::int64_t handed_on = 0;        ///< values that a step reads of one just before or after it
    std::int32_t last = 0;             ///< the step of the node before
    std::int32_t together = 1;         ///< steps between two cuts
    // of the part at hand
    std::int32_t open = kNone;
    std::int64_t count = 0;
    std::int32_t block = 0;
    bool has_steps() const { return ranges[0].length() > 1; }
    /// Steps that wait for each other; others run side by side, the shorter the better.
    bool chain() const { return 2 * handed_on >= stretches; }
    bool goes_through() const { return ranges[0].length() >= kManySteps; }
    bool cut_at_steps() const {
      return has_steps() && (nodes > kMostNodes || (goes_through() && !chain()));
    }
  };

  void add(NodeId id, Whole& whole);
  void count_stretches();
  void count_handed_on(NodeId id, std::int32_t step);
  const std::vector<std::int32_t>& letters_of(NodeId id);
  bool has_step(NodeId id, std::int32_t letter, std::int32_t& step);
  bool counts(NodeId id) const {
    return draft_.needed[at(id)] && draft_.form[at(id)] == Form::fused;
  }
  Whole& whole(NodeId id) { return wholes_[static_cast<std::size_t>(whole_[at(id)])]; }

  const PlanBuilder& draft_;
  std::vector<std::int32_t> whole_;  // by node: in wholes_
  std::vector<Whole> wholes_;
  std::vector<std::string> letters_;
  std::vector<std::vector<std::int32_t>> by_name_;  // letters of its index
  std::vector<std::uint8_t> known_;                 // by name: in by_name_
  std::int32_t regions_ = 0;
};

}  // namespace taugrad::plan
