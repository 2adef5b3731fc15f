#include "base/fail.h"
#include "base/limits.h"
#include "base/shape_format.h"
#include "base/utf8.h"
#include "graph/tables.h"
#include "taugrad/graph/op.h"

// What may stand as the value of a name: of one name and position one node, of one name's leaves
// one tensor.
namespace taugrad {
namespace {

bool given(const Op& op) { return op.traits.leaf && op.forward.f64 == nullptr; }

}  // namespace

void check_name(std::string_view name) {
  if (name.empty() || name.size() > limits::kNameBytes)
    fail(Status::bad_input, "G025", "a node's name has 1..{} bytes, got {}", limits::kNameBytes,
         name.size());
  if (!is_utf8(name))
    fail(Status::bad_input, "G025", "a name is UTF-8 text, got \"{}\"", printable(name, 80));
}

// All leaves of a name read one tensor: of one kind, shape, alphabet and number of positions.
void Tape::check_leaf(NameId name, const LeafKind& leaf) const {
  const NodeId first = tables_->first_leaf(name);
  if (first < 0) return;
  const LeafKind other = leaf_kind(first);
  const std::string own = fmt::format("{} \"{}\"", leaf.op->name, printable(name_of(name), 80));
  const std::string before = fmt::format("{} \"{}\"", other.op->name, printable(label(first), 80));
  if (leaf.op != other.op)
    fail(Status::bad_input, "G013", "{} has the name of {}", own, before);
  if (!(leaf.shape == other.shape))
    fail(Status::bad_input, "G024", "{} has shape {}, {} has shape {}", own, leaf.shape, before,
         other.shape);
  if (leaf.category != other.category || leaf.shared != other.shared)
    fail(Status::bad_input, "G013", "{} is of another kind than {}", own, before);
  if (leaf.positions != other.positions)
    fail(Status::bad_input, "G013", "{} has {} positions, {} has {}", own, leaf.positions, before,
         other.positions);
}

Tape::LeafKind Tape::leaf_kind(NodeId id) const {
  return {&op(id), shape(id), category(id), extent_id(id) == kShared, index(id).size()};
}

void Tape::check_free(NodeId id, std::string_view name,
                      std::span<const std::int32_t> index) const {
  check_name(name);
  const NodeId first = find_value(name, index);
  if (first < 0 || first == id) return;
  const bool its_copy = id >= 0 && op(id).traits.view && op(id).traits.linear &&
                        inputs(id)[0] == first && given(op(first));
  if (!its_copy)
    fail(Status::bad_input, "G013", "node \"{}\" defined twice (first: node {})",
         printable(label(first), 80), first);
}

void Tape::name_value(NodeId id, std::string_view name, std::span<const std::int32_t> index) {
  check_name(name);
  const NameId name_id = intern_name(name);
  const bool leaf = given(op(id)) && !is_value(id);
  if (leaf) {
    LeafKind kind = leaf_kind(id);
    kind.positions = index.size();
    check_leaf(name_id, kind);
  }
  check_free(id, name, index);
  set_value(id, name_id, intern_index(index));
  if (leaf) tables_->enter_leaf(name_id, id);
}

Var Tape::named_leaf(const Op& op, const Shape& shape, ExtentId extent, const Attrs& attrs,
                     std::string_view name, std::span<const std::int32_t> index) {
  if (name.empty() && index.empty()) return leaf(op, shape, extent, attrs);
  check_name(name);
  const NameId name_id = intern_name(name);
  const std::int64_t category = categories_[intern_attrs(attrs)];
  check_leaf(name_id, {&op, shape, category, extent == kShared, index.size()});
  check_free(-1, name, index);  // before there is a leaf that an error would leave without a name
  const Var v = leaf(op, shape, extent, attrs);
  set_value(v.id, name_id, intern_index(index));
  tables_->enter_leaf(name_id, v.id);
  return v;
}

}  // namespace taugrad
