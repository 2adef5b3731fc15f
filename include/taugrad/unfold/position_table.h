#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "taugrad/graph/graph.h"

namespace taugrad {

/// Nodes by position: dense on 1..length of each axis, a map outside.
class PositionTable {
 public:
  PositionTable() = default;
  explicit PositionTable(std::vector<std::int64_t> lengths) : lengths_(std::move(lengths)) {
    for (const std::int64_t n : lengths_) size_ *= static_cast<std::size_t>(n);
  }
  NodeId get(std::span<const std::int32_t> at) const {
    if (const std::int64_t i = flat(at); i >= 0)
      return dense_.empty() ? -1 : dense_[static_cast<std::size_t>(i)];
    if (outside_.empty()) return -1;
    const auto it = outside_.find({at.begin(), at.end()});
    return it == outside_.end() ? -1 : it->second;
  }
  void set(std::span<const std::int32_t> at, NodeId id) {
    if (const std::int64_t i = flat(at); i >= 0) {
      if (dense_.empty()) dense_.assign(size_, -1);  // many a table stays empty
      dense_[static_cast<std::size_t>(i)] = id;
    } else {
      outside_[{at.begin(), at.end()}] = id;
    }
  }
  const std::vector<std::int64_t>& lengths() const { return lengths_; }
  /// f(position, node) for every node there is, inside first, in order.
  template <class F>
  void each(F&& f) const {
    for (std::size_t i = 0; i < dense_.size(); ++i)
      if (dense_[i] >= 0) f(position(static_cast<std::int64_t>(i)), dense_[i]);
    for (const auto& [at, id] : outside_) f(at, id);
  }

 private:
  std::int64_t flat(std::span<const std::int32_t> at) const {
    if (at.size() != lengths_.size()) return -1;
    std::int64_t i = 0;
    for (std::size_t a = 0; a < at.size(); ++a) {
      if (at[a] < 1 || at[a] > lengths_[a]) return -1;
      i = i * lengths_[a] + (at[a] - 1);
    }
    return i;
  }
  std::vector<std::int32_t> position(std::int64_t i) const {
    std::vector<std::int32_t> at(lengths_.size());
    for (std::size_t a = lengths_.size(); a-- > 0;) {
      at[a] = static_cast<std::int32_t>(i % lengths_[a]) + 1;
      i /= lengths_[a];
    }
    return at;
  }

  std::vector<std::int64_t> lengths_;
  std::size_t size_ = 1;
  Column<NodeId> dense_;  // empty: nothing is set inside
  std::map<std::vector<std::int32_t>, NodeId> outside_;
};

}  // namespace taugrad
