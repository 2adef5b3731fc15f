#include "plan/lower/region_cuts.h"

#include <algorithm>
#include <cstdlib>

namespace taugrad::plan {
namespace {

/// Rounded towards the first position.
std::int32_t block_of(std::int32_t step, std::int32_t together) {
  const std::int32_t n = step - 1;
  return n >= 0 ? n / together : -((together - 1 - n) / together);
}

}  // namespace

RegionCuts::RegionCuts(const PlanBuilder& draft, const std::vector<NodeId>& root) : draft_(draft) {
  whole_.assign(static_cast<std::size_t>(draft.size()), kNone);
  for (NodeId id = 0; id < draft.size(); ++id) {
    if (!counts(id)) continue;
    std::int32_t& number = whole_[at(root[at(id)])];
    if (number == kNone) {
      number = static_cast<std::int32_t>(wholes_.size());
      wholes_.emplace_back();
    }
    whole_[at(id)] = number;
    add(id, whole(id));
  }
  for (Whole& w : wholes_)
    if (w.ranges[1].length() > w.ranges[0].length()) std::swap(w.ranges[0], w.ranges[1]);
  count_stretches();
}

/// The letters of a node's index, numbered.
const std::vector<std::int32_t>& RegionCuts::letters_of(NodeId id) {
  const std::size_t name = draft_.tape.name_id(id);
  if (name >= known_.size()) {
    known_.resize(name + 1);
    by_name_.resize(name + 1);
  }
  if (known_[name] != 0) return by_name_[name];
  known_[name] = 1;
  for (const std::string& letter : draft_.tape.letters_of(draft_.tape.name_id(id))) {
    const auto found = std::ranges::find(letters_, letter);
    by_name_[name].push_back(static_cast<std::int32_t>(found - letters_.begin()));
    if (found == letters_.end()) letters_.push_back(letter);
  }
  return by_name_[name];
}

bool RegionCuts::has_step(NodeId id, std::int32_t letter, std::int32_t& step) {
  const auto& letters = letters_of(id);
  const auto index = draft_.tape.index(id);
  for (std::size_t axis = 0; axis < std::min(letters.size(), index.size()); ++axis)
    if (letters[axis] == letter) {
      step = index[axis];
      return true;
    }
  return false;
}

/// Positions along the first two letters that are met: more are no sequence.
void RegionCuts::add(NodeId id, Whole& whole) {
  ++whole.nodes;
  const auto& letters = letters_of(id);
  const auto index = draft_.tape.index(id);
  for (std::size_t axis = 0; axis < std::min(letters.size(), index.size()); ++axis)
    for (Range& r : whole.ranges) {
      if (r.letter == kNone) r = {letters[axis], index[axis], index[axis]};
      if (r.letter != letters[axis]) continue;
      r.low = std::min(r.low, index[axis]);
      r.high = std::max(r.high, index[axis]);
      break;
    }
}

/// How many steps fit between two cuts: a power of two, so that what several regions ask for fits
/// together.
void RegionCuts::count_stretches() {
  for (NodeId id = 0; id < draft_.size(); ++id) {
    if (!counts(id)) continue;
    Whole& w = whole(id);
    std::int32_t step = w.last;
    if (!w.has_steps() || !has_step(id, w.ranges[0].letter, step)) continue;
    w.stretches += step != w.last;
    w.last = step;
    count_handed_on(id, step);
  }
  for (Whole& w : wholes_)
    while (w.has_steps() && w.chain() && w.together < kMostSteps &&
           2 * w.together * w.nodes <= kMostNodes * w.stretches)
      w.together *= 2;
}

void RegionCuts::count_handed_on(NodeId id, std::int32_t step) {
  constexpr std::int32_t kFar = 4;
  Whole& w = whole(id);
  draft_.each_read(id, [&](const Read& read) {
    std::int32_t other = 0;
    if (whole_[at(read.node)] != whole_[at(id)] || !counts(read.node) ||
        !has_step(read.node, w.ranges[0].letter, other))
      return;
    w.handed_on += other != step && std::abs(other - step) <= kFar;
  });
}

std::int32_t RegionCuts::together() const {
  std::int32_t most = 1;
  for (const Whole& w : wholes_)
    if (w.nodes > kMostNodes || w.goes_through()) most = std::max(most, w.together);
  return most;
}

std::int32_t RegionCuts::number(NodeId id) {
  Whole& w = whole(id);
  std::int32_t block = w.block, step = 0;
  if (w.cut_at_steps() && has_step(id, w.ranges[0].letter, step))
    block = block_of(step, w.together);
  if (w.open == kNone || w.count >= kMostNodes || block != w.block) {
    w.open = regions_++;
    w.count = 0;
  }
  w.block = block;
  ++w.count;
  return w.open;
}

}  // namespace taugrad::plan
