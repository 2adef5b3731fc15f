#include "train/data/counted.h"

#include <algorithm>

#include "taugrad/ops/ops.h"
#include "train/data/stored_items.h"
#include "unfold/segments.h"

namespace taugrad {
namespace {

// a segment's loss counts what earlier ones have not, as Unfolder::is_counted
bool is_counted(const Unfolded& u, const Symbol& s, std::span<const std::int32_t> at) {
  if (u.segment() == nullptr) return true;
  const Segment& segment = u.segment()->of;
  const int axis = axis_along(u.model(), s, segment.length);
  if (axis < 0) return segment.from == 0;
  return at[static_cast<std::size_t>(axis)] > segment.from || segment.from == 0;
}

}  // namespace

std::set<std::string> partly_given(const Dataset& data) {
  if (data.stored) return data.stored->partly;
  std::set<std::string> partly;
  for (const Example& e : data.examples)
    for (const auto& [name, places] : e.missing)
      if (!places.empty()) partly.insert(name);
  return partly;
}

Var counted_loss(const Unfolded& u, const std::set<std::string>& partly) {
  if (partly.empty()) return u.loss();
  Tape& tape = u.graph().tape();
  Vars terms;
  for (const Symbol& s : u.model().symbols) {
    if (!s.random()) continue;
    std::vector<NodeId> nodes;
    u.each_nll(s.name, [&](const auto& at, NodeId id) {
      if (is_counted(u, s, std::vector<std::int32_t>(at.begin(), at.end()))) nodes.push_back(id);
    });
    for (const NodeId id : nodes) {
      Var term = tape.var(id);
      if (partly.contains(s.name)) {
        const std::vector<std::int32_t> index(tape.index(id).begin(), tape.index(id).end());
        const ExtentId extent = term.per_example() ? term.extent() : kEveryItem;
        term = where(input(tape, counted_input(s.name), {}, index, extent), term, 0.0);
      }
      if (!term.per_example()) term = to_items(term, kEveryItem);
      if (term.extent() != kEveryItem) term = extend_to(term, kEveryItem);
      terms.push_back(term);
    }
  }
  return terms.size() == 1 ? copy(terms.front()) : add_n(terms);
}

std::string counted_variable(const std::string& name) {
  const std::string prefix = counted_input("");
  return name.starts_with(prefix) ? name.substr(prefix.size()) : "";
}

bool has_target(const Example& e, const std::string& variable, std::span<const std::int32_t> at) {
  const auto missing = e.missing.find(variable);
  if (missing == e.missing.end()) return true;
  const Dims& dims = e.values.at(variable).dims();
  std::int64_t place = 0;
  for (std::size_t a = 0; a < at.size(); ++a) {
    if (at[a] < 1 || at[a] > dims[a]) return true;
    place = place * dims[a] + at[a] - 1;
  }
  return !std::ranges::binary_search(missing->second, place);
}

std::int64_t targets_of(const ResolvedModel& model, const Example& e) {
  std::int64_t targets = 0;
  bool any = false;
  for (const Symbol& s : model.symbols) {
    if (!s.random()) continue;
    any = true;
    std::int64_t positions = 1;
    for (const int axis : s.axes)
      positions *= e.lengths.at(model.lengths[static_cast<std::size_t>(
          model.index_length[static_cast<std::size_t>(axis)])]);
    targets += positions - missing_of(e, s);
  }
  return any ? targets : 1;
}

std::int64_t missing_of(const Example& e, const Symbol& s, int axis, std::int64_t from,
                        std::int64_t to) {
  const auto missing = e.missing.find(s.name);
  if (missing == e.missing.end()) return 0;
  if (axis < 0) return static_cast<std::int64_t>(missing->second.size());
  const Dims& dims = e.values.at(s.name).dims();
  std::int64_t behind = 1;
  for (std::size_t a = static_cast<std::size_t>(axis) + 1; a < s.axes.size(); ++a)
    behind *= dims[a];
  return std::ranges::count_if(missing->second, [&](std::int64_t place) {
    const std::int64_t step = place / behind % dims[static_cast<std::size_t>(axis)];
    return step >= from && step < to;
  });
}

}  // namespace taugrad
