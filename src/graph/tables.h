#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

#include "taugrad/graph/graph.h"

namespace taugrad {

/// One step of a hash: mixes a word in (the finaliser of MurmurHash3).
inline std::uint64_t mixed(std::uint64_t hash, std::uint64_t word) {
  hash ^= word + 0x9e3779b97f4a7c15ULL + (hash << 6) + (hash >> 2);
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdULL;
  return hash ^ (hash >> 33);
}

/// Hash -> ids whose values have that hash; the caller compares values. Open addressing.
class HashIndex {
 public:
  /// The id with this hash for which equal(id) holds, or -1.
  template <class Equal>
  std::int64_t find(std::uint64_t hash, const Equal& equal) const {
    if (slots_.empty()) return -1;
    const auto tag = static_cast<std::uint32_t>(hash);
    for (std::size_t i = tag & mask();; i = (i + 1) & mask()) {
      if (slots_[i].id < 0) return -1;
      if (slots_[i].tag == tag && equal(slots_[i].id)) return slots_[i].id;
    }
  }
  void insert(std::uint64_t hash, std::int64_t id) {
    if (2 * (count_ + 1) > slots_.size()) grow();
    place({static_cast<std::uint32_t>(hash), static_cast<std::int32_t>(id)});
    ++count_;
  }
  std::size_t bytes() const { return count_ * sizeof(Slot); }

 private:
  struct Slot {
    std::uint32_t tag = 0;  // the low half of the hash
    std::int32_t id = -1;
  };
  std::size_t mask() const { return slots_.size() - 1; }
  void place(const Slot& slot) {
    std::size_t i = slot.tag & mask();
    while (slots_[i].id >= 0) i = (i + 1) & mask();
    slots_[i] = slot;
  }
  void grow() {
    std::vector<Slot> old(slots_.empty() ? 16 : 2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old)
      if (slot.id >= 0) place(slot);
  }
  std::vector<Slot> slots_;
  std::size_t count_ = 0;
};

/// From this node on what is appended is a part of a derivative of that order (gradient_order.h).
struct OrderFrom {
  NodeId first;
  int order;
};
using GradientOrders = std::vector<OrderFrom>;  // ascending by node
GradientOrders& gradient_order_table(const Tape& tape);

struct Tape::Tables {
  HashIndex names, indices, shapes, attrs, extents, values;
  struct ShapeQuestion {  // of one or two inputs: of one, first and last are it
    const Op* op = nullptr;
    std::size_t inputs = 0;
    ShapeId first = 0, last = 0;
    AttrsId attrs = 0;
    bool operator==(const ShapeQuestion&) const = default;
  };
  struct ShapeAnswer {
    ShapeQuestion question;
    ShapeId shape = 0;
  };
  std::array<ShapeAnswer, 256> said;  // by shape rules; a later answer takes an earlier one's place
  ShapeAnswer& answer(const ShapeQuestion& q) {
    const std::uint64_t both = (std::uint64_t{q.first} << 32) | q.last;
    return said[mixed(reinterpret_cast<std::uintptr_t>(q.op) + q.attrs, both) % said.size()];
  }
  std::vector<NodeId> leaves;  // by name: the first leaf of name_value, or -1
  NodeId first_leaf(NameId name) const { return name < leaves.size() ? leaves[name] : -1; }
  void enter_leaf(NameId name, NodeId id) {
    if (name >= leaves.size()) leaves.resize(name + std::size_t{1}, -1);
    if (leaves[name] < 0) leaves[name] = id;
  }
  std::mutex entering;  // readers may ask for values at the same time
  HashIndex letters;    // lists of letters
  /// Copies that their name does not find, of untied weights and of those without one:
  /// (weight, name of the copy or of its letters, position).
  std::map<std::tuple<NodeId, NameId, IndexId>, NodeId> hidden_copies;
  std::map<NodeId, std::pair<NameId, IndexId>> known_as;
  GradientOrders orders;
  static GradientOrders& orders_of(const Tape& tape) { return tape.tables_->orders; }
  friend GradientOrders& gradient_order_table(const Tape& tape) { return orders_of(tape); }
  HashIndex numbers;             // constants of expressions within steps
  std::vector<NodeId> claiming;  // of own_ancestors
  std::size_t bytes() const {
    return names.bytes() + indices.bytes() + shapes.bytes() + attrs.bytes() + extents.bytes() +
           values.bytes();
  }
};

/// The scopes that are open, the outermost first.
struct Tape::Steps {
  struct Level {
    NameId owner;  // before it was entered
    IndexId owner_index;
    NameId name = 0;  // without text, with the letters of the levels up to it
    IndexId index = 0;
  };
  const Op* weight = nullptr;
  const Op* copy = nullptr;
  std::vector<std::string> letters;
  std::vector<std::int32_t> position;
  std::vector<Level> levels;
};

std::uint64_t hash_of(std::string_view text);
/// @throws Error (G025) for no bytes, more than 256, or what is not UTF-8
void check_name(std::string_view name);
/// @throws Error (G020) where there is no such set of items, (G014) where it speaks of a length
/// that the tape does not have
void check_extent(const Tape& tape, ExtentId id);
std::uint64_t hash_of(const Attrs& attrs);
/// Equal to the bit: 0.0 and -0.0 differ, a NaN equals itself.
bool same_bits(const Attrs& a, const Attrs& b);

}  // namespace taugrad
