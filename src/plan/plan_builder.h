#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/index.h"
#include "plan/passes/passes.h"
#include "plan/plan.h"
#include "taugrad/graph/graph.h"

namespace taugrad::plan {

/// When a node runs: levels count the products on the longest path to it, stages what else has to
/// be finished before it within a level. Sorted by it, nodes come after all they read.
using Key = std::uint64_t;
inline Key next_level(Key key) { return ((key >> 32) + 1) << 32; }
inline Key next_stage(Key key) { return key + 1; }
inline std::int32_t level_of(Key key) { return static_cast<std::int32_t>(key >> 32); }

/// A product with a shared matrix, rows of `a` times `matrix` or its transpose.
struct Product {
  NodeId node, a, matrix;
  bool transposed;
  bool free;                ///< no product of the same type is on a path to it
  std::int32_t type;        ///< products of one type read the same packed matrix
  std::int32_t group = -1;  ///< free products of one group run together: of one type and phase
};

/// What an elementwise node reads once broadcasts, extensions and constants are looked through.
struct Read {
  enum class Kind : std::uint8_t {
    stream,   ///< element by element
    spread,   ///< by a pattern
    constant  ///< one number for all
  };
  NodeId node = -1;
  Kind kind = Kind::stream;
  std::uint32_t pattern = 0;  ///< of `spread`: in PlanBuilder::patterns
};

/// Terms of a sum inside a region; longer ones are steps of their own.
inline constexpr std::size_t kMostTerms = 16;

/// How `narrow` is repeated to make up `wide`, to which it broadcasts.
kernels::Pattern spreading(const Shape& narrow, const Shape& wide);

/// Elements of a tile that holds whole lines, if one fits.
inline std::int64_t whole_lines(std::int64_t line) {
  return line >= kernels::kTile ? kernels::kTile : kernels::kTile / line * line;
}
/// Elements of a tile in which a sum along lines is made, which its bits depend on; 0: any.
inline std::int64_t sum_tile(const kernels::Pattern& p) {
  return p.step[static_cast<std::size_t>(p.rank - 1)] == 0 ? whole_lines(p.line()) : 0;
}

/// Which items the rows of a tape stand for.
Layout layout_of(const Tape& tape);

/// A tape on its way to a plan: columns by node, which passes fill and rewrite, each in its turn.
struct PlanBuilder {
  PlanBuilder(const Tape& t, std::span<const NodeId> out, PassSet p);

  const Tape& tape;
  std::vector<NodeId> outputs;
  PassSet passes;
  Layout layout;
  std::vector<std::uint8_t> long_sum;  ///< by node: its terms count as too many; or empty

  std::vector<std::uint32_t> first;  ///< of its inputs in `input`; size + 1 entries
  std::vector<NodeId> input;         ///< merged nodes replaced
  std::vector<Read> read;            ///< by input of a needed node; of a product its two operands
  std::vector<std::int64_t> sizes;   ///< elements of a row, by ShapeId
  std::vector<NodeId> same;          ///< the node that stands for it: itself, or an earlier one
  std::vector<kernels::Pattern> patterns;  ///< of what is spread or summed; the first is whole
  /// By node: 1 + the pattern of what a fused node sums its tiles into; 0: it sums nothing.
  std::vector<std::uint32_t> sum;
  std::vector<Form> form;
  std::vector<std::uint8_t> needed, is_output;
  std::vector<std::uint8_t> uses;  ///< reads by needed nodes; 2: two or more
  std::vector<NodeId> user;        ///< of a node with one use
  std::vector<NodeId> into;        ///< the node whose place it adds to or lies in; -1: its own
  std::vector<std::uint8_t> turn;  ///< of a product added to another's place: its term of the sum
  std::vector<std::int64_t> from;  ///< by node that lies in another: elements to skip in a row
  std::vector<Key> key;
  std::vector<std::int32_t> product;  ///< in `products`; -1
  std::vector<Product> products;
  std::int32_t types = 0;            ///< of products
  std::vector<std::int32_t> phase;   ///< the latest that it waits for; empty: the tape has none
  std::vector<std::uint8_t> part;    ///< a sum that is added to its place at once; or empty
  std::vector<std::int32_t> region;  ///< of a fused node; -1
  std::int32_t regions = 0;
  std::int32_t together = 1;         ///< steps of a sequence between two cuts of a region
  std::vector<std::uint8_t> stored;  ///< a fused node that others than its region read

  NodeId size() const { return tape.size(); }
  std::span<const NodeId> in(NodeId id) const {
    return {input.data() + first[at(id)], first[at(id) + 1] - first[at(id)]};
  }
  bool shared(NodeId id) const { return tape.extent_id(id) == kShared; }
  /// Whose place a node's value takes.
  NodeId owner(NodeId id) const;
  /// Whether it is in the place of another product already, with which it is read.
  bool added(NodeId id) const;
  /// Whether its terms are added to its owner's place before the other ones.
  bool is_part(NodeId id) const { return !part.empty() && part[at(id)] != 0; }
  bool is_long_sum(NodeId id) const {
    return in(id).size() > kMostTerms || (!long_sum.empty() && long_sum[at(id)] != 0);
  }
  /// What an elementwise node gets from an input.
  Read look_through(NodeId id);
  /// The number of a pattern.
  std::uint32_t pattern(const kernels::Pattern& p);
  /// The matrix behind transposes of it, and whether it is transposed.
  std::pair<NodeId, bool> matrix(NodeId id) const;
  bool spreads_behind(NodeId id) const;
  bool can_spread(NodeId broadcast, const Read& found) const;
  Read spread(NodeId broadcast, const Read& found);
  /// What a node reads: its inputs behind what is looked through.
  std::span<const Read> reads(NodeId id) const {
    return {read.data() + first[at(id)], first[at(id) + 1] - first[at(id)]};
  }
  /// Calls body(Read) for what a node reads, in order, but for constants inside regions.
  template <class Body>
  void each_read(NodeId id, const Body& body) const {
    for (const Read& r : reads(id))
      if (r.kind != Read::Kind::constant) body(r);
  }
  std::int64_t elements(NodeId id) const { return sizes[tape.shape_id(id)]; }
  bool sums(NodeId id) const { return sum[at(id)] != 0; }
  /// Elements of a row of what a fused node works on.
  std::int64_t places(NodeId id) const {
    return sums(id) ? patterns[sum[at(id)] - 1].places() : elements(id);
  }
  /// Whether a fused node and one that reads it work on the same tiles: as many rows, as many
  /// elements each, and no sum between.
  bool same_tiles(NodeId x, NodeId reader) const {
    return !sums(x) && tape.extent_id(x) == tape.extent_id(reader) && elements(x) == places(reader);
  }
};

// the passes, in their order; each in the file of its name
void merge_equal(PlanBuilder& draft);   ///< fills same and input
void choose_forms(PlanBuilder& draft);  ///< fills form, needed, uses, products
void link_sums(PlanBuilder& draft);     ///< terms of a weight's gradient add to one place
void place_parts(PlanBuilder& draft);   ///< parts of concatenations lie inside them
void set_phases(PlanBuilder& draft);    ///< fills phase
void split_sums(PlanBuilder& draft);    ///< fills part
void set_levels(PlanBuilder& draft);    ///< fills key
void accumulate(PlanBuilder& draft);    ///< products add to each other's place
void sink(PlanBuilder& draft);          ///< moves fused nodes to the latest key
void form_regions(PlanBuilder& draft);  ///< fills region and stored

}  // namespace taugrad::plan
