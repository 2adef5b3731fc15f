#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "language/resolve/resolved_model.h"
#include "train/data/stored_items.h"

namespace taugrad {

/// The items of a dataset, which must outlive this: held ones, or those in files, of which what is
/// to be read is loaded first.
class Items {
 public:
  explicit Items(const Dataset& data) : data_(data) {}

  std::size_t size() const;
  bool stored() const { return data_.stored != nullptr; }  ///< in files
  /// The length of an item, loaded or not.
  std::int64_t length(std::size_t item, const std::string& name) const;
  std::map<std::string, std::int64_t> lengths(std::size_t item) const;
  /// Steps of an item, over all its lengths: what its work is proportional to.
  std::int64_t work(std::size_t item) const;
  /// Positions of random variables of an item; 1 where the model has none.                  (R13)
  std::int64_t targets(const ResolvedModel& model, std::size_t item) const;
  /// How many targets of a variable a loaded item lacks at steps from+1..to along one of its axes;
  /// all where `axis` is -1.
  std::int64_t missing(std::size_t item, const Symbol& s, int axis = -1, std::int64_t from = 0,
                       std::int64_t to = 0) const;
  /// Whether a loaded item has the target at a position (from 1 along each index).
  bool has_target(std::size_t item, const std::string& variable,
                  std::span<const std::int32_t> at) const;
  /// Puts file and line of an item into a message.
  void tell_place(std::size_t item, Diagnostic& d) const;

  /// Reads these items, or their steps from+1..to, and forgets those that were read before.
  /// @throws Error (I001, C004)
  void load(std::span<const std::size_t> items);
  void load(std::span<const std::size_t> items, std::int64_t from, std::int64_t to);
  /// An item that is held, or was loaded whole.
  const Example& operator[](std::size_t item) const;
  /// What an item, loaded as far, has of a variable at a position: zero, or of a category absent,
  /// outside of it; of an input "counted:y" whether there is a target.                        (R4)
  /// @throws Error (D005)
  void read(std::size_t item, const std::string& name, std::span<const std::int32_t> at,
            bool category, std::span<float> to) const;

 private:
  const StoredItem& loaded(std::size_t item) const;

  const Dataset& data_;
  std::unordered_map<std::size_t, StoredItem> loaded_;
};

/// Takes the items for which pick(item) out of a dataset; both keep their order.
Dataset take_items(Dataset& data, const std::function<bool(std::size_t)>& pick);

/// Whether every item is of length 0, along every length that the model has.
bool all_empty(const Items& items);
/// For items that hold no target. @param so  what follows: "nothing can be learned"
/// @throws Error (D002), with the place of the first item
[[noreturn]] void fail_without_targets(const Items& items, std::string_view so);

}  // namespace taugrad
