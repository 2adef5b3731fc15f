#include "base/fail.h"
#include "base/limits.h"
#include "base/shape_format.h"
#include "base/utf8.h"
#include "graph/tables.h"
#include "taugrad/graph/op.h"

// What may stand as the value of a name: of one name and position one node, of one name's leaves
// one tensor.
namespace taugrad {

bool Tape::is_given(NodeId id) const {
  const Op& op = *row(id).op;
  return op.traits.leaf && op.forward.f64 == nullptr;
}

bool Tape::is_weight_copy(NodeId id) const {
  const Op& op = *row(id).op;
  return op.traits.view && op.traits.linear && is_given(inputs(id)[0]) && extent_id(id) == kShared;
}

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
  if (leaf == other) return;
  const std::string own = fmt::format("{} \"{}\"", leaf.op->name, printable(name_of(name), 80));
  const std::string before = fmt::format("{} \"{}\"", other.op->name, printable(label(first), 80));
  if (leaf.op != other.op) fail(Status::bad_input, "G013", "{} has the name of {}", own, before);
  if (!(leaf.shape == other.shape))
    fail(Status::bad_input, "G024", "{} has shape {}, {} has shape {}", own, leaf.shape, before,
         other.shape);
  if (leaf.category != other.category || leaf.shared != other.shared)
    fail(Status::bad_input, "G013", "{} is of another kind than {}", own, before);
  Diagnostic d;
  d.code = "G013";
  const auto count = [](std::size_t n) {
    return n == 1 ? "an index" : fmt::format("{} indices", n);
  };
  d.message = fmt::format("{} has {}, {} has {}", own, count(leaf.positions), before,
                          count(other.positions));
  if (leaf.positions == 0 || other.positions == 0)
    d.help = "one of them was made within a step, where x is x[t], the other outside of all";
  fail(Status::bad_input, std::move(d));
}

Tape::LeafKind Tape::leaf_kind(NodeId id) const {
  return {&op(id), shape(id), category(id), extent_id(id) == kShared, index(id).size()};
}

// Leaves, and values but for those of other letters than the name has, are one to a position. An
// untied weight and the copies of its leaves may share it, and copies of one weight in loops over
// different letters, and their gradients.
void Tape::check_free(NodeId id, NameId name, IndexId index) const {
  check_free(id, id >= 0 && is_weight_copy(id) ? inputs(id)[0] : -1, name, index);
}

// `copied`: the weight that `id` is a copy of, or -1; of a copy that is not made yet `id` is -1
void Tape::check_free(NodeId id, NodeId copied, NameId name, IndexId index) const {
  const bool gradient = names_[name].starts_with("grad:");
  NameId other = name;
  do {
    const NodeId first = find_exact(other, index);
    if (first >= 0 && first != id) {
      const bool allowed =
          (gradient && other != name) ||
          (copied >= 0 && (copied == first || (is_weight_copy(first) &&
                                               (inputs(first)[0] != copied || other != name))));
      if (!allowed) refuse_second(first);
    }
    other = name_rows_[other].next;
  } while (other != name);
}

void Tape::refuse_second(NodeId first) const {
  Diagnostic d;
  d.code = "G013";
  d.message =
      fmt::format("node \"{}\" defined twice (first: node {})", printable(label(first), 80), first);
  const std::string name = printable(this->name(first), 80);
  if (is_given(first))
    d.help = fmt::format(
        "a leaf is made once and read by many: keep the Var, or g.at(\"{}\"){}",
        printable(label(first), 80),
        in_step() ? "" : "; in a loop, each step has its own: const auto step = g.step(\"t\", t)");
  else
    d.help = index(first).empty()
                 ? fmt::format(
                       "in a loop, each step has its own: const auto step = g.step(\"t\", t); "
                       "or name(v, \"{}\", {{t}})",
                       name)
                 : "a position has one value of a name: another name, or another step";
  fail(Status::bad_input, std::move(d));
}

// What a value is made of in its own step, and nobody has named, are steps on the way to it.
void Tape::own_ancestors(NodeId id, NameId name) {
  const NameId here = name_id(id);
  const IndexId index = index_id(id);
  std::vector<NodeId>& open = tables_->claiming;
  open.assign(1, id);
  while (!open.empty()) {
    const NodeId user = open.back();
    open.pop_back();
    for (const NodeId in : inputs(user)) {
      Row& row = rows_[static_cast<std::size_t>(in)];
      if (row.name != here || row.index != index || row.is_value != 0) continue;
      row.name = name;
      open.push_back(in);
    }
  }
}

// The number of a name in the open steps: with their letters, where it has a place for each.
NameId Tape::variable(std::string_view name, IndexId index) {
  if (name.empty()) check_name(name);  // which refuses it; all others are checked once
  const NameId id = intern_name(name);
  if (!in_step() || index_of(index).size() != steps_->letters.size()) return id;
  const std::uint32_t letters = name_rows_[steps_->levels.back().name].letters;
  const std::uint32_t own = name_rows_[id].letters;
  if (own != 0 && own != letters)
    fail(Status::bad_input, "G013", "\"{}\" is indexed by {}, here by {}", printable(name, 80),
         fmt::join(letter_lists_[own], ","), fmt::join(steps_->letters, ","));
  return lettered(id, letters);
}

void Tape::name_value(NodeId id, std::string_view name, std::span<const std::int32_t> index) {
  const IndexId index_id = intern_index(index);
  name_value(id, variable(name, index_id), index_id);
}

void Tape::name_value(NodeId id, NameId name, IndexId index) {
  check_labels(name, index);
  if (is_value(id) && (name_id(id) != name || index_id(id) != index))
    fail(Status::bad_input, "G013", "node {} is {} already: a further name is that of a copy", id,
         printable(label(id), 80));
  if (is_given(id) && !is_value(id)) {
    LeafKind kind = leaf_kind(id);
    kind.positions = index_of(index).size();
    check_leaf(name, kind);
  }
  check_free(id, name, index);
  if (index != 0 && index == index_id(id) && !is_value(id) && this->name(id).empty())
    own_ancestors(id, name);
  set_value(id, name, index);
}

void Tape::know_as(NodeId id, NameId name, IndexId index) {
  check_labels(name, index);
  if (!is_value(id)) tables_->known_as.try_emplace(id, name, index);
}

std::string Tape::known_as(NodeId id) const {
  if (tables_->known_as.empty() || is_value(id)) return "";
  const auto known = tables_->known_as.find(id);
  if (known == tables_->known_as.end()) return "";
  return value_text(known->second.first, known->second.second);
}

std::string_view Tape::known_name(NodeId id) const {
  if (tables_->known_as.empty() || is_value(id)) return {};
  const auto known = tables_->known_as.find(id);
  return known == tables_->known_as.end() ? std::string_view() : names_[known->second.first];
}

Var Tape::named_leaf(const Op& op, const Shape& shape, ExtentId extent, const Attrs& attrs,
                     std::string_view name, std::span<const std::int32_t> index) {
  if (name.empty() && index.empty()) return leaf(op, shape, extent, attrs);
  const IndexId index_id = intern_index(index);
  const NameId name_id = variable(name, index_id);
  const std::int64_t category = categories_[intern_attrs(attrs)];
  check_leaf(name_id, {&op, shape, category, extent == kShared, index.size()});
  check_free(-1, name_id, index_id);  // before an error would leave a leaf without a name
  const Var v = leaf(op, shape, extent, attrs);
  set_value(v.id, name_id, index_id);
  return v;
}

}  // namespace taugrad
