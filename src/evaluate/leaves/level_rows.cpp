#include "evaluate/leaves/level_rows.h"

#include <algorithm>

namespace taugrad::runtime {
namespace {

constexpr std::int64_t kMostRows = std::int64_t{1} << 24;  ///< that an f32 tells apart

std::size_t at_index(std::int64_t i) { return static_cast<std::size_t>(i); }

}  // namespace

LevelRows::LevelRows(const ResolvedModel& model, const LevelCircle& circle,
                     std::span<const std::int64_t> lengths, const Position& position)
    : circle_(circle), lengths_(lengths.begin(), lengths.end()) {
  letter_ = model.system.indices[at_index(circle.index)].name;
  for (const int s : circle.positions) {
    position_names_.push_back(model.symbols[at_index(s)].name);
    after_ = model.symbols[at_index(s)].after;
  }
  if (lengths_.empty() || lengths_[0] == 0) return;
  longest_ = lengths_[0];
  if (longest_ * static_cast<std::int64_t>(lengths_.size()) >= kMostRows) return;
  place_nodes(position);
  count_rows();
}

/// Levels of all nodes, those that are read first, and then the rows of each level.
void LevelRows::place_nodes(const Position& position) {
  const auto items = static_cast<std::int64_t>(lengths_.size());
  places_.resize(at_index(items * longest_));
  held_.assign(circle_.positions.size(), std::vector<std::int32_t>(places_.size()));
  for (std::int64_t i = 0; i < items; ++i) {
    const std::int64_t n = lengths_[at_index(i)];
    for (std::int64_t t = 1; t <= n; ++t)
      for (std::size_t p = 0; p < circle_.positions.size(); ++p) {
        const double value = position(circle_.positions[p], t, i);
        const bool inside = value >= 1 && value <= static_cast<double>(n);
        held_[p][at_index(i * longest_ + t - 1)] = inside       ? static_cast<std::int32_t>(value)
                                                   : value == 0 ? 0
                                                                : -1;
      }
    for (std::int64_t k = 1; k <= n; ++k) {
      const std::int64_t t = after_ ? n + 1 - k : k;
      Place& node = at(i, t);
      node.level = 1;
      for (const std::vector<std::int32_t>& held : held_)
        if (const std::int32_t of = held[at_index(i * longest_ + t - 1)]; of > 0)
          node.level = std::max(node.level, at(i, of).level + 1);
      if (nodes_.size() < at_index(node.level)) nodes_.resize(at_index(node.level));
      std::vector<Node>& level = nodes_[at_index(node.level) - 1];
      node.row = static_cast<std::int32_t>(level.size());
      level.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(t)});
    }
  }
}

void LevelRows::count_rows() {
  constexpr std::int64_t kLeastGain = 2;  ///< steps that a level has to stand for
  const auto depth = static_cast<std::int64_t>(nodes_.size());
  for (std::size_t l = 1; l < nodes_.size(); ++l)
    if (nodes_[l].size() > nodes_[l - 1].size()) return;  // rows of a level are the first ones
  if (depth * kLeastGain > longest_) return;
  levels_ = depth;
  row_lengths_.assign(nodes_[0].size(), 0);
  for (const std::vector<Node>& level : nodes_)
    for (std::size_t r = 0; r < level.size(); ++r) ++row_lengths_[r];
}

LevelRows::Place LevelRows::child(int number, const Node& node) const {
  const std::int32_t of = held_[at_index(number)][at_index(node.item * longest_ + node.step - 1)];
  if (of > 0) return at(node.item, of);
  if (of == 0) return {0, node.item};  // the equation of position 0
  return {};
}

bool LevelRows::fills(const Source& source) const {
  if (levels_ == 0 || source.weight) return false;
  return source.name == steps_leaf(letter_) || source.name == levels_leaf(letter_) ||
         std::ranges::any_of(position_names_,
                             [&](const std::string& p) { return source.name == rows_leaf(p); });
}

template <class S>
void LevelRows::fill(const Source& source, std::size_t leaf, std::span<const std::int32_t> rows,
                     std::span<S> to) const {
  const std::int32_t position = source.positions[leaf];  // a level, or a step
  int number = -1;
  for (std::size_t p = 0; p < position_names_.size(); ++p)
    if (source.name == rows_leaf(position_names_[p])) number = static_cast<int>(p);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    Place place;
    if (source.name == levels_leaf(letter_)) {
      place = at(rows[r], position);
    } else {
      const Node& node = nodes_[at_index(position) - 1][at_index(rows[r])];
      place = number < 0 ? Place{node.step, node.item} : child(number, node);
    }
    to[2 * r] = static_cast<S>(place.level);
    to[2 * r + 1] = static_cast<S>(place.row);
  }
}

template void LevelRows::fill(const Source&, std::size_t, std::span<const std::int32_t>,
                              std::span<float>) const;
template void LevelRows::fill(const Source&, std::size_t, std::span<const std::int32_t>,
                              std::span<double>) const;

}  // namespace taugrad::runtime
