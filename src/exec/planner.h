#pragma once

#include <array>
#include <cstdint>
#include <map>
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
  std::int32_t last_step;  ///< that reads it; -1: none
};
inline constexpr std::int32_t kForever = 0x7fffffff;  ///< last_step of leaves and outputs

/// Puts storages that do not live at the same time into one slot, and rewrites the slots of the
/// plan's values.
template <class S>
void share_slots(Plan<S>& plan, std::vector<Storage>& storages,
                 const std::vector<std::uint8_t>& in_place);

/// Numbers of the plan's copies of what the tape interns, by the tape's own numbers.
class Copies {
 public:
  /// The number for `id`; `add()` makes the copy the first time.
  template <class Add>
  std::uint32_t number(std::size_t id, Add&& add) {
    if (id >= number_.size()) number_.resize(id + 1);
    if (number_[id] == 0) {
      add();
      number_[id] = ++count_;
    }
    return number_[id] - 1;
  }

 private:
  std::vector<std::uint32_t> number_;  // plus 1; 0: not copied
  std::uint32_t count_ = 0;
};

/// Writes a plan, node after node.
template <class S>
class Planner {
 public:
  Planner(const Tape& tape, std::span<const NodeId> outputs);
  Plan<S> make();

 private:
  static std::size_t at(NodeId id) { return static_cast<std::size_t>(id); }
  Value& value(NodeId id) { return plan_.values[static_cast<std::size_t>(value_[at(id)])]; }

  // plan.cpp: what is needed, and in whose place it lies
  void mark_needed();
  void link_sums();
  void reserve();
  /// Whose place a node's value takes.
  NodeId owner(NodeId id) const { return into_[at(id)] >= 0 ? into_[at(id)] : id; }
  bool all_terms_added(NodeId sum) const;
  void place_node(NodeId id);

  // placing.cpp: values and steps
  ValueId add_value(NodeId id);
  void add_leaf(NodeId id);
  bool add_view(NodeId id, const Lowered& way);
  void add_step(NodeId id, const Lowered& way);
  ValueId result_of(NodeId id, Step<S>& step);
  void list_operands(NodeId id, const Lowered& way);
  void read(Step<S>& step, std::span<const ValueId> values);
  std::uint32_t add_shape(NodeId id);
  std::uint32_t add_attrs(NodeId id);
  std::uint32_t add_name(NodeId id);
  std::int32_t add_owner(NodeId id);
  std::int32_t pack(const Lowered& way, NodeId user);
  std::int32_t pack_matrices(ValueId from, PackedMatrix m, std::int64_t count);

  const Tape& tape_;
  std::span<const NodeId> outputs_;
  Plan<S> plan_;
  std::vector<std::uint8_t> needed_, is_output_;  // by node
  std::vector<std::uint8_t> uses_;                // by node: of its value; 2: two or more
  std::vector<Form> form_;                        // by node that is needed
  std::vector<NodeId> into_;    // by node: the sum whose place it adds to; -1: it has its own
  std::vector<ValueId> value_;  // by node; -1: none yet
  std::vector<Storage> storages_;
  std::vector<std::uint8_t> in_place_;  // by step: its result may take a dying operand's place
  std::vector<ValueId> operands_;       // of the step at hand
  std::map<std::array<std::int64_t, 6>, std::int32_t>
      packed_;  // first panels of a place's matrices
  Copies shapes_, attrs_, names_;
  std::map<const Op*, std::size_t> op_numbers_;
};

}  // namespace taugrad::exec
