#include "graph/named_nodes.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "taugrad/graph/op.h"

namespace taugrad {
namespace {

template <class T>
bool read_number(std::string_view text, T& value) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return !text.empty() && result.ec == std::errc{} && result.ptr == text.data() + text.size();
}

bool read_index(std::string_view text, std::vector<std::int32_t>& index) {
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t comma = std::min(text.find(',', from), text.size());
    std::int32_t i = 0;
    if (!read_number(text.substr(from, comma - from), i)) return false;
    index.push_back(i);
    from = comma + 1;
  }
  return true;
}

bool inside(std::span<const std::int32_t> index, const std::vector<std::int64_t>& lengths) {
  for (std::size_t a = 0; a < index.size(); ++a)
    if (index[a] < 1 || index[a] > lengths[a]) return false;
  return true;
}

bool is_boundary_op(const Tape& tape, NodeId id) {
  return tape.inputs(id).empty() && tape.op(id).name != "input" && tape.op(id).name != "weight";
}

// The last positions along an axis hold a boundary where they are numbers, and those before not.
void cut_boundary(const Tape& tape, const std::vector<NodeId>& nodes, std::size_t axis,
                  std::vector<std::int64_t>& lengths) {
  bool last_numbers = true, before_numbers = true;
  for (const NodeId id : nodes) {
    if (!inside(tape.index(id), lengths)) continue;
    bool& numbers = tape.index(id)[axis] == lengths[axis] ? last_numbers : before_numbers;
    numbers = numbers && is_boundary_op(tape, id);
  }
  if (last_numbers && !before_numbers) --lengths[axis];
}

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

NodeId NamedNodes::find(std::string_view text) const {
  if (const NodeId id = tape_.find_value(text); id >= 0) return id;
  if (text.starts_with('#')) {
    NodeId number = -1;
    const bool there = read_number(text.substr(1), number) && number >= 0 && number < tape_.size();
    return there ? number : -1;
  }
  const std::size_t open = text.rfind('[');
  if (open == std::string_view::npos || !text.ends_with(']')) return -1;
  std::vector<std::int32_t> index;
  if (!read_index(text.substr(open + 1, text.size() - open - 2), index)) return -1;
  return tape_.find_value(text.substr(0, open), index);
}

std::vector<NodeId> NamedNodes::positions(std::string_view name) const {
  std::vector<NodeId> ids;
  const auto found = values_.find(name);
  if (found == values_.end()) return ids;
  std::set<IndexId> seen;
  for (const NodeId id : found->second)
    if (tape_.index_id(id) != 0 && seen.insert(tape_.index_id(id)).second) ids.push_back(id);
  return ids;
}

std::string NamedNodes::text(NodeId id) const {
  return tape_.is_value(id) ? tape_.label(id) : fmt::format("#{}", id);
}

PositionStack stacked(const Tape& tape, const std::vector<NodeId>& positions) {
  PositionStack stack;
  if (positions.empty()) return stack;
  const std::size_t axes = tape.index(positions.front()).size();
  stack.lengths.assign(axes, 0);
  for (const NodeId id : positions) {
    if (tape.index(id).size() != axes) return stack;
    for (std::size_t a = 0; a < axes; ++a)
      stack.lengths[a] = std::max<std::int64_t>(stack.lengths[a], tape.index(id)[a]);
  }
  for (std::size_t a = 0; a < axes; ++a) cut_boundary(tape, positions, a, stack.lengths);
  std::int64_t count = 1;
  for (const std::int64_t n : stack.lengths) count *= std::min<std::int64_t>(n, tape.size() + 1);
  if (count < 1 || count > std::ssize(positions)) return stack;
  std::vector<NodeId> nodes(static_cast<std::size_t>(count), -1);
  for (const NodeId id : positions) {
    if (!inside(tape.index(id), stack.lengths)) continue;
    std::int64_t flat = 0;
    for (std::size_t a = 0; a < axes; ++a) flat = flat * stack.lengths[a] + tape.index(id)[a] - 1;
    nodes[static_cast<std::size_t>(flat)] = id;
  }
  const NodeId first = nodes.front();
  const bool fits = std::ranges::all_of(nodes, [&](NodeId id) {
    return id >= 0 && first >= 0 && tape.shape_id(id) == tape.shape_id(first);
  });
  if (fits) stack.nodes = std::move(nodes);
  return stack;
}

}  // namespace taugrad
