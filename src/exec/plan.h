#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "taugrad/graph/graph.h"
#include "taugrad/graph/op.h"

/// What runs in which order and where it lies. A plan speaks of places, never of pointers, and of
/// extents, never of numbers of items: one plan serves every batch, and passes may rewrite its list
/// of steps.
namespace taugrad::exec {

using ValueId = std::int32_t;
using SlotId = std::int32_t;

/// A node's rows: where they lie and how far apart. Views have a place inside another node's slot.
struct Value {
  SlotId slot;
  std::uint32_t shape;    ///< in Plan::shapes
  std::int64_t offset;    ///< elements from the start of the slot to row 0
  std::int64_t stride;    ///< elements from one row to the next; 0: all items read the same
  std::int64_t elements;  ///< of one row
  ExtentId extent;
};

/// Storage for one value after another, of so many elements a row.
struct Slot {
  std::int64_t elements;
  std::uint32_t name;  ///< in Plan::names: whose it was first
  bool outside;        ///< a shared leaf: its storage is not the arena's
};

template <class S>
class Machine;
template <class S>
struct Step;
/// Runs one step: reads its operands' places, writes its output's.
template <class S>
using Kernel = void (*)(const Step<S>&, Machine<S>&);

template <class S>
struct Step {
  Kernel<S> kernel;
  Forward<S> forward;                          ///< the op's own rule, for the kernel that calls it
  ValueId out;                                 ///< -1: packs a matrix
  std::uint32_t first_operand, operand_count;  ///< in Plan::operands
  std::uint32_t attrs;                         ///< in Plan::attrs
  std::int32_t owner;                          ///< in Plan::owners; -1: the op does not ask
  std::int32_t panels;                         ///< packed matrix that it reads or fills; -1: none
  bool accumulate;  ///< adds to what `out` holds: a sum over items that is one term of a sum
  std::uint8_t transposed;  ///< bit i: operand i is used as its transpose
  ExtentId work_extent;     ///< whose items the work is done for
  std::int64_t operations;  ///< floating-point operations for one row of `work_extent`
};

/// Whose draws an op makes.
struct Owner {
  std::string name;
  std::vector<std::int32_t> index;
};

/// A shared matrix that is packed once a run: B[k][n] stands at offset + k * row_step + n *
/// column_step of a value.
struct PackedMatrix {
  std::int64_t rows, columns, offset, row_step, column_step;
};

/// Which items a row stands for.
struct Layout {
  std::vector<Extent> extents;  ///< of the tape, by ExtentId
  std::int32_t lengths = 0;     ///< how many lengths an item has
  std::int32_t primary = 0;     ///< the length that items are sorted by, longest first
  /// Whether the extent asks for the primary length only: its items are then the first ones.
  bool prefix(ExtentId id) const;
};

template <class S>
struct Plan {
  std::vector<Value> values;
  std::vector<Slot> slots;
  std::vector<std::pair<SlotId, ExtentId>> occupants;  ///< extents that a slot must hold rows for
  std::vector<Step<S>> steps;
  std::vector<ValueId> operands;
  std::uint32_t most_operands = 0;  ///< of one step
  std::vector<PackedMatrix> panels;
  std::vector<std::uint8_t> used_extents;  ///< by ExtentId: some value has it
  std::vector<Shape> shapes;
  std::vector<Attrs> attrs;
  std::vector<Owner> owners;
  std::vector<std::string> names;
  std::vector<NodeId> leaves;        ///< in tape order
  std::vector<ValueId> leaf_values;  ///< of them
  std::vector<ValueId> outputs;      ///< contiguous rows, in slots of their own
  Layout layout;
};

/// @throws Error (B001) where an op has no forward rule in S
template <class S>
Plan<S> make_plan(const Tape& tape, std::span<const NodeId> outputs);

}  // namespace taugrad::exec
