#include "graph/named_nodes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "base/suggest.h"
#include "base/utf8.h"
#include "graph/position_text.h"
#include "taugrad/graph/op.h"

namespace taugrad {
namespace {

bool is_number(const Tape& tape, NodeId id) {
  return tape.inputs(id).empty() && tape.op(id).name != "input" && tape.op(id).name != "weight";
}

/// The box of positions that a stack is made of.
class Box {
 public:
  Box(const Tape& tape, const std::vector<NodeId>& nodes) : tape_(tape), nodes_(nodes) {
    const std::size_t axes = tape.index(nodes.front()).size();
    first_.assign(axes, std::numeric_limits<std::int32_t>::max());
    last_.assign(axes, std::numeric_limits<std::int32_t>::min());
    for (const NodeId id : nodes)
      for (std::size_t a = 0; a < axes; ++a) {
        first_[a] = std::min<std::int64_t>(first_[a], tape.index(id)[a]);
        last_[a] = std::max<std::int64_t>(last_[a], tape.index(id)[a]);
      }
    // a sequence of a definition has positions 1..tau; what stands before is a boundary (h[0] = h0)
    const bool sequence = !tape.length_names.empty();
    for (std::size_t a = 0; a < axes; ++a) {
      if (sequence) first_[a] = 1;
      while (first_[a] < 1 && first_[a] < last_[a] && holds_numbers(a, first_[a])) ++first_[a];
      if (first_[a] < last_[a] && holds_numbers(a, last_[a])) --last_[a];
    }
  }

  bool holds(NodeId id) const {
    const auto index = tape_.index(id);
    for (std::size_t a = 0; a < index.size(); ++a)
      if (index[a] < first_[a] || index[a] > last_[a]) return false;
    return true;
  }
  std::int64_t flat(NodeId id) const {
    std::int64_t flat = 0;
    for (std::size_t a = 0; a < first_.size(); ++a)
      flat = flat * length(a) + tape_.index(id)[a] - first_[a];
    return flat;
  }
  std::int64_t length(std::size_t axis) const { return last_[axis] - first_[axis] + 1; }
  std::int64_t first(std::size_t axis) const { return first_[axis]; }
  std::size_t axes() const { return first_.size(); }

 private:
  /// Whether at one end there are only numbers, h[0] = 0, and elsewhere not.
  bool holds_numbers(std::size_t axis, std::int64_t end) const {
    bool there = true, elsewhere = true;
    for (const NodeId id : nodes_) {
      if (!holds(id)) continue;
      bool& numbers = tape_.index(id)[axis] == end ? there : elsewhere;
      numbers = numbers && is_number(tape_, id);
    }
    return there && !elsewhere;
  }

  const Tape& tape_;
  const std::vector<NodeId>& nodes_;
  std::vector<std::int64_t> first_, last_;  // by axis
};

}  // namespace

NamedNodes::NamedNodes(const Tape& tape) : tape_(tape) {
  std::vector<std::vector<NodeId>*> by_name;
  for (NodeId id = 0; id < tape.size(); ++id) {
    if (!tape.is_value(id)) continue;
    const NameId name = tape.name_id(id);
    if (name >= by_name.size()) by_name.resize(name + std::size_t{1}, nullptr);
    if (by_name[name] == nullptr) {
      const auto [values, fresh] = values_.try_emplace(std::string(tape.name(id)));
      if (fresh) names_.push_back(values->first);
      by_name[name] = &values->second;  // names that differ in letters alone are one
    }
    by_name[name]->push_back(id);
  }
}

NodeId NamedNodes::find(std::string_view text) const { return find_node(tape_, text); }

std::vector<NodeId> NamedNodes::all(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<NodeId>() : found->second;
}

std::vector<NodeId> NamedNodes::positions(std::string_view name) const {
  std::vector<NodeId> ids;
  std::set<std::pair<NameId, IndexId>> seen;
  for (const NodeId id : all(name))
    if (tape_.index_id(id) != 0 && seen.emplace(tape_.name_id(id), tape_.index_id(id)).second)
      ids.push_back(id);
  return ids;
}

std::string NamedNodes::text(NodeId id) const {
  return tape_.is_value(id) ? tape_.label(id) : fmt::format("#{}", id);
}

std::string positions_text(const Tape& tape, const std::vector<NodeId>& positions) {
  constexpr std::size_t kMost = 5;
  std::string text;
  const std::size_t shown = positions.size() > kMost ? 2 : positions.size();
  for (std::size_t i = 0; i < shown; ++i)
    text += fmt::format("{}[{}]", i == 0 ? "" : ", ", fmt::join(tape.index(positions[i]), ","));
  if (shown == positions.size()) return text;
  return text + fmt::format(", .. [{}]", fmt::join(tape.index(positions.back()), ","));
}

// " of t", " of t and of s": what the positions count, each list of letters once
static std::string letters_text(const Tape& tape, const std::vector<NodeId>& positions) {
  std::set<std::string> lists;
  for (const NodeId id : positions)
    if (!tape.letters(id).empty())
      lists.insert(fmt::format("{}", fmt::join(tape.letters(id), ",")));
  return lists.empty() ? "" : fmt::format(" of {}", fmt::join(lists, " and of "));
}

std::string help_for_missing(const Tape& tape, const NamedNodes& nodes, std::string_view text) {
  if (const auto meant = slip_of_position(text); meant && nodes.find(*meant) >= 0)
    return fmt::format("did you mean \"{}\"?", printable(*meant, 80));
  const std::optional<PositionText> p = read_position(text);
  const std::string_view name = p ? p->name : text.substr(0, text.find_first_of("[("));  // h(t)
  if (const std::vector<NodeId> there = nodes.positions(name); !there.empty())
    return fmt::format(
        "{} stands at {}{}{}", printable(name, 80), positions_text(tape, there),
        p && !p->letters.empty() ? letters_text(tape, there) : "",
        p ? "" : fmt::format(": say which, as \"{}\"", printable(nodes.text(there.back()), 80)));
  if (std::string help = did_you_mean(name, nodes.names()); !help.empty()) return help;
  if (p && nodes.find(name) >= 0)
    return fmt::format("{} has no positions: \"{}\"", printable(name, 80), printable(name, 80));
  return "nodes are named as in h, h[3], grad:W, or by their number, #17";
}

PositionStack stacked(const Tape& tape, const std::vector<NodeId>& positions) {
  PositionStack stack;
  if (positions.empty()) return stack;
  const std::size_t axes = tape.index(positions.front()).size();
  for (const NodeId id : positions)
    if (tape.index(id).size() != axes) return stack;
  const Box box(tape, positions);
  std::int64_t count = 1;
  for (std::size_t a = 0; a < axes; ++a) {
    stack.lengths.push_back(box.length(a));
    stack.first.push_back(box.first(a));
    count *= std::min<std::int64_t>(box.length(a), tape.size() + 1);
  }
  if (count < 1 || count > std::ssize(positions)) return stack;
  std::vector<NodeId> nodes(static_cast<std::size_t>(count), -1);
  for (const NodeId id : positions) {
    if (!box.holds(id)) continue;
    NodeId& place = nodes[static_cast<std::size_t>(box.flat(id))];
    if (place >= 0) return stack;  // one for each of several letters
    place = id;
  }
  const NodeId first = nodes.front();
  const bool fits = std::ranges::all_of(nodes, [&](NodeId id) {
    return id >= 0 && first >= 0 && tape.shape_id(id) == tape.shape_id(first);
  });
  if (fits) stack.nodes = std::move(nodes);
  return stack;
}

}  // namespace taugrad
