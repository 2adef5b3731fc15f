#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "taugrad/base/column.h"
#include "taugrad/base/shape.h"
#include "taugrad/graph/attrs.h"

namespace taugrad {

struct Op;
class Tape;

using NodeId = std::int32_t;  ///< dense, topological by construction: inputs come before users
using ShapeId = std::uint32_t;
using AttrsId = std::uint32_t;  ///< 0: no attributes
using NameId = std::uint32_t;   ///< 0: no name
using IndexId = std::uint32_t;  ///< 0: no index
using ExtentId = std::uint32_t;

/// Which items of the batch a node exists for. A conjunction of "length `which` of the item is at
/// least `at_least`"; the empty conjunction is every item.
struct Extent {
  struct Bound {
    std::int32_t which;     ///< number of the length (Tape::length_names)
    std::int32_t at_least;  ///< >= 1
    bool operator==(const Bound&) const = default;
  };
  std::vector<Bound> bounds;  ///< sorted by `which`, each at most once
  bool operator==(const Extent&) const = default;
};
inline constexpr ExtentId kShared = 0;  ///< not per example: weights, numbers, what is made of them
inline constexpr ExtentId kEveryItem = 1;

/// A handle on one node. Valid as long as a Graph on its tape lives.
struct Var {
  Tape* tape = nullptr;
  NodeId id = -1;

  explicit operator bool() const { return tape != nullptr; }
  const Shape& shape() const;
  ExtentId extent() const;
  bool per_example() const { return extent() != kShared; }
  const Op& op() const;
  std::string_view name() const;
  bool operator==(const Var&) const = default;
};
using Vars = std::vector<Var>;

/// One node, as seen by a reader. References stay valid until the next append.
struct Node {
  NodeId id;
  const Op& op;
  std::span<const NodeId> inputs;
  const Shape& shape;  ///< of one example
  const Attrs& attrs;
  std::string_view name;                ///< of the variable it is or belongs to; may be empty
  std::span<const std::int32_t> index;  ///< position of that variable, e.g. {3} for h[3]
  bool is_value;                        ///< it *is* `name[index]`, not a step on the way to it
  ExtentId extent;
};

/// The tape: append-only columns of nodes. One op and one output a node. Nothing recurses over it.
class Tape {
 public:
  Tape();
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  NodeId size() const { return static_cast<NodeId>(rows_.size() - 1); }
  Node node(NodeId id) const;
  Var var(NodeId id) { return {this, id}; }

  const Op& op(NodeId id) const { return *row(id).op; }
  std::span<const NodeId> inputs(NodeId id) const {
    const std::size_t from = row(id).first_input;
    return {input_.data() + from, row(id + 1).first_input - from};
  }
  const Shape& shape(NodeId id) const { return shapes_[row(id).shape]; }
  const Attrs& attrs(NodeId id) const { return attr_sets_[row(id).attrs]; }
  ShapeId shape_id(NodeId id) const { return row(id).shape; }
  AttrsId attrs_id(NodeId id) const { return row(id).attrs; }
  NameId name_id(NodeId id) const { return row(id).name; }
  IndexId index_id(NodeId id) const { return row(id).index; }
  ExtentId extent_id(NodeId id) const { return row(id).extent; }
  bool is_value(NodeId id) const { return row(id).is_value != 0; }
  std::string_view name(NodeId id) const { return names_[row(id).name]; }
  std::span<const std::int32_t> index(NodeId id) const { return index_of(row(id).index); }
  /// "h[3]", "W", "h[3] (mul)" for an unnamed step on the way, "node 17 (mul)" without an owner.
  std::string label(NodeId id) const;

  /// Room for so many nodes. Of a long tape, memory is taken only where nodes are written.
  void reserve(std::size_t nodes);
  /// Appends a checked node: runs the op's shape rule and extent rule.
  /// @throws Error (G020) with op, node, owner and inputs named
  Var append(const Op& op, std::span<const Var> inputs, const Attrs& attrs = {});
  /// Appends without checks; the caller (templates of unfolding, readers) has done them.
  NodeId append_raw(const Op& op, std::span<const NodeId> inputs, ShapeId shape, AttrsId attrs,
                    ExtentId extent);
  /// A leaf (no inputs) of a given shape and extent.
  Var leaf(const Op& op, const Shape& shape, ExtentId extent, const Attrs& attrs = {});

  /// Makes `id` the value of `name[index]`; a node has at most one name, the first stays.
  void set_value(NodeId id, NameId name, IndexId index);
  /// The first node made the value of `name[index]`, or -1.
  NodeId find_value(std::string_view name, std::span<const std::int32_t> index = {}) const;
  /// New nodes belong to `name[index]` until changed: errors, clusters and profiles use it.
  void set_owner(NameId name, IndexId index) {
    owner_name_ = name;
    owner_index_ = index;
  }
  NameId owner_name() const { return owner_name_; }
  IndexId owner_index() const { return owner_index_; }

  NameId intern_name(std::string_view name);
  IndexId intern_index(std::span<const std::int32_t> index);
  ShapeId intern_shape(const Shape& shape);
  AttrsId intern_attrs(const Attrs& attrs);
  ExtentId intern_extent(const Extent& extent);
  const Shape& shape_of(ShapeId id) const { return shapes_[id]; }
  const Attrs& attrs_of(AttrsId id) const { return attr_sets_[id]; }
  const Extent& extent(ExtentId id) const { return extents_[id]; }  ///< id != kShared
  std::size_t extent_count() const { return extents_.size(); }
  std::string_view name_of(NameId id) const { return names_[id]; }
  std::span<const std::int32_t> index_of(IndexId id) const {
    return {index_values_.data() + index_first_[id], index_first_[id + 1] - index_first_[id]};
  }

  /// Names of the lengths that extents speak of ("tau"), in the order of Extent::Bound::which.
  std::vector<std::string> length_names;

  /// Bytes that the columns and tables use (entries, not spare room): affine in what is stored.
  std::size_t bytes() const;

 private:
  struct Tables;  // hash tables behind the interning
  ExtentId extent_of(const Op& op, std::span<const Var> inputs, const Attrs& attrs) const;
  ShapeId shape_of(const Op& op, std::span<const Var> inputs, AttrsId attrs);
  ShapeId shape_by_rule(const Op& op, std::span<const Var> inputs, AttrsId attrs);
  void enter_values() const;
  std::int64_t find_name(std::string_view name) const;  // -1: not interned
  std::int64_t find_index(std::span<const std::int32_t> index) const;

  struct Row {  // of one node: half a cache line, written at once
    const Op* op = nullptr;
    std::uint32_t first_input = 0;  // its inputs end where those of the next node begin
    ShapeId shape = 0;
    AttrsId attrs = 0;
    NameId name = 0;
    IndexId index = 0;
    ExtentId extent : 31 = kShared;
    std::uint32_t is_value : 1 = 0;
  };
  const Row& row(NodeId id) const { return rows_[static_cast<std::size_t>(id)]; }
  Row& row(NodeId id) { return rows_[static_cast<std::size_t>(id)]; }

  Column<Row> rows_;  // and behind the last node where the inputs of the next one will begin
  Column<NodeId> input_;
  mutable Column<NodeId> new_values_;  // not in the tables yet

  // deques: a Shape&, Attrs& or name stays where it is while a rule appends nodes
  std::deque<Shape> shapes_;
  std::deque<Attrs> attr_sets_;
  std::deque<std::string> names_;
  std::deque<Extent> extents_;
  Column<std::int32_t> index_values_;
  Column<std::uint32_t> index_first_;
  std::unique_ptr<Tables> tables_;
  NameId owner_name_ = 0;
  IndexId owner_index_ = 0;
  IndexId last_index_ = 0;  // of intern_index: one step asks for its position many times
};

inline const Shape& Var::shape() const { return tape->shape(id); }
inline ExtentId Var::extent() const { return tape->extent_id(id); }
inline const Op& Var::op() const { return tape->op(id); }
inline std::string_view Var::name() const { return tape->name(id); }

/// A shared handle on a tape; what users build graphs with. Copies share the tape.
class Graph {
 public:
  Graph();

  Var input(std::string_view name, const Shape& shape = {});   ///< per example
  Var category(std::string_view name, std::int64_t size);      ///< per example, a symbol 0..size-1
  Var weight(std::string_view name, const Shape& shape = {});  ///< not per example
  Var constant(double value, const Shape& shape = {});         ///< not per example
  /// Names a node `name[index...]`; returns it.
  Var name(Var v, std::string_view name, std::initializer_list<std::int32_t> index = {});
  /// The node of that name and index. @throws Error (G014) where there is none
  Var at(std::string_view name, std::initializer_list<std::int32_t> index = {}) const;

  NodeId size() const { return tape_->size(); }
  Node node(NodeId id) const { return tape_->node(id); }
  Tape& tape() const { return *tape_; }

 private:
  std::shared_ptr<Tape> tape_;
};

}  // namespace taugrad
