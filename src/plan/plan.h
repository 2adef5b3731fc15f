#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kernels/tiles/patterns.h"
#include "kernels/tiles/tile_math.h"
#include "plan/passes/passes.h"
#include "plan/series.h"
#include "taugrad/base/column.h"
#include "taugrad/graph/graph.h"
#include "taugrad/graph/op.h"

/// What runs in which order and where it lies. A plan speaks of places, never of pointers, and of
/// extents, never of numbers of items: one plan serves every batch.
namespace taugrad::plan {

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
  ExtentId extent;     ///< whose rows it holds
};

/// Another set of items whose rows a slot must hold, in its turn.
struct Occupant {
  SlotId slot;
  ExtentId extent;
  bool operator==(const Occupant&) const = default;
};

/// How a step is carried out.
enum class Form : std::uint8_t {
  leaf,          ///< filled before the run: no step
  view,          ///< a place inside its input's rows: no step
  placed,        ///< made of values that were written inside it: no step
  fused,         ///< element by element, part of a region
  again,         ///< as cheap to make as to read: each region that reads it does so; no step
  forward,       ///< the op's own rule; of one kind that works row by row, many at once
  rows,          ///< rows times packed matrices: out[i] (+)= a[i] B
  each,          ///< a matrix product for each item, or one of shared matrices
  taps,          ///< convolution with shared kernels: out[i] = sum over d of taps[d][i] K[d]^T
  add,           ///< the sum of the operands, in their order
  outer_sum,     ///< sums over rows of outer products: one product over all rows
  scatter_rows,  ///< sums over rows of the rows of a table
  sum_items,     ///< sums over rows
  pack,          ///< fills the panels of a matrix
};

/// One product of a step: rows of `a` times packed matrix `panels`.
struct Job {
  ValueId a, out;
  std::int32_t panels;
  bool accumulate;
};

/// A line of a region's program. Operands are places in a table of pointers: first the tile
/// registers of the program, then its constants, then the streams of an instance.
template <class S>
struct Instruction {
  enum class Kind : std::uint8_t {
    tile,     ///< out = function(a, b, c), element by element
    spread,   ///< out[i] = a[p(i)], of a stream with fewer elements
    product,  ///< out[i] = a[i] b[i], + 0 where `from_zero`; with `op` add: c[i] + that
    sum,      ///< out[p(i)] += a[i]
    dot       ///< out[p(i)] += a[i] b[i]
  };
  static constexpr std::uint16_t kTiles = 0xffff;
  kernels::TileFunction<S> function;  ///< of `tile`
  kernels::TileOp op;
  Kind kind;
  bool from_zero;
  std::uint16_t out, a, b, c;
  std::uint16_t pattern;     ///< p, in RegionProgram::patterns
  std::uint16_t of_a, of_b;  ///< by which patterns a product or a dot reads streams; or kTiles
  S lo, hi;
};

/// What a fused region computes, element by element. Instances differ in their streams only.
template <class S>
struct RegionProgram {
  std::vector<Instruction<S>> code;
  std::vector<S> constants;
  std::vector<kernels::Pattern> patterns;
  kernels::PatternFunctions<S> functions;
  std::vector<std::uint8_t> apart;  ///< by stream: not element by element, but by a pattern
  std::uint16_t registers = 0;
  std::uint16_t result = 0;  ///< a stream that is written: its extent is the region's
  /// Elements of a row, of a program that runs row by row; 0: those of its result.
  std::int64_t elements = 0;
  /// Of them a tile has so many: sums and patterns ask for whole lines.
  std::int64_t tile = kernels::kTile;
  /// Elements of a register and of a constant.
  std::int64_t width() const { return std::max(tile, kernels::kTile); }
  /// by stream: the first instruction that writes it, the last that reads it; -1: none
  std::vector<std::int16_t> first_write, last_read;
};

template <class S>
struct Step {
  Form form = Form::forward;
  bool accumulate = false;      ///< adds to what `out` holds
  std::uint8_t transposed = 0;  ///< bit i: operand i is used as its transpose
  ValueId out = -1;             ///< -1: packs, products and regions
  std::uint32_t first_operand = 0, operand_count = 0;  ///< in Plan::operands
  std::uint32_t each = 0;  ///< of `forward`: operands of an instance, its result last
  std::uint32_t first_job = 0, job_count = 0;  ///< in Plan::jobs
  ValueId carry = -1;  ///< of a sum over rows in parts: where a block waits for its last rows
  std::int32_t previous = -1;  ///< the step that summed the part before
  bool more = false;           ///< a later part goes on
  bool pairs = false;          ///< of a sum of outer products: operands hold numbers of bfloat16
  std::int32_t panels = -1;    ///< packed matrix that it fills, or the first that its taps read
  std::int32_t program = -1;   ///< of a region: operands are the streams of its instances
  std::uint32_t attrs = 0;     ///< in Plan::attrs
  std::int32_t owner = -1;     ///< in Plan::owners; -1: the op does not ask
  ExtentId extent = kShared;   ///< whose rows it works on
  std::uint32_t number = 0;    ///< in Plan::steps, of a step that was read there
  Forward<S> forward = nullptr;
  const Op* op = nullptr;
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
  bool pairs = false;  ///< it and all rows that meet it hold numbers of bfloat16
};

/// Which items a row stands for.
struct Layout {
  std::vector<Extent> extents;        ///< of the tape, by ExtentId
  std::int32_t lengths = 0;           ///< how many lengths an item has
  std::int32_t primary = 0;           ///< the length that items are sorted by, longest first
  std::int32_t levels = -1;           ///< the length whose rows are no items (kLevelRows), or -1
  std::vector<std::int64_t> longest;  ///< Tape::longest
  /// Whether the extent asks for the primary length only: its items are then the first ones.
  bool prefix(ExtentId id) const;
  /// Whether its rows are those of a level, not items.
  bool of_level(ExtentId id) const;
};

template <class S>
struct Plan {
  Series<Value> values;
  Series<Slot> slots;
  Series<Occupant> occupants;
  Series<Step<S>> steps;
  Series<ValueId> operands;
  Series<Job> jobs;
  bool sums_in_parts = false;  ///< some step goes on with the sum of another
  std::vector<RegionProgram<S>> programs;
  std::vector<PackedMatrix> panels;
  std::vector<std::int64_t> operations;    ///< by ExtentId: floating-point operations for one row
  std::vector<std::uint8_t> used_extents;  ///< by ExtentId: some value has it
  std::vector<Shape> shapes;
  std::vector<Attrs> attrs;
  std::vector<Owner> owners;
  std::vector<std::string> names;
  std::vector<NodeId> leaves;        ///< in tape order
  std::vector<ValueId> leaf_values;  ///< of them
  std::vector<ValueId> outputs;      ///< contiguous rows, in slots of their own
  Layout layout;
  std::int32_t levels = 0;  ///< products one after another on the longest path
};

/// @throws Error (B001) where an op has no forward rule in S
template <class S>
Plan<S> make_plan(const Tape& tape, std::span<const NodeId> outputs, PassSet passes = {});

}  // namespace taugrad::plan
