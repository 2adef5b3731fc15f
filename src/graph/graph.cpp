#include "taugrad/graph/graph.h"

#include <algorithm>
#include <limits>
#include <ostream>

#include "base/fail.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "graph/named_nodes.h"
#include "graph/position_text.h"
#include "graph/tables.h"
#include "taugrad/graph/op.h"

namespace taugrad {

Tape::Tape() : rows_{Row{}}, index_first_{0}, tables_(std::make_unique<Tables>()) {
  intern_letters({});       // id 0: no letters
  intern_name("");          // id 0: no name
  intern_index({});         // id 0: no index
  intern_attrs({});         // id 0: no attributes
  extents_.emplace_back();  // id 0: shared, never looked up
  intern_extent(Extent{});  // id 1: every item
}

Tape::~Tape() = default;

void TapeRef::refuse_empty() {
  fail(Status::usage, "U021",
       "a Var or a Graph that holds nothing: never given one, or moved from");
}

void Tape::refuse_node(NodeId id) const {
  fail(Status::usage, "U022", "the graph has no node {}: it has {}", id, size());
}

void Tape::refuse_number(std::uint64_t id, std::size_t count) {
  fail(Status::usage, "U022", "the graph has no entry {}: it has {} of the kind", id, count);
}

NodeId Tape::own(const Var& v) const {
  const Tape& tape = *v.tape;
  if (&tape != this) fail(Status::usage, "U021", "node {} is not of this graph", v.id);
  row(v.id);
  return v.id;
}

Node Tape::node(NodeId id) const {
  return {id,       op(id),    inputs(id),   shape(id),    attrs(id),
          name(id), index(id), is_value(id), extent_id(id)};
}

bool Tape::has_letters(NameId name) const {
  int lists = 0;
  for (NameId other = name;;) {
    lists += name_rows_[other].least <= name_rows_[other].most ? 1 : 0;
    other = name_rows_[other].next;
    if (other == name) return lists > 1;
  }
}

std::string Tape::value_text(NameId name, IndexId index) const {
  std::string text(names_[name]);
  if (index == 0) return text;
  const auto at = index_of(index);
  const auto letters = letters_of(name);
  const bool told = letters.size() == at.size() && has_letters(name);
  for (std::size_t i = 0; i < at.size(); ++i)
    text += fmt::format("{}{}{}", i == 0 ? "[" : ",", told ? letters[i] + "=" : "", at[i]);
  return text + "]";
}

std::string Tape::label(NodeId id) const {
  if (const std::string known = known_as(id); !known.empty())
    return fmt::format("{} ({})", known, op(id).name);
  if (name(id).empty()) return fmt::format("node {} ({})", id, op(id).name);
  std::string text = value_text(row(id).name, row(id).index);
  if (!is_value(id)) text += fmt::format(" ({})", op(id).name);
  return text;
}

std::string_view Var::name() const {
  const std::string_view known = tape->known_name(id);
  return known.empty() ? tape->name(id) : known;
}

std::ostream& operator<<(std::ostream& out, const Var& v) {
  if (!v) return out << "a Var that holds nothing";
  const bool told = !v.name().empty() && v.tape->is_value(v.id);
  return out << printable(v.tape->label(v.id)) << (told ? fmt::format(" ({})", v.op().name) : "")
             << ' ' << v.shape();
}

void Tape::reserve(std::size_t nodes) {
  constexpr auto kMost = static_cast<std::size_t>(std::numeric_limits<NodeId>::max());
  if (nodes >= kMost)
    fail(Status::usage, "U022", "a tape has at most {} nodes, not {}", kMost, nodes);
  rows_.reserve(nodes + 1);
  input_.reserve(2 * nodes);
}

namespace {
constexpr ExtentId kMaxExtents = 0x7fffffff;  // what Row::extent holds
}

void require_room(std::size_t nodes, std::size_t inputs) {
  if (nodes > limits::kNodes || inputs > limits::kInputs) [[unlikely]]
    fail(Status::resource, "R002", "a graph has at most {} nodes that read {} others",
         limits::kNodes, limits::kInputs);
}

NodeId Tape::append_raw(const Op& op, std::span<const NodeId> inputs, ShapeId shape, AttrsId attrs,
                        ExtentId extent) {
  require_room(rows_.size(), input_.size() + inputs.size());
  const NodeId id = size();
  if (id >= limits::kUnfoldedNodes || input_.size() + inputs.size() > UINT32_MAX) [[unlikely]]
    fail(Status::resource, "G022", "a graph has at most {} nodes and 2^32 inputs in all",
         limits::kUnfoldedNodes);
  if (shape >= shapes_.size() || attrs >= categories_.size() || extent >= extents_.size())
      [[unlikely]]
    refuse_number(std::max({shape, attrs, extent}), shapes_.size());
  for (const NodeId in : inputs) input_.push_back(in);
  Row& row = rows_.back();
  row = {&op, row.first_input, shape, attrs, owner_name_, owner_index_, extent & kMaxExtents, 0};
  rows_.push_back({.first_input = static_cast<std::uint32_t>(input_.size())});
  return id;
}

void Tape::set_value(NodeId id, NameId name, IndexId index) {
  check_labels(name, index);
  if (is_value(id)) return;
  Row& row = rows_[static_cast<std::size_t>(id)];
  row.name = name;
  row.index = index;
  row.is_value = 1;
  new_values_.push_back(id);
  if (is_given(id)) tables_->enter_leaf(name, id);
  if (index == 0) return;
  NameRow& all = name_rows_[name];
  all.least = std::min(all.least, index);
  all.most = std::max(all.most, index);
}

/// Values are looked up rarely and set often: they are entered when somebody asks.
void Tape::enter_values() const {
  for (const NodeId id : new_values_) {
    const auto same = [&](std::int64_t other) {
      const auto node = static_cast<NodeId>(other);
      return name_id(node) == name_id(id) && index_id(node) == index_id(id);
    };
    const std::uint64_t hash = mixed(name_id(id), index_id(id));
    if (tables_->values.find(hash, same) < 0) tables_->values.insert(hash, id);
  }
  new_values_.clear();
}

NodeId Tape::find_exact(NameId name, IndexId index) const {
  const NameRow& all = name_rows_[name];
  if (index != 0 && (index < all.least || index > all.most)) return -1;  // no need to look
  const std::lock_guard lock(tables_->entering);
  enter_values();
  return static_cast<NodeId>(tables_->values.find(mixed(name, index), [&](std::int64_t id) {
    const auto node = static_cast<NodeId>(id);
    return name_id(node) == name && index_id(node) == index;
  }));
}

NodeId Tape::find_value(std::string_view name, std::span<const std::int32_t> index) const {
  const std::int64_t name_id = find_name(name), index_id = find_index(index);
  if (name_id < 0 || index_id < 0) return -1;
  const auto first = static_cast<NameId>(name_id);
  // of copies in loops over other letters, that of the step that is open
  const std::uint32_t here = in_step() ? name_rows_[steps_->levels.back().name].letters : 0;
  NameId id = first;
  NodeId found = -1;
  do {
    const NodeId node = find_exact(id, static_cast<IndexId>(index_id));
    if (node >= 0 && (here == 0 || name_rows_[id].letters == here)) return node;
    if (found < 0) found = node;
    id = name_rows_[id].next;
  } while (id != first);
  return found;
}

std::vector<NodeId> Tape::find_values(std::string_view name,
                                      std::span<const std::int32_t> index) const {
  std::vector<NodeId> found;
  const std::int64_t name_id = find_name(name), index_id = find_index(index);
  if (name_id < 0 || index_id < 0) return found;
  const auto first = static_cast<NameId>(name_id);
  NameId id = first;
  do {
    const NodeId node = find_exact(id, static_cast<IndexId>(index_id));
    if (node >= 0) found.push_back(node);
    id = name_rows_[id].next;
  } while (id != first);
  return found;
}

std::size_t Tape::bytes() const {
  std::size_t total = rows_.size() * sizeof(Row) + input_.size() * sizeof(NodeId);
  total += shapes_.size() * sizeof(Shape) + attr_sets_.size() * sizeof(Attrs);
  total += names_.size() * sizeof(std::string) + extents_.size() * sizeof(Extent);
  total += name_rows_.size() * sizeof(NameRow);
  for (const std::string& name : names_) total += name.size();
  for (const Extent& e : extents_) total += e.bounds.size() * sizeof(Extent::Bound);
  total += (index_values_.size() + index_first_.size()) * sizeof(std::int32_t);
  return total + tables_->bytes();
}

Graph::Graph() : tape_(new Tape) {}

namespace {
[[noreturn]] void refuse_missing(const Tape& tape, std::string_view text) {
  Diagnostic d;
  d.code = "G014";
  d.message = fmt::format("the graph has no node \"{}\"", printable(text, 80));
  d.help = help_for_missing(tape, NamedNodes(tape), text);
  fail(Status::usage, std::move(d));
}
}  // namespace

Var Graph::at(std::string_view name, std::initializer_list<std::int32_t> index) const {
  const std::span<const std::int32_t> position(index.begin(), index.size());
  const NodeId id = tape_->find_value(name, position);
  if (id < 0)
    refuse_missing(*tape_, position.empty()
                               ? std::string(name)
                               : fmt::format("{}[{}]", name, fmt::join(position, ",")));
  if (tape_->has_letters(tape_->name_id(id)) && !tape_->in_step() &&
      tape_->find_values(name, position).size() > 1) {
    Diagnostic d;
    d.code = "G014";
    d.message = fmt::format("\"{}[{}]\" is a node for each letter", printable(name, 80),
                            fmt::join(position, ","));
    d.help = fmt::format("say which: at(\"{}\")", printable(tape_->label(id), 80));
    fail(Status::usage, std::move(d));
  }
  return tape_->var(id);
}

Var Graph::at(std::string_view text) const {
  NodeId id = find_node(*tape_, text);
  if (id < 0 && tape_->in_step())
    id = tape_->find_value(text, tape_->index_of(tape_->step_index()));
  if (id < 0) refuse_missing(*tape_, text);
  return tape_->var(id);
}

namespace {
Vars leaves(Tape& tape, std::string_view op) {
  Vars found;
  for (NodeId id = 0; id < tape.size(); ++id)
    if (tape.op(id).name == op) found.push_back(tape.var(id));
  return found;
}
}  // namespace

Vars Graph::weights() const { return leaves(*tape_, "weight"); }
Vars Graph::inputs() const { return leaves(*tape_, "input"); }

}  // namespace taugrad
