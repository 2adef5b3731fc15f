#include "plan/period.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <mutex>

#include "plan/emission_table.h"
#include "plan/law.h"
#include "plan/shorten.h"

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

/// What three short tapes told.
template <class S>
struct Lesson {
  Shortened longest;
  PassSet passes;
  std::int32_t step;
  std::optional<Laws> laws;  ///< none: they follow no law
  Emission<S> emission;      ///< of the longest
  std::vector<Attrs> kinds;
  std::vector<Law> lists;
};

/// Whether lists that lost their middle had in it what the law says.
bool foretold(const std::vector<Law>& laws, std::int64_t sample, const std::vector<Table>& lists) {
  return std::ranges::equal(laws, lists, [&](const Law& law, const Table& list) {
    if (law.rows(sample) != list.rows()) return false;
    std::size_t row = 0;
    bool same = true;
    law.each_row(sample, [&](const std::int64_t* x) { same = same && *x == *list.row(row++); });
    return same;
  });
}

template <class S>
std::optional<Laws> laws_of(Lesson<S>& lesson) {
  const auto tables = [&](const Shortened& s, Emission<S>& e) {
    e = emit<S>(s.graph.tape(), s.outputs, lesson.passes, s.long_sum);
    return tables_of(e, lesson.kinds);
  };
  const Shortened& longest = lesson.longest;
  std::array<Tables, 3> samples;
  std::array<std::vector<Table>, 3> lists;
  samples[2] = tables(longest, lesson.emission);
  lists[2] = longest.lists;
  for (const std::int32_t i : {1, 0}) {
    const auto shorter = shorten(longest.graph.tape(), longest.outputs, longest.long_sum,
                                 longest.repeats, (2 - i) * lesson.step);
    if (!shorter) return std::nullopt;
    Emission<S> emission;
    samples[static_cast<std::size_t>(i)] = tables(*shorter, emission);
    lists[static_cast<std::size_t>(i)] = shorter->lists;
    if (shorter->lists.size() != longest.lists.size() ||
        !differ_in_tables_only(emission, lesson.emission))
      return std::nullopt;
  }
  for (std::size_t i = 0; i < longest.lists.size(); ++i) {
    std::optional<Law> law = Law::of({lists[0][i], lists[1][i], lists[2][i]});
    if (!law) return std::nullopt;
    lesson.lists.push_back(std::move(*law));
  }
  Laws laws;
  for (std::size_t part = 0; part < laws.size(); ++part) {
    std::optional<Law> law = Law::of({samples[0][part], samples[1][part], samples[2][part]});
    if (!law) return std::nullopt;
    laws[part] = std::move(*law);
  }
  return laws;
}

/// The latest lessons of the process: a network that is trained on many lengths learns its plan
/// once.
template <class S>
class Memory {
 public:
  std::shared_ptr<const Lesson<S>> lesson(Shortened longest, PassSet passes, std::int32_t step) {
    const std::lock_guard lock(mutex_);
    for (const auto& known : known_)
      if (known->passes == passes && known->step == step && same(known->longest, longest))
        return known;
    auto lesson =
        std::make_shared<Lesson<S>>(Lesson<S>{std::move(longest), passes, step, {}, {}, {}, {}});
    lesson->laws = laws_of(*lesson);
    known_.push_front(lesson);
    if (known_.size() > kMostKnown) known_.pop_back();
    return lesson;
  }

 private:
  static constexpr std::size_t kMostKnown = 16;
  std::mutex mutex_;
  std::deque<std::shared_ptr<const Lesson<S>>> known_;
};

template <class S>
std::optional<Emission<S>> emit_from(const Tape& tape, std::span<const NodeId> outputs,
                                     PassSet passes, std::span<const Repeat> repeats,
                                     Attempt attempt) {
  const std::int32_t spare = times_to_spare(tape, repeats, attempt);
  if (spare == 0) return std::nullopt;
  std::optional<Shortened> longest = shorten(tape, outputs, {}, repeats, spare);
  if (!longest) return std::nullopt;
  const std::vector<Table> lists = std::move(longest->whole_lists);
  const std::int64_t sample = 2 + spare / attempt.step;
  static Memory<S> memory;
  const auto lesson = memory.lesson(std::move(*longest), passes, attempt.step);
  if (!lesson->laws || !foretold(lesson->lists, sample, lists)) return std::nullopt;
  Emission<S> emission = lesson->emission;
  fill(emission, *lesson->laws, sample, lesson->kinds);
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
