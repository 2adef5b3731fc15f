#include "plan/family/family.h"

#include <algorithm>

#include "base/fail.h"
#include "base/system/memory_limit.h"
#include "taugrad/ops/records.h"

namespace taugrad::plan {
namespace {

constexpr std::size_t kMostBounds = 3;
constexpr std::int64_t kMostNodes = 200'000'000;  ///< of a graph, built or not
constexpr double kBytesOfNode = 40;               ///< of the plan of a long graph, by its nodes
constexpr double kBytesOfToldNode = 10;           ///< where its records are told by the law
constexpr std::size_t kOwnLists = 3;  ///< leaves, sets of items, numbers that must stay small

/// The kind of a leaf.
LeafKind kind_of(const Tape& tape, NodeId id) {
  const bool named = tape.is_value(id);
  return {.name = named ? std::string(tape.name(id)) : fmt::format("#{}", id),
          .named = named,
          .weight = &tape.op(id) == &kWeight,
          .per_example = tape.extent_id(id) != kShared,
          .shape = tape.shape(id),
          .category = tape.attrs(id).integer_or("category", 0),
          .axes = named ? static_cast<std::int32_t>(tape.index(id).size()) : 0};
}

/// Leaves as rows; nothing where an index has too many axes.
std::optional<Table> leaf_table(const Tape& tape, const std::vector<NodeId>& leaves,
                                std::vector<LeafKind>& kinds) {
  Table table(2 + kMostLeafAxes);
  for (const NodeId id : leaves) {
    const LeafKind kind = kind_of(tape, id);
    if (kind.axes > static_cast<std::int32_t>(kMostLeafAxes)) return std::nullopt;
    const auto known = std::ranges::find(kinds, kind);
    table.cells.insert(table.cells.end(), {id, known - kinds.begin()});
    if (known == kinds.end()) kinds.push_back(kind);
    for (std::size_t axis = 0; axis < kMostLeafAxes; ++axis)
      table.cells.push_back(static_cast<std::int32_t>(axis) < kind.axes ? tape.index(id)[axis] : 0);
  }
  return table;
}

/// Sets of items as rows; nothing where one asks for too many lengths.
std::optional<Table> extent_table(const Layout& layout) {
  Table table(1 + 2 * kMostBounds);
  for (const Extent& extent : layout.extents) {
    if (extent.bounds.size() > kMostBounds) return std::nullopt;
    table.cells.push_back(static_cast<std::int64_t>(extent.bounds.size()));
    for (std::size_t b = 0; b < kMostBounds; ++b) {
      const bool has = b < extent.bounds.size();
      table.cells.push_back(has ? extent.bounds[b].which : 0);
      table.cells.push_back(has ? extent.bounds[b].at_least : 0);
    }
  }
  return table;
}

Extent extent_of(const std::int64_t* row) {
  Extent extent;
  for (std::int64_t b = 0; b < row[0]; ++b)
    extent.bounds.push_back(
        {static_cast<std::int32_t>(row[1 + 2 * b]), static_cast<std::int32_t>(row[2 + 2 * b])});
  return extent;
}

/// The same with slots, which stand in its tables in the place of storages.
template <class S>
Sample<S> placed(Sample<S> sample, PassSet passes) {
  place<S>(sample.emission, passes);
  sample.emission.storages.clear();
  return sample;
}

/// Sums over all steps, or all but those at the ends: where there are more steps, they are too long
/// for a region.
std::vector<std::uint8_t> sums_over_time(const Tape& tape, std::int64_t least) {
  std::vector<std::uint8_t> marks(static_cast<std::size_t>(tape.size()));
  for (NodeId id = 0; id < tape.size(); ++id)
    marks[static_cast<std::size_t>(id)] =
        &tape.op(id) == &kAddN && static_cast<std::int64_t>(tape.inputs(id).size()) >= least;
  return marks;
}

}  // namespace

template <class S>
typename Family<S>::Short Family<S>::short_one(std::int64_t length, bool marked) {
  if (first_ && first_->length == length && first_->marked == marked) {
    Short known = std::move(*first_);
    first_.reset();
    return known;
  }
  Request request = make_(length);
  const Tape& tape = request.graph.tape();
  std::vector<std::uint8_t> marks;
  if (marked) marks = sums_over_time(tape, std::max<std::int64_t>(length - 2 * reach_ - 2, 4));
  Short result{length, marked, {emit<S>(tape, request.outputs, passes_, marks), {}}, {}, 1};
  Emission<S>& e = result.sample.emission;
  result.together = e.together;
  std::optional<Table> leaves = leaf_table(tape, e.plan.leaves, result.leaf_kinds);
  std::optional<Table> extents = extent_table(e.plan.layout);
  if (!leaves || !extents) return result;  // without lists, which no law has
  Table sizes(1);
  sizes.cells = {tape.size()};
  result.sample.lists = {std::move(*leaves), std::move(*extents), std::move(sizes)};
  for (Table& list : request.lists) result.sample.lists.push_back(std::move(list));
  return result;
}

/// Regions that go through the sequence are cut in the shortest graph too.
template <class S>
std::int64_t Family<S>::first_length(const Attempt& attempt) const {
  return std::max<std::int64_t>(attempt.settled, 4 * std::int64_t{together_}) + 2 * reach_;
}

/// Which sample proves the law: one some steps behind those that it is of, which needs no marks.
template <class S>
std::int64_t Family<S>::proof(const Attempt& attempt, std::int64_t first) const {
  const std::int64_t missing = kSettled + 2 * reach_ - first;
  return std::max<std::int64_t>(7, (missing + step(attempt) - 1) / step(attempt));
}

template <class S>
std::int64_t Family<S>::cost(const Attempt& attempt, std::int64_t first) const {
  return 4 * first + (3 + proof(attempt, first)) * step(attempt);
}

template <class S>
typename Family<S>::Branch Family<S>::learn(const Attempt& attempt, std::int64_t first) try {
  Branch branch;
  std::array<Short, 3> shorts;
  for (std::size_t i = 0; i < shorts.size(); ++i) {
    shorts[i] = short_one(first + static_cast<std::int64_t>(i) * step(attempt), attempt.marked);
    if (shorts[i].sample.lists.size() < kOwnLists || shorts[i].leaf_kinds != shorts[0].leaf_kinds)
      return {};
  }
  branch.layout = shorts[0].sample.emission.plan.layout;
  branch.leaf_kinds = shorts[0].leaf_kinds;
  const std::int64_t number = proof(attempt, first);
  std::optional<Short> longer;
  for (const bool with_slots : {true, false}) {
    std::array<Sample<S>, 3> samples;
    for (std::size_t i = 0; i < shorts.size(); ++i)
      samples[i] = with_slots ? placed(shorts[i].sample, passes_) : std::move(shorts[i].sample);
    branch.placed = with_slots;
    branch.lesson = Lesson<S>::of(std::move(samples));
    if (!branch.lesson) continue;
    if (!longer) longer = short_one(first + number * step(attempt), false);
    if (longer->leaf_kinds != branch.leaf_kinds) return {};
    if (branch.lesson->foretells(number,
                                 with_slots ? placed(longer->sample, passes_) : longer->sample))
      return branch;
  }
  return {};
} catch (const Error&) {
  return {};  // what is wrong is said of the graph that was asked for
}

/// @return whether it is known
template <class S>
bool Family<S>::find_together() {
  if (together_ > 0) return true;
  const std::int64_t length = first_length(kAttempts[0]);
  if (spent_ < 3 * length) return false;
  spent_ -= length;
  together_ = 1;
  try {
    first_ = short_one(length, kAttempts[0].marked);
    together_ = first_->together;
  } catch (const Error&) {  // what is wrong is said of the graph that was asked for
  }
  return true;
}

template <class S>
std::int64_t Family<S>::nodes_of(const Branch& branch, std::int64_t sample) const {
  std::int64_t nodes = 0;
  branch.lesson->lists()[2].each_row(sample, [&](const std::int64_t* row) { nodes = *row; });
  return nodes;
}

template <class S>
void Family<S>::require_for_plan(const Branch& branch, std::int64_t nodes) const {
  const double each = branch.placed ? kBytesOfToldNode : kBytesOfNode;
  require_memory("planning",
                 {{fmt::format("the plan of {} nodes", nodes), each * static_cast<double>(nodes)}});
}

template <class S>
Member<S> Family<S>::member_of(const Branch& branch, std::int64_t sample) const {
  const bool told = branch.placed && nodes_of(branch, sample) > written_;
  Emission<S> emission = branch.lesson->emission(sample, told ? Records::told : Records::written);
  Layout& layout = emission.plan.layout = branch.layout;
  Member<S> member;
  member.leaf_kinds = branch.leaf_kinds;
  const std::vector<Law>& lists = branch.lesson->lists();
  lists[0].each_row(sample, [&](const std::int64_t* row) {
    Leaf leaf{static_cast<NodeId>(row[0]), static_cast<std::int32_t>(row[1]), {}};
    for (std::size_t axis = 0; axis < kMostLeafAxes; ++axis)
      leaf.index[axis] = static_cast<std::int32_t>(row[2 + axis]);
    member.leaves.push_back(leaf);
  });
  layout.extents.clear();
  lists[1].each_row(sample,
                    [&](const std::int64_t* row) { layout.extents.push_back(extent_of(row)); });
  for (std::size_t i = kOwnLists; i < lists.size(); ++i) {
    Table& table = member.lists.emplace_back(lists[i].width());
    lists[i].each_row(sample, [&](const std::int64_t* row) {
      table.cells.insert(table.cells.end(), row, row + table.width);
    });
  }
  if (!branch.placed) place<S>(emission, passes_);
  member.plan = std::move(emission.plan);
  return member;
}

/// The branch that a length belongs to, of an attempt; null: there is none, or looking for one is
/// not worth that share of what is spent yet.
template <class S>
const typename Family<S>::Branch* Family<S>::branch_of(const Attempt& attempt, std::int64_t length,
                                                       std::int64_t share, std::int64_t& first) {
  const std::int64_t least = first_length(attempt);
  if (length < least) return nullptr;
  first = least + (length - least) % step(attempt);
  auto branch = branches_.find({&attempt, first});
  if (branch == branches_.end()) {
    if (share * cost(attempt, first) > spent_) return nullptr;
    spent_ -= cost(attempt, first);
    branch = branches_.emplace(std::pair(&attempt, first), learn(attempt, first)).first;
  }
  return branch->second.lesson ? &branch->second : nullptr;
}

/// Of a long plan a law is sought that tells where values lie, too, where one without it is known
/// only if that takes little beside the plan.
template <class S>
std::optional<Member<S>> Family<S>::member(std::int64_t length) {
  if (!passes_.has(Pass::period)) return std::nullopt;
  spent_ += 2 * length;  // at most twice as much goes into looking for a law as into plans without
  if (!find_together()) return std::nullopt;
  const Branch* found = nullptr;
  std::int64_t sample = 0, nodes = 0;
  for (const Attempt& attempt : kAttempts) {
    std::int64_t first = 0;
    const Branch* const branch = branch_of(attempt, length, found != nullptr ? kShare : 1, first);
    if (branch == nullptr || (found != nullptr && !branch->placed)) continue;
    found = branch;
    sample = (length - first) / step(attempt);
    nodes = nodes_of(*branch, sample);
    if (branch->placed || nodes <= written_) break;
  }
  if (found == nullptr || nodes > kMostNodes) return std::nullopt;  // which unfolding refuses
  require_for_plan(*found, nodes);
  std::optional<Member<S>> member = member_of(*found, sample);
  member->nodes = nodes;
  return member;
}

template class Family<float>;
template class Family<double>;

}  // namespace taugrad::plan
