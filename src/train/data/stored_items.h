#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "taugrad/train/dataset.h"

namespace taugrad {

/// An item, or some of its steps.
struct StoredItem {
  Example example;        ///< its lengths are the item's own
  std::int64_t from = 0;  ///< steps before its first
  bool whole = true;
};

/// Items that stay in their files and are read where they are needed.
struct StoredItems {
  std::size_t size = 0;
  std::vector<std::string> lengths;  ///< names
  std::function<std::int64_t(std::size_t item, const std::string& length)> length;
  std::function<std::int64_t(std::size_t item)> targets;  ///< positions of random variables (R13)
  /// Steps from+1..to of an item, or all of it.
  /// @throws Error (I001), (C004) where the file is another by now
  std::function<StoredItem(std::size_t item, std::int64_t from, std::int64_t to)> read;
  std::function<void(std::size_t item, Diagnostic&)> tell_place;  ///< file and line
  std::set<std::string> partly = {};  ///< variables of which some targets are not given
  /// Items of more than `longer` steps in `count` equal parts; empty: they cannot be cut.
  std::function<std::shared_ptr<const StoredItems>(std::int64_t count, std::int64_t longer)>
      in_parts = {};
};

/// The items for which pick(item).
std::shared_ptr<const StoredItems> only(const std::shared_ptr<const StoredItems>& all,
                                        const std::function<bool(std::size_t)>& pick);

}  // namespace taugrad
