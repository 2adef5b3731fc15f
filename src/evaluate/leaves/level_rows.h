#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "evaluate/leaves/bind.h"
#include "language/resolve/resolved_model.h"
#include "taugrad/graph/op.h"
#include "taugrad/language/mode.h"
#include "unfold/levels.h"

namespace taugrad::runtime {

/// Where the nodes of a batch's trees stand in a graph that runs level by level (unfold/levels.h).
/// A node's row in its level is its place among the level's nodes, item by item.
class LevelRows {
 public:
  /// The position that an input holds. @param item  among those of `lengths`
  using Position = std::function<double(int symbol, std::int64_t t, std::int64_t item)>;

  LevelRows() = default;
  /// @param lengths  of the items, longest first
  LevelRows(const ResolvedModel& model, const LevelCircle& circle,
            std::span<const std::int64_t> lengths, const Position& position);

  /// How many levels there are; 0: the batch has none, or levels that are no narrower than those
  /// below them are not what it has, or there are too many to gain by them.
  std::int64_t levels() const { return levels_; }
  /// BatchContext::lengths of kLevelRows.
  const std::vector<std::int64_t>& lengths() const { return row_lengths_; }
  /// Whether a source's leaves are filled from here.
  bool fills(const Source& source) const;
  /// Two numbers for each of `rows`, which are items of "levels:t", else rows of the level.
  template <class S>
  void fill(const Source& source, std::size_t leaf, std::span<const std::int32_t> rows,
            std::span<S> to) const;

 private:
  struct Node {
    std::int32_t item, step;
  };
  struct Place {
    std::int32_t level = -1, row = 0;
  };
  void place_nodes(const Position& position);
  std::int32_t level_of(const Position& position, std::int64_t item, std::int64_t t) const;
  void count_rows();
  Place& at(std::int64_t item, std::int64_t t) {
    return places_[static_cast<std::size_t>(item * longest_ + t - 1)];
  }
  const Place& at(std::int64_t item, std::int64_t t) const {
    return places_[static_cast<std::size_t>(item * longest_ + t - 1)];
  }
  Place child(int symbol, const Node& node) const;

  LevelCircle circle_;
  std::vector<std::string> position_names_;  ///< of circle_.positions
  std::string letter_;
  bool after_ = false;
  std::vector<std::int64_t> lengths_;
  std::int64_t longest_ = 0, levels_ = 0;
  std::vector<Place> places_;                    ///< by item and step
  std::vector<std::vector<Node>> nodes_;         ///< by level and row
  std::vector<std::vector<std::int32_t>> held_;  ///< by position input, item and step
  std::vector<std::int64_t> row_lengths_;
};

}  // namespace taugrad::runtime
