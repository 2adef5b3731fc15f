#include "taugrad/graph/graph.h"

#include <algorithm>

#include "base/fail.h"
#include "base/limits.h"
#include "graph/place.h"
#include "graph/tables.h"
#include "taugrad/graph/op.h"

namespace taugrad {

Tape::Tape() : rows_{Row{}}, index_first_{0}, tables_(std::make_unique<Tables>()) {
  intern_name("");          // id 0: no name
  intern_index({});         // id 0: no index
  intern_attrs({});         // id 0: no attributes
  extents_.emplace_back();  // id 0: shared, never looked up
  intern_extent(Extent{});  // id 1: every item
}

Tape::~Tape() = default;

Node Tape::node(NodeId id) const {
  return {id,       op(id),    inputs(id),   shape(id),    attrs(id),
          name(id), index(id), is_value(id), extent_id(id)};
}

std::string Tape::label(NodeId id) const {
  if (row(id).name == 0) return fmt::format("node {} ({})", id, op(id).name);
  std::string text(name(id));
  if (row(id).index != 0) text += fmt::format("[{}]", fmt::join(index(id), ","));
  if (!is_value(id)) text += fmt::format(" ({})", op(id).name);
  return text;
}

void Tape::reserve(std::size_t nodes) {
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
  for (const NodeId in : inputs) input_.push_back(in);
  Row& row = rows_.back();
  row = {&op, row.first_input, shape, attrs, owner_name_, owner_index_, extent & kMaxExtents, 0};
  rows_.push_back({.first_input = static_cast<std::uint32_t>(input_.size())});
  return id;
}

Var Tape::leaf(const Op& op, const Shape& shape, ExtentId extent, const Attrs& attrs) {
  return var(append_raw(op, {}, intern_shape(shape), intern_attrs(attrs), extent));
}

void Tape::set_value(NodeId id, NameId name, IndexId index) {
  if (is_value(id)) return;
  row(id).name = name;
  row(id).index = index;
  row(id).is_value = 1;
  new_values_.push_back(id);
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

NodeId Tape::find_value(std::string_view name, std::span<const std::int32_t> index) const {
  const std::int64_t name_id = find_name(name), index_id = find_index(index);
  if (name_id < 0 || index_id < 0) return -1;
  const std::lock_guard lock(tables_->entering);
  enter_values();
  const auto same = [&](std::int64_t other) {
    const auto node = static_cast<NodeId>(other);
    return this->name(node) == name && std::ranges::equal(this->index(node), index);
  };
  const std::uint64_t hash =
      mixed(static_cast<std::uint64_t>(name_id), static_cast<std::uint64_t>(index_id));
  return static_cast<NodeId>(tables_->values.find(hash, same));
}

std::size_t Tape::bytes() const {
  std::size_t total = rows_.size() * sizeof(Row) + input_.size() * sizeof(NodeId);
  total += shapes_.size() * sizeof(Shape) + attr_sets_.size() * sizeof(Attrs);
  total += names_.size() * sizeof(std::string) + extents_.size() * sizeof(Extent);
  for (const std::string& name : names_) total += name.size();
  for (const Extent& e : extents_) total += e.bounds.size() * sizeof(Extent::Bound);
  total += (index_values_.size() + index_first_.size()) * sizeof(std::int32_t);
  return total + tables_->bytes();
}

Graph::Graph() : tape_(std::make_shared<Tape>()) {}

Var Graph::name(Var v, std::string_view name, std::initializer_list<std::int32_t> index) {
  const std::span<const std::int32_t> position(index.begin(), index.size());
  tape_->set_value(v.id, tape_->intern_name(name), tape_->intern_index(position));
  return v;
}

Var Graph::at(std::string_view name, std::initializer_list<std::int32_t> index) const {
  const std::span<const std::int32_t> position(index.begin(), index.size());
  const NodeId id = tape_->find_value(name, position);
  if (id < 0)
    fail(Status::bad_input, "G014", "the graph has no node \"{}{}\"", name,
         position.empty() ? "" : fmt::format("[{}]", fmt::join(position, ",")));
  return tape_->var(id);
}

}  // namespace taugrad
