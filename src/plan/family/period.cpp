#include "plan/family/period.h"

#include <algorithm>

#include "plan/family/lesson.h"
#include "plan/family/shorten.h"

namespace taugrad::plan {
namespace {

/// How short the three tapes are: how often the repeat that comes least often comes in the first,
/// and how many times more in the next ones. Both directions of a sequence meet in its middle: what
/// they make there is another for odd lengths than for even ones. What skips two or three steps may
/// run two or three of them at once.
struct Attempt {
  std::int32_t least, step;
  std::int32_t worth;  ///< the long tape has at least so many times the nodes of a short one
};
constexpr Attempt kAttempts[] = {{7, 1, 3}, {16, 2, 4}, {18, 6, 4}};
/// How many samples behind the third one lies the one that proves the law, in which it took no
/// part.
constexpr std::int32_t kProof = 5;
constexpr std::int32_t kMostApart = 16;  ///< times that repeats over the same steps may differ by

/// The repeats over the same steps as the one of most nodes.
std::vector<Repeat> of_one_length(std::vector<Repeat> repeats) {
  if (repeats.empty()) return repeats;
  const auto nodes = [](const Repeat& r) { return r.length * r.count; };
  const std::int32_t count = std::ranges::max_element(repeats, {}, nodes)->count;
  std::erase_if(repeats, [&](const Repeat& r) { return std::abs(r.count - count) > kMostApart; });
  return repeats;
}

/// How many times of each repeat to leave out of the longest of the three; 0 where they would not
/// be much less than the long one.
std::int32_t times_to_spare(const Tape& tape, std::span<const Repeat> repeats, Attempt attempt) {
  if (repeats.empty()) return 0;
  const std::int32_t least = std::ranges::min_element(repeats, {}, &Repeat::count)->count;
  std::int32_t spare = least - attempt.least - 2 * attempt.step;
  spare -= spare % attempt.step;
  std::int64_t left = tape.size();
  for (const Repeat& r : repeats) left -= std::int64_t{r.length} * spare;
  return spare > 0 && attempt.worth * left < tape.size() ? spare : 0;
}

template <class S>
Sample<S> sample_of(const Shortened& s, PassSet passes) {
  return {emit<S>(s.graph.tape(), s.outputs, passes, s.long_sum), s.lists};
}

/// From the shortest of the tapes to the longest.
template <class S>
std::optional<Lesson<S>> lesson_of(const Shortened& longest, PassSet passes, std::int32_t step) {
  std::array<Sample<S>, 3> samples;
  samples[2] = sample_of<S>(longest, passes);
  if (!samples[2].emission.plan.owners.empty())
    return std::nullopt;  // short tapes tell no position
  for (const std::int32_t i : {1, 0}) {
    const auto shorter = shorten(longest.graph.tape(), longest.outputs, longest.long_sum,
                                 longest.repeats, (2 - i) * step);
    if (!shorter) return std::nullopt;
    samples[static_cast<std::size_t>(i)] = sample_of<S>(*shorter, passes);
  }
  return Lesson<S>::of(std::move(samples));
}

template <class S>
std::optional<Emission<S>> emit_from(const Tape& tape, std::span<const NodeId> outputs,
                                     PassSet passes, std::span<const Repeat> repeats,
                                     Attempt attempt) {
  const std::int32_t spare = times_to_spare(tape, repeats, attempt);
  if (spare == 0) return std::nullopt;
  const std::optional<Shortened> longest = shorten(tape, outputs, {}, repeats, spare);
  if (!longest) return std::nullopt;
  const std::int64_t sample = 2 + spare / attempt.step;
  const auto lesson = lesson_of<S>(*longest, passes, attempt.step);
  if (!lesson || !lesson->foretells(sample, longest->whole_lists)) return std::nullopt;
  const std::int32_t more = kProof * attempt.step;
  if (spare <= more) return std::nullopt;
  const std::optional<Shortened> later = shorten(tape, outputs, {}, repeats, spare - more);
  if (!later || !lesson->foretells(2 + kProof, sample_of<S>(*later, passes))) return std::nullopt;
  Emission<S> emission = lesson->emission(sample);
  emission.plan.layout = layout_of(tape);
  return emission;
}

}  // namespace

template <class S>
std::optional<Emission<S>> emit_from_periods(const Tape& tape, std::span<const NodeId> outputs,
                                             PassSet passes) {
  const std::vector<Repeat> repeats = of_one_length(find_repeats(tape, outputs));
  for (const Attempt attempt : kAttempts)
    if (auto emission = emit_from<S>(tape, outputs, passes, repeats, attempt)) return emission;
  return std::nullopt;
}

template std::optional<Emission<float>> emit_from_periods(const Tape&, std::span<const NodeId>,
                                                          PassSet);
template std::optional<Emission<double>> emit_from_periods(const Tape&, std::span<const NodeId>,
                                                           PassSet);

}  // namespace taugrad::plan
