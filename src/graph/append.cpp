#include <algorithm>
#include <array>

#include "base/shape_format.h"
#include "base/utf8.h"
#include "graph/attributes.h"
#include "graph/place.h"
#include "graph/tables.h"

namespace taugrad {

namespace {

// " of h[3]", or " of step t = 3" of what has no name yet
std::string owner_text(const Tape& tape) {
  const std::string_view name = tape.name_of(tape.owner_name());
  const auto index = tape.index_of(tape.owner_index());
  if (!name.empty())
    return index.empty() ? fmt::format(" of {}", name)
                         : fmt::format(" of {}[{}]", name, fmt::join(index, ","));
  const auto letters = tape.letters_of(tape.owner_name());
  if (index.empty() || letters.size() != index.size()) return "";
  std::string text = " of step";
  for (std::size_t i = 0; i < index.size(); ++i)
    text += fmt::format("{} {} = {}", i > 0 ? "," : "", letters[i], index[i]);
  return text;
}

std::string text_of(const Tape& tape, NodeId id, const char* otherwise) {
  return tape.is_value(id) ? printable(tape.name(id), 40) : otherwise;
}

/// A product of a matrix and a vector or a matrix, where one would fit.
std::string help_for_product(const Tape& tape, std::string_view op, NodeId matrix, NodeId vector) {
  const Shape &a = tape.shape(matrix), &b = tape.shape(vector);
  const bool product = a.rank() == 2 && (b.rank() == 1 || b.rank() == 2);
  if (!product || (a[0] != b[0] && a[1] != b[0])) return "";
  const std::string W = text_of(tape, matrix, "W"), h = text_of(tape, vector, "h");
  return a[1] == b[0] ? fmt::format("did you mean {}({}, {})?", op, W, h)
                      : fmt::format("did you mean {}(transpose({}), {})?", op, W, h);
}

/// Element by element a matrix spreads a vector over its rows, W * h: most meant the matrix
/// product, and see it where shapes do not fit later.
std::string help_for(const Tape& tape, const Op& op, std::span<const NodeId> in) {
  if (in.size() != 2) return "";
  if (op.traits.bilinear)
    return help_for_product(tape, op.traits.elementwise ? "matmul" : op.name, in[0], in[1]);
  if (!op.traits.elementwise) return "";
  const auto before_spreading = [&](NodeId id) {
    return tape.op(id).name == "broadcast_to" ? tape.inputs(id)[0] : id;
  };
  for (const NodeId id : in) {
    const Op& product = tape.op(id);
    if (!product.traits.bilinear || !product.traits.elementwise) continue;
    const NodeId a = before_spreading(tape.inputs(id)[0]), b = before_spreading(tape.inputs(id)[1]);
    if (std::string help = help_for_product(tape, "matmul", a, b); !help.empty()) return help;
  }
  return "";
}

}  // namespace

void refuse(const Tape& tape, const Op& op, std::span<const NodeId> inputs, const Error& why) {
  Diagnostic d = why.diagnostics().front();
  d.message = fmt::format("{}: {}\n at node {}", op.name, d.message, tape.size());
  d.message += owner_text(tape);
  const char* before = "; inputs: ";
  for (const NodeId id : inputs) {
    if (id < 0 || id >= tape.size()) continue;
    d.message += fmt::format("{}{} {} {}", before, id, tape.label(id), tape.shape(id));
    before = ", ";
  }
  const bool known =
      std::ranges::all_of(inputs, [&](NodeId id) { return id >= 0 && id < tape.size(); });
  if (d.help.empty() && d.code == "G020" && known) d.help = help_for(tape, op, inputs);
  throw Error(why.status(), std::move(d));
}

void refuse(const Tape& tape, const Op& op, std::span<const Var> inputs, const Error& why) {
  std::vector<NodeId> ids;
  for (const Var& v : inputs)
    if (v.tape == &tape) ids.push_back(v.id);
  refuse(tape, op, ids, why);
}

// Per-example inputs exist for one set of items, and so does the output; without any, it is shared.
ExtentId Tape::extent_of(const Op& op, std::span<const NodeId> inputs, const Attrs& attrs) const {
  if (op.traits.variadic_items) {
    const std::int64_t e = attrs.integer("extent");
    require(e >= kEveryItem && e < static_cast<std::int64_t>(extent_count()), "no set of items {}",
            e);
    check_extent(*this, static_cast<ExtentId>(e));
    return static_cast<ExtentId>(e);
  }
  ExtentId extent = kShared;
  for (const NodeId id : inputs) {
    const ExtentId e = extent_id(id);
    if (e == kShared || e == extent) continue;
    require(extent == kShared, "inputs exist for different items of the batch");
    extent = e;
  }
  return op.traits.sums_items ? kShared : extent;
}

// Equal shapes have equal numbers, and a rule says the same of the same: it is asked once.
ShapeId Tape::shape_of(const Op& op, std::span<const NodeId> inputs, AttrsId attrs) {
  if (inputs.size() > 2) return shape_by_rule(op, inputs, attrs);
  const ShapeId first = shape_id(inputs[0]), last = shape_id(inputs.back());
  if (op.traits.elementwise && first == last) return first;
  const Tables::ShapeQuestion question{&op, inputs.size(), first, last, attrs};
  Tables::ShapeAnswer& answer = tables_->answer(question);
  if (!(answer.question == question)) answer = {question, shape_by_rule(op, inputs, attrs)};
  return answer.shape;
}

ShapeId Tape::shape_by_rule(const Op& op, std::span<const NodeId> inputs, AttrsId attrs) {
  std::array<Shape, 4> few;
  std::vector<Shape> many;
  if (inputs.size() > few.size()) many.resize(inputs.size());
  Shape* shapes = many.empty() ? few.data() : many.data();
  for (std::size_t i = 0; i < inputs.size(); ++i) shapes[i] = shape(inputs[i]);
  return intern_shape(op.shape({shapes, inputs.size()}, attrs_of(attrs)));
}

std::int64_t Tape::category(NodeId id) const {
  const Row* r = &row(id);
  while (r->op->traits.keeps_symbols && categories_[r->attrs] == 0)
    r = &row(input_[r->first_input]);
  return r->attrs == 0 || r->op->traits.tells_symbols ? 0 : categories_[r->attrs];
}

void Tape::check_rules(const Op& op, std::span<const NodeId> inputs, ShapeId shape, AttrsId attrs,
                       ExtentId extent) const {
  if (op.check)
    return op.check({*this, inputs, shape_of(shape), attrs_of(attrs), extent, categories_[attrs],
                     op.traits.keeps_symbols});
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (category(inputs[i]) != 0)
      fail(Status::bad_input, "E011", "works on numbers, input {} is a category", i);
  if (categories_[attrs] != 0) fail(Status::bad_input, "E011", "gives a number, not a category");
}

Tape::Ruled Tape::ruled(const Op& op, std::span<const NodeId> inputs, const Attrs& attrs) {
  require(
      op.arity == kAnyArity ? !inputs.empty() : inputs.size() == static_cast<std::size_t>(op.arity),
      "wrong number of inputs: {}", inputs.size());
  require(op.shape != nullptr, "is a leaf: it takes its shape from its builder");
  check_attributes(op, attrs);
  const ExtentId extent = extent_of(op, inputs, attrs);
  const AttrsId attrs_id = intern_attrs(attrs);
  const ShapeId shape = shape_of(op, inputs, attrs_id);
  check_rules(op, inputs, shape, attrs_id, extent);
  return {shape, attrs_id, extent};
}

Var Tape::append(const Op& op, std::span<const NodeId> inputs, const Attrs& attrs) {
  try {
    if (in_step()) return append_in_step(op, inputs, attrs);
    const Ruled node = ruled(op, inputs, attrs);
    return {this, append_raw(op, inputs, node.shape, node.attrs, node.extent)};
  } catch (const Error& why) {
    refuse(*this, op, inputs, why);
  }
}

Var Tape::append(const Op& op, std::span<const Var> inputs, const Attrs& attrs) {
  std::array<NodeId, 8> few;
  std::vector<NodeId> many;
  if (inputs.size() > few.size()) many.resize(inputs.size());
  NodeId* ids = many.empty() ? few.data() : many.data();
  try {
    for (std::size_t i = 0; i < inputs.size(); ++i) ids[i] = own(inputs[i]);
  } catch (const Error& why) {
    refuse(*this, op, inputs, why);
  }
  return append(op, std::span<const NodeId>(ids, inputs.size()), attrs);
}

Var Tape::leaf(const Op& op, const Shape& shape, ExtentId extent, const Attrs& attrs) {
  try {
    require(op.traits.leaf, "is no leaf: it wants inputs");
    check_extent(*this, extent);
    check_attributes(op, attrs);
    const ShapeId shape_id = intern_shape(shape);
    const AttrsId attrs_id = intern_attrs(attrs);
    check_rules(op, {}, shape_id, attrs_id, extent);
    return {this, append_raw(op, {}, shape_id, attrs_id, extent)};
  } catch (const Error& why) {
    refuse(*this, op, std::span<const NodeId>(), why);
  }
}

}  // namespace taugrad
