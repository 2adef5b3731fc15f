#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "language/resolve/resolved_model.h"
#include "taugrad/language/mode.h"
#include "taugrad/unfold/unfold.h"

namespace taugrad {

/// One value that equations read at an earlier step: what a segment hands on to the next. (R19)
struct StateSlot {
  int symbol = -1;
  bool nll = false;     ///< its likelihood instead of its value
  bool pinned = false;  ///< at one position of the sequence, h[1], for good
  int at = 0;           ///< steps from the last one that was made: 0, -1, ..; pinned: the position
  std::vector<std::int32_t> others = {};  ///< positions along its other indices, in their order
  auto operator<=>(const StateSlot&) const = default;
};

/// What an unfolding of a segment takes beside the lengths, which count the steps before it too.
struct Segment {
  int length = -1;         ///< number of the length that the sequence is cut along
  std::int64_t first = 0;  ///< steps before it; what stands there is read from leaves "state"
  bool moves = false;      ///< stands for every later one: equations read t from the leaf "steps"
  std::int64_t from = 0;   ///< steps before, >= first, whose part of the loss is not this one's
  std::int64_t fixed = 0;  ///< the last position that an equation names
  std::int64_t apart = 0;  ///< after so many steps what looks back does not meet that position
  std::int64_t hand_on = -1;  ///< steps of this one after which the state is told; -1: at its end
  std::vector<StateSlot> slots = {};                ///< what to tell then
  std::vector<char> values = {}, likelihoods = {};  ///< by symbol: whether any is asked for
  bool loss = false, ends = false;
};

/// What is asked of a sequence that runs a segment after another.
struct SegmentRequest {
  std::vector<std::string> values = {}, likelihoods = {};  ///< names of variables
  bool loss = false;
  bool ends = false;   ///< where a sequence stops
  bool train = false;  ///< dropout is active
  Modes modes = {};
};

/// How a sequence can run a segment after another: which values are handed on, and from where on
/// all segments are alike. Of several lengths it is the first along which all that is asked for can
/// be handed on.
class Segments {
 public:
  /// @throws Error (G040) naming what cannot be handed on, and why, where something that is asked
  /// for needs it
  Segments(std::shared_ptr<const ResolvedModel> model, const SegmentRequest& request);

  int length() const { return length_; }
  const std::string& length_name() const;
  /// Segments that begin after so many steps are alike; -1: none are, each has its own graph.
  std::int64_t settled() const { return settled_; }
  const std::shared_ptr<const ResolvedModel>& model() const { return model_; }

  /// What is handed on where the other lengths are these, by number; that of the cut is not read.
  const std::vector<StateSlot>& slots(std::vector<std::int64_t> lengths);
  /// The segment after `first` steps, whose part of the loss begins after `from` (-1: first). One
  /// for all segments after settled() steps or more.
  Segment segment(std::int64_t first, const std::vector<std::int64_t>& lengths,
                  std::int64_t from = -1, std::int64_t hand_on = -1);
  /// How it is unfolded to so many steps.
  UnfoldOptions unfolding(const Segment& s, std::int64_t steps,
                          const std::vector<std::int64_t>& lengths) const;

 private:
  std::vector<StateSlot> found(const std::vector<std::int64_t>& lengths) const;
  std::shared_ptr<const ResolvedModel> model_;
  int length_ = -1;
  std::int64_t settled_ = 0;
  SegmentRequest request_;
  Segment wanted_;
  std::map<std::vector<std::int64_t>, std::vector<StateSlot>> slots_;
};

/// "h[t]", "h[t-2]", "h[1]", "p[i,3]", "nll:y[t]": the name of a slot's tensor.
std::string slot_name(const ResolvedModel& model, int length, const StateSlot& slot);
/// The input that says which targets of a random variable a loss counts: 1, or 0 where the target
/// is not given. Its positions are those of the variable.
inline std::string counted_input(std::string_view variable) {
  return "counted:" + std::string(variable);
}
/// The axis of a symbol along a length, or -1.
int axis_along(const ResolvedModel& model, const Symbol& s, int length);

/// What a segment's graph has beside the other nodes.
struct SegmentNodes {
  Segment of;
  std::vector<StateSlot> slots;  ///< those of Segment, and others that are read
  std::vector<NodeId> read;      ///< their leaves; -1: none reads it
  std::vector<NodeId> told;      ///< their values afterwards; -1 of those that Segment has not
  NodeId steps = -1;             ///< the leaf with the steps before it; -1: none reads it
};

/// Walks the equations that are needed for what is asked for, and refuses what looks ahead.
class SegmentRules {
 public:
  SegmentRules(const ResolvedModel& model, int length, const SegmentRequest& request);
  /// Finds what is needed for what is asked for. @throws Error (G040)
  void require(Segment& wanted);
  std::int64_t fixed() const { return fixed_; }      ///< the last position that an equation names
  std::int64_t deepest() const { return deepest_; }  ///< steps that an equation looks back
  bool alike() const { return alike_; }

 private:
  struct Reader {  ///< an equation, a loss term
    std::string name;
    const Symbol* symbol = nullptr;
    const Rule* rule = nullptr;
    const std::vector<int>* letters = nullptr;
    const Text* text = nullptr;
  };
  bool along(int index) const {
    return model_.index_length[static_cast<std::size_t>(index)] == length_;
  }
  bool follows(int index) const {  ///< its length is arithmetic of others (R17)
    return model_.is_derived(model_.index_length[static_cast<std::size_t>(index)]);
  }
  void need(int symbol, bool nll);
  void walk(int block, const Reader& reader);
  void walk_slot(const Slot& slot, const Reader& reader);
  void walk_places(const Slot& slot, const Reader& reader);
  void walk_rule(const Rule& rule);
  void check_draws(const Reader& reader, const std::string& what) const;
  [[noreturn]] void refuse(const Reader& reader, const std::string& why) const;
  std::int64_t least_position(const Reader& reader) const;

  const ResolvedModel& model_;
  int length_;
  const SegmentRequest& request_;
  std::vector<char> values_, likelihoods_;
  std::vector<int> open_;  ///< 2 symbol + nll
  std::int64_t fixed_ = 0, deepest_ = 0;
  bool alike_ = true;
};

}  // namespace taugrad
