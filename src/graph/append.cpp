#include <array>

#include "base/shape_format.h"
#include "graph/place.h"
#include "graph/tables.h"

namespace taugrad {

void refuse(const Tape& tape, const Op& op, std::span<const Var> inputs, const Error& why) {
  Diagnostic d = why.diagnostics().front();
  d.message = fmt::format("{}: {}\n at node {}", op.name, d.message, tape.size());
  if (tape.owner_name() != 0) {
    d.message += fmt::format(" of {}", tape.name_of(tape.owner_name()));
    if (tape.owner_index() != 0)
      d.message += fmt::format("[{}]", fmt::join(tape.index_of(tape.owner_index()), ","));
  }
  const char* before = "; inputs: ";
  for (const Var v : inputs) {
    if (!v || v.id < 0 || v.id >= v.tape->size()) continue;
    d.message += fmt::format("{}{} {} {}", before, v.id, v.tape->label(v.id), v.shape());
    before = ", ";
  }
  throw Error(why.status(), std::move(d));
}

// Per-example inputs exist for one set of items, and so does the output; without any, it is shared.
ExtentId Tape::extent_of(const Op& op, std::span<const Var> inputs, const Attrs& attrs) const {
  if (op.traits.variadic_items) {
    const std::int64_t e = attrs.integer("extent");
    require(e >= kEveryItem && e < static_cast<std::int64_t>(extent_count()), "no set of items {}",
            e);
    return static_cast<ExtentId>(e);
  }
  ExtentId extent = kShared;
  for (const Var v : inputs) {
    const ExtentId e = extent_id(v.id);
    if (e == kShared || e == extent) continue;
    require(extent == kShared, "inputs exist for different items of the batch");
    extent = e;
  }
  return op.traits.sums_items ? kShared : extent;
}

// Equal shapes have equal numbers, and a rule says the same of the same: it is asked once.
ShapeId Tape::shape_of(const Op& op, std::span<const Var> inputs, AttrsId attrs) {
  if (inputs.size() > 2) return shape_by_rule(op, inputs, attrs);
  const ShapeId first = shape_id(inputs[0].id), last = shape_id(inputs.back().id);
  if (op.traits.elementwise && first == last) return first;
  const Tables::ShapeQuestion question{&op, inputs.size(), first, last, attrs};
  Tables::ShapeAnswer& answer = tables_->answer(question);
  if (!(answer.question == question)) answer = {question, shape_by_rule(op, inputs, attrs)};
  return answer.shape;
}

ShapeId Tape::shape_by_rule(const Op& op, std::span<const Var> inputs, AttrsId attrs) {
  std::array<Shape, 4> few;
  std::vector<Shape> many;
  if (inputs.size() > few.size()) many.resize(inputs.size());
  Shape* shapes = many.empty() ? few.data() : many.data();
  for (std::size_t i = 0; i < inputs.size(); ++i) shapes[i] = shape(inputs[i].id);
  return intern_shape(op.shape({shapes, inputs.size()}, attrs_of(attrs)));
}

Var Tape::append(const Op& op, std::span<const Var> inputs, const Attrs& attrs) {
  std::array<NodeId, 8> few;
  std::vector<NodeId> many;
  if (inputs.size() > few.size()) many.resize(inputs.size());
  NodeId* ids = many.empty() ? few.data() : many.data();
  try {
    require(op.arity == kAnyArity ? !inputs.empty()
                                  : inputs.size() == static_cast<std::size_t>(op.arity),
            "wrong number of inputs: {}", inputs.size());
    require(op.shape != nullptr, "is a leaf: it takes its shape from its builder");
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      require(inputs[i].tape == this && inputs[i].id >= 0 && inputs[i].id < size(),
              "input {} is not of this graph", i);
      ids[i] = inputs[i].id;
    }
    const ExtentId extent = extent_of(op, inputs, attrs);
    const AttrsId attrs_id = intern_attrs(attrs);
    const ShapeId shape = shape_of(op, inputs, attrs_id);
    return var(append_raw(op, {ids, inputs.size()}, shape, attrs_id, extent));
  } catch (const Error& why) {
    refuse(*this, op, inputs, why);
  }
}

}  // namespace taugrad
