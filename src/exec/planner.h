#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "exec/lower.h"
#include "exec/plan.h"

namespace taugrad::exec {

/// Storage of one value (and its views) before slots are shared out: each has one of its own.
struct Storage {
  std::int64_t elements;  ///< of a row
  ExtentId extent;
  std::uint32_t name;
  bool leaf;               ///< filled before the run
  std::int32_t last_step;  ///< that reads it; kForever for outputs and leaves
};
inline constexpr std::int32_t kForever = 0x7fffffff;

/// Puts storages that do not live at the same time into one slot, and rewrites the slots of the
/// plan's values.
template <class S>
void share_slots(Plan<S>& plan, std::vector<Storage>& storages,
                 const std::vector<std::uint8_t>& in_place);

/// Writes a plan, node after node.
template <class S>
class Planner {
 public:
  Planner(const Tape& tape, std::span<const NodeId> outputs);
  Plan<S> make();

 private:
  /// Numbers of plan-owned copies of interned things, by the tape's numbers.
  using Copies = std::unordered_map<std::uint64_t, std::uint32_t>;
  static std::size_t at(NodeId id) { return static_cast<std::size_t>(id); }

  void mark_needed();
  void link_sums();
  NodeId owner(NodeId id) const;
  bool all_terms_added(NodeId sum) const;
  void place_node(NodeId id);
  void add_leaf(NodeId id);
  bool add_view(NodeId id, const Lowered& way);
  void add_step(NodeId id, const Lowered& way);
  ValueId add_value(NodeId id);
  ValueId result_of(NodeId id, Step<S>& step);
  std::uint32_t add_shape(NodeId id);
  std::uint32_t add_attrs(NodeId id);
  std::int32_t add_owner(NodeId id);
  std::uint32_t read(std::span<const ValueId> values);
  std::int32_t pack(const Lowered& way, NodeId user);
  std::int32_t pack_matrices(ValueId from, PackedMatrix m, std::int64_t count);
  std::uint32_t name_of(NodeId id);

  const Tape& tape_;
  std::span<const NodeId> outputs_;
  Plan<S> plan_;
  std::vector<std::uint8_t> needed_, is_output_;  // by node
  std::vector<std::uint8_t> uses_;                // by node: of its value; 2: two or more
  std::vector<NodeId> into_;    // by node: the sum whose place it adds to; -1: a value of its own
  std::vector<ValueId> value_;  // by node
  std::vector<Storage> storages_;
  std::vector<std::uint8_t> in_place_;  // by step: the result may take a dying operand's place
  std::map<std::array<std::int64_t, 6>, std::int32_t> packed_;
  Copies shapes_, attrs_, names_;
};

}  // namespace taugrad::exec
