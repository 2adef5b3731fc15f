#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "taugrad/base/column.h"
#include "taugrad/base/shape.h"
#include "taugrad/graph/attrs.h"

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

namespace taugrad {

/// Whether no other thread of the process can be at work, where the system tells.
inline bool one_thread() noexcept {
#if __has_include(<sys/single_threaded.h>)
  return __libc_single_threaded != 0;
#else
  return false;
#endif
}

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

/// A share in a tape, which lives as long as one of them does. Looking through an empty one is an
/// Error (U021).
class TapeRef {
 public:
  TapeRef() = default;
  TapeRef(Tape* tape) noexcept;  // NOLINT: a tape in use is shared by naming it
  TapeRef(const TapeRef& other) noexcept : TapeRef(other.tape_) {}
  TapeRef(TapeRef&& other) noexcept : tape_(std::exchange(other.tape_, nullptr)) {}
  TapeRef& operator=(const TapeRef& other) noexcept { return *this = TapeRef(other); }
  TapeRef& operator=(TapeRef&& other) noexcept {
    std::swap(tape_, other.tape_);
    return *this;
  }
  ~TapeRef();

  Tape* get() const noexcept { return tape_; }
  Tape& operator*() const {
    if (tape_ == nullptr) [[unlikely]]
      refuse_empty();
    return *tape_;
  }
  Tape* operator->() const { return &**this; }
  explicit operator bool() const { return tape_ != nullptr; }
  bool operator==(const TapeRef&) const = default;
  bool operator==(const Tape* tape) const { return tape_ == tape; }

 private:
  [[noreturn]] static void refuse_empty();
  Tape* tape_ = nullptr;
};

/// A handle on one node; it keeps the tape alive. Whatever takes one refuses an empty one, and one
/// of another graph than it works on, as a usage Error (U021).
struct Var {
  TapeRef tape;
  NodeId id = -1;

  explicit operator bool() const { return static_cast<bool>(tape); }
  const Shape& shape() const;
  ExtentId extent() const;
  bool per_example() const { return extent() != kShared; }
  const Op& op() const;
  /// Of the variable it is or belongs to; "grad:W" of every gradient of W. May be empty.
  std::string_view name() const;
  /// Row i along the first axis, of a vector a number. @throws Error (G020) where there is none
  Var operator[](std::int64_t i) const;
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
/// A number of a node, name, shape.. that the tape does not have is a usage Error (U022).
/// A Graph makes it. Any number of threads may read it while none appends; appending takes one
/// thread at a time.
class Tape {
 public:
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  NodeId size() const { return static_cast<NodeId>(rows_.size() - 1); }
  Node node(NodeId id) const;
  Var var(NodeId id) {
    check(id);
    return {this, id};
  }

  const Op& op(NodeId id) const { return *row(id).op; }
  std::span<const NodeId> inputs(NodeId id) const {
    const Row* row = &this->row(id);  // and the one behind it, which there always is
    return {input_.data() + row[0].first_input, row[1].first_input - row[0].first_input};
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
  std::span<const std::int32_t> index(NodeId id) const { return index_at(row(id).index); }
  /// What the numbers of its index count: {"t"} of h[3], {"i", "j"} of p[1,2]. Empty where there is
  /// no index, or nobody said.
  std::span<const std::string> letters(NodeId id) const;
  /// "h[3]", "W", "h[3] (mul)" for an unnamed step on the way, "node 17 (mul)" without an owner. A
  /// name whose values stand at positions of several letters has "W[t=3]", "W[s=3]".
  std::string label(NodeId id) const;

  /// Room for so many nodes. Of a long tape, memory is taken only where nodes are written.
  void reserve(std::size_t nodes);
  /// The number of a node of this tape. @throws Error (U021) for an empty Var, or another tape's
  NodeId own(const Var& v) const;
  void check(NodeId id) const { row(id); }  ///< @throws Error (U022) where there is no such node
  /// The size of the alphabet where a node is a category, else 0.
  std::int64_t category(NodeId id) const;

  /// Appends a checked node: asks the op's rules for shape, items, and all else (Op::check).
  /// @throws Error (G020, E011) with op, node, owner and inputs named; (U021) for a Var of another
  /// tape
  Var append(const Op& op, std::span<const Var> inputs, const Attrs& attrs = {});
  Var append(const Op& op, std::span<const NodeId> inputs, const Attrs& attrs = {});
  /// Appends without asking the op's rules: the caller (templates of unfolding) has.
  NodeId append_raw(const Op& op, std::span<const NodeId> inputs, ShapeId shape, AttrsId attrs,
                    ExtentId extent);
  /// A leaf (no inputs) of a given shape and extent, checked likewise.
  Var leaf(const Op& op, const Shape& shape, ExtentId extent, const Attrs& attrs = {});

  /// Makes `id` the value of `name[index]`; a node has at most one name, the first stays. That no
  /// other node has it is the caller's to see to (templates of unfolding); `name_value` looks.
  void set_value(NodeId id, NameId name, IndexId index);
  /// The same, checked: leaves of one name fit one tensor, and no other node is `name[index]` but
  /// an untied weight beside its copy, or a weight's copy of other letters. What it is made of in
  /// its own step, and nobody has named, becomes a step on the way to it.
  /// @throws Error (G013, also where `id` has another name; G024; G025 for what is not a name)
  void name_value(NodeId id, NameId name, IndexId index);
  void name_value(NodeId id, std::string_view name, std::span<const std::int32_t> index = {});
  /// A leaf that is `name[index]`: an input, a weight; without a name, one that stands alone.
  Var named_leaf(const Op& op, const Shape& shape, ExtentId extent, const Attrs& attrs,
                 std::string_view name, std::span<const std::int32_t> index = {});
  /// @throws Error (G013) where a node other than `id` is `name[index]`
  void check_free(NodeId id, NameId name, IndexId index) const;
  /// The copy of a weight at the position of the open scopes, else of the owner, made where none
  /// is yet: W[3].
  /// @param copy  the record of copies
  NodeId weight_copy(NodeId weight, const Op& copy);
  /// A node that would be `name[index]`, were that not taken: the second gradient of W. Outputs of
  /// programs bear that label; nothing finds the node by it.
  void know_as(NodeId id, NameId name, IndexId index);
  std::string known_as(NodeId id) const;         ///< "grad:W[3]", or nothing
  std::string_view known_name(NodeId id) const;  ///< the same without its position: "grad:W"
  /// The first node made the value of `name[index]`, or -1.
  NodeId find_value(std::string_view name, std::span<const std::int32_t> index = {}) const;
  /// The first of each list of letters: a weight read in loops over s and over t has two W[1].
  std::vector<NodeId> find_values(std::string_view name,
                                  std::span<const std::int32_t> index = {}) const;
  /// Whether values of that name stand at positions of several letters, so that labels say them.
  bool has_letters(NameId name) const;
  /// New nodes belong to `name[index]` until changed: errors, clusters and profiles use it.
  void set_owner(NameId name, IndexId index) {
    check_labels(name, index);
    owner_name_ = name;
    owner_index_ = index;
  }
  NameId owner_name() const { return owner_name_; }
  IndexId owner_index() const { return owner_index_; }

  /// Opens a scope within those that are open: until it is left, nodes that are appended checked
  /// belong to its position, and read weights through its copies.
  /// @param weight, copy  the records of weights and of copies
  /// @throws Error (G013) where the letter is open already, (G011) for a position of more than 32
  /// bits, (G025) for what is not a name
  void enter_step(std::string_view letter, std::int64_t position, const Op& weight, const Op& copy);
  /// Leaves all scopes but the outermost `depth`.
  void leave_steps(std::size_t depth) noexcept;
  std::size_t step_depth() const;
  IndexId step_index() const;  ///< the position of the open scopes; 0: none is open
  /// Whether open scopes are heeded from now on; returns whether they were. Derivatives belong to
  /// the positions of their primals.
  bool heed_steps(bool heed) noexcept { return std::exchange(heed_steps_, heed); }
  bool in_step() const { return heed_steps_ && step_index() != 0; }
  /// A number of an expression; within a step, of equal ones the first, without axes.
  Var number(const Op& constant, const Shape& shape, const Attrs& attrs);

  /// @throws Error (G025) for more than 256 bytes, or what is not UTF-8
  NameId intern_name(std::string_view name);
  /// The name of a variable whose index counts `letters`. The first letters given to a name are the
  /// name's own; with others the same text has another number.
  NameId intern_name(std::string_view name, std::span<const std::string> letters);
  std::span<const std::string> letters_of(NameId id) const;
  IndexId intern_index(std::span<const std::int32_t> index);
  ShapeId intern_shape(const Shape& shape);
  AttrsId intern_attrs(const Attrs& attrs);
  /// @throws Error (G013) for bounds out of order, (G011) for one below 1
  ExtentId intern_extent(const Extent& extent);
  const Shape& shape_of(ShapeId id) const { return entry(shapes_, id); }
  const Attrs& attrs_of(AttrsId id) const { return entry(attr_sets_, id); }
  const Extent& extent(ExtentId id) const { return entry(extents_, id); }  ///< id != kShared
  std::size_t extent_count() const { return extents_.size(); }
  std::string_view name_of(NameId id) const { return entry(names_, id); }
  std::span<const std::int32_t> index_of(IndexId id) const {
    if (id + std::size_t{1} >= index_first_.size()) [[unlikely]]
      refuse_number(id, index_first_.size() - 1);
    return index_at(id);
  }

  /// Names of the lengths that extents speak of ("tau"), in the order of Extent::Bound::which.
  std::vector<std::string> length_names;
  /// [which] the longest item that there are steps for; -1, or no entry: not known.
  std::vector<std::int64_t> longest;

  /// Bytes that the columns and tables use (entries, not spare room): affine in what is stored.
  std::size_t bytes() const;

 private:
  friend class TapeRef;
  friend class Graph;
  Tape();
  struct Tables;  // hash tables behind the interning
  ExtentId extent_of(const Op& op, std::span<const NodeId> inputs, const Attrs& attrs) const;
  ShapeId shape_of(const Op& op, std::span<const NodeId> inputs, AttrsId attrs);
  ShapeId shape_by_rule(const Op& op, std::span<const NodeId> inputs, AttrsId attrs);
  struct Ruled {  // what an op's rules say of a node
    ShapeId shape;
    AttrsId attrs;
    ExtentId extent;
  };
  Ruled ruled(const Op& op, std::span<const NodeId> inputs, const Attrs& attrs);
  void check_rules(const Op& op, std::span<const NodeId> inputs, ShapeId shape, AttrsId attrs,
                   ExtentId extent) const;
  struct LeafKind {
    const Op* op;
    Shape shape;
    std::int64_t category;
    bool shared;
    std::size_t positions;
    bool operator==(const LeafKind&) const = default;
  };
  LeafKind leaf_kind(NodeId id) const;
  void check_leaf(NameId name, const LeafKind& leaf) const;
  void enter_values() const;
  [[noreturn]] void refuse_second(NodeId first) const;
  NodeId find_exact(NameId name, IndexId index) const;
  struct CopyPlace {
    NameId name;
    IndexId index;
    NodeId known;  // the copy that stands there, or -1
    bool hidden;   // found by its weight alone
  };
  CopyPlace copy_place(NodeId weight);
  NodeId make_copy(NodeId weight, const CopyPlace& place, const Op& copy);
  void check_free(NodeId id, NodeId copied, NameId name, IndexId index) const;
  std::string value_text(NameId name, IndexId index) const;
  bool is_weight_copy(NodeId id) const;
  bool is_given(NodeId id) const;  // a leaf whose values come from outside
  NameId lettered(NameId name, std::uint32_t letters);
  NameId variable(std::string_view name, IndexId index);
  std::uint32_t intern_letters(std::span<const std::string> letters);
  void own_ancestors(NodeId id, NameId name);
  Var append_in_step(const Op& op, std::span<const NodeId> inputs, const Attrs& attrs);
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
  const Row& row(NodeId id) const {
    const auto i = static_cast<std::size_t>(id);  // a negative one is too large
    if (i >= rows_.size() - 1) [[unlikely]]
      refuse_node(id);
    return rows_[i];
  }
  template <class T>
  static const T& entry(const std::deque<T>& values, std::uint32_t id) {
    if (id >= values.size()) [[unlikely]]
      refuse_number(id, values.size());
    return values[id];
  }
  std::span<const std::int32_t> index_at(IndexId id) const {
    return {index_values_.data() + index_first_[id], index_first_[id + 1] - index_first_[id]};
  }
  void check_labels(NameId name, IndexId index) const {
    if (name >= names_.size() || index + std::size_t{1} >= index_first_.size()) [[unlikely]]
      refuse_number(std::max(name, index), names_.size());
  }
  [[noreturn]] void refuse_node(NodeId id) const;
  [[noreturn]] static void refuse_number(std::uint64_t id, std::size_t count);

  Column<Row> rows_;  // and behind the last node where the inputs of the next one will begin
  Column<NodeId> input_;
  mutable Column<NodeId> new_values_;  // not in the tables yet

  // deques: a Shape&, Attrs& or name stays where it is while a rule appends nodes
  std::deque<Shape> shapes_;
  std::deque<Attrs> attr_sets_;
  Column<std::int64_t> categories_;  // by attributes: the size of the alphabet that they name, or 0
  std::deque<std::string> names_;
  struct NameRow {
    std::uint32_t letters = 0;      // number of the list; 0: none
    NameId next = 0;                // the same text with other letters, in a ring
    IndexId least = ~0u, most = 0;  // numbers of positions where a node is its value, but for 0
  };
  Column<NameRow> name_rows_;
  std::deque<std::vector<std::string>> letter_lists_;
  std::deque<Extent> extents_;
  Column<std::int32_t> index_values_;
  Column<std::uint32_t> index_first_;
  std::unique_ptr<Tables> tables_;
  struct Steps;
  std::unique_ptr<Steps> steps_;  // the open scopes
  bool heed_steps_ = true;
  NameId owner_name_ = 0;
  IndexId owner_index_ = 0;
  IndexId last_index_ = 0;  // of intern_index: one step asks for its position many times
  std::atomic<std::int64_t> shares_ = 0;  // one a TapeRef
};

// While the process has one thread, counting needs no locked instruction.
inline TapeRef::TapeRef(Tape* tape) noexcept : tape_(tape) {
  if (tape == nullptr) return;
  if (one_thread())
    tape->shares_.store(tape->shares_.load(std::memory_order_relaxed) + 1,
                        std::memory_order_relaxed);
  else
    tape->shares_.fetch_add(1, std::memory_order_relaxed);
}
inline TapeRef::~TapeRef() {
  if (tape_ == nullptr) return;
  std::int64_t before;
  if (one_thread()) {
    before = tape_->shares_.load(std::memory_order_relaxed);
    tape_->shares_.store(before - 1, std::memory_order_relaxed);
  } else {
    before = tape_->shares_.fetch_sub(1, std::memory_order_acq_rel);
  }
  if (before == 1) delete tape_;
}

inline const Shape& Var::shape() const { return tape->shape(id); }
inline ExtentId Var::extent() const { return tape->extent_id(id); }
inline const Op& Var::op() const { return tape->op(id); }

/// "h[3] (tanh) [3]": label, operation and shape.
std::ostream& operator<<(std::ostream& out, const Var& v);

}  // namespace taugrad

// Variables are keys of std::map and std::unordered_map: by graph, and in it by number. (a < b is a
// node that compares their values.)
template <>
struct std::less<taugrad::Var> {
  bool operator()(const taugrad::Var& a, const taugrad::Var& b) const noexcept {
    if (a.tape.get() != b.tape.get()) return std::less<>()(a.tape.get(), b.tape.get());
    return a.id < b.id;
  }
};
template <>
struct std::hash<taugrad::Var> {
  std::size_t operator()(const taugrad::Var& v) const noexcept {
    return std::hash<const void*>()(v.tape.get()) * 31 + static_cast<std::size_t>(v.id);
  }
};
