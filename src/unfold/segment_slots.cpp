// Which length a sequence is cut along, and what is handed on.                              (R19)
#include <algorithm>
#include <optional>

#include "base/fail.h"
#include "taugrad/unfold/unfold.h"
#include "unfold/segments.h"

namespace taugrad {

Segments::Segments(std::shared_ptr<const ResolvedModel> model, const SegmentRequest& request)
    : model_(std::move(model)), request_(request) {
  std::optional<Error> first;
  for (std::size_t l = 0; l < model_->lengths.size() && length_ < 0; ++l) {
    if (model_->fixed_lengths[l] >= 0 || model_->is_derived(l)) continue;
    SegmentRules rules(*model_, static_cast<int>(l), request);
    try {
      rules.require(wanted_);
    } catch (const Error& e) {
      if (!first) first = e;
      continue;
    }
    length_ = static_cast<int>(l);
    settled_ = rules.alike() ? rules.fixed() : -1;
    wanted_.fixed = rules.fixed();
    wanted_.apart = rules.fixed() + rules.deepest() + 1;
  }
  if (length_ < 0 && first) throw Error(*first);
  if (length_ < 0)
    fail(Status::bad_input, "G040", "\"{}\" has no length that is known only when it runs",
         model_->system.name);
  wanted_.length = length_;
}

const std::string& Segments::length_name() const {
  return model_->lengths[static_cast<std::size_t>(length_)];
}

Segment Segments::segment(std::int64_t first, const std::vector<std::int64_t>& lengths,
                          std::int64_t from, std::int64_t hand_on) {
  Segment s = wanted_;
  s.slots = slots(lengths);
  s.moves = settled_ >= 0 && first >= std::max<std::int64_t>(settled_, 1);
  s.first = s.moves ? s.apart : first;
  s.from = from < 0 ? s.first : s.first + (from - first);
  s.hand_on = hand_on;
  return s;
}

UnfoldOptions Segments::unfolding(const Segment& s, std::int64_t steps,
                                  const std::vector<std::int64_t>& lengths) const {
  UnfoldOptions o{.train = request_.train, .modes = request_.modes};
  for (std::size_t l = 0; l < lengths.size(); ++l) o.lengths[model_->lengths[l]] = lengths[l];
  o.lengths[length_name()] = s.first + steps;
  o.segment = std::make_shared<const Segment>(s);
  return o;
}

const std::vector<StateSlot>& Segments::slots(std::vector<std::int64_t> lengths) {
  lengths[static_cast<std::size_t>(length_)] = 0;
  const auto known = slots_.find(lengths);
  if (known != slots_.end()) return known->second;
  return slots_.emplace(lengths, found(lengths)).first->second;
}

// What one step reads of earlier ones, and what of that must be known before it to be told after
// it; of every step that has equations of its own, and of all later ones.
std::vector<StateSlot> Segments::found(const std::vector<std::int64_t>& lengths) const {
  std::vector<std::int64_t> firsts = {wanted_.apart};
  for (std::int64_t first = 1; first < wanted_.fixed; ++first) firsts.push_back(first);
  std::vector<StateSlot> slots;
  for (bool more = true; more;) {
    const std::size_t before = slots.size();
    for (const std::int64_t first : firsts) {
      Segment s = wanted_;
      s.first = s.from = first;
      s.slots = slots;
      slots = unfold(model_, unfolding(s, 1, lengths)).segment()->slots;
    }
    more = slots.size() > before;
  }
  return slots;
}

}  // namespace taugrad
