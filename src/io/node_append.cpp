#include <fmt/core.h>

#include "base/fail.h"
#include "base/utf8.h"
#include "io/node_reader.h"
#include "taugrad/base/tensor.h"

// From a node's fields to a node: the tape's own rules, with the place in the file where one fails.
namespace taugrad {

void NodeReader::refuse(const Error& why, std::size_t offset) const {
  const Diagnostic& d = why.diagnostics().front();
  std::string help = d.help;
  constexpr std::size_t kMost = 3;  // inputs whose places are named
  for (std::size_t i = 0; i < std::min(draft_.inputs.size(), kMost); ++i) {
    const NodeId input = draft_.inputs[i];
    help += fmt::format("{}{} stands at {}", help.empty() ? "" : ", ",
                        printable(tape_.label(input), 80), place_of(input));
  }
  fail(d.code, d.message, offset, std::move(help));
}

void NodeReader::append() {
  const Op& op = *draft_.op;
  const auto wanted = static_cast<std::size_t>(op.traits.leaf ? 0 : op.arity);
  const bool any = op.arity == kAnyArity && !op.traits.leaf;
  if (any ? draft_.inputs.empty() : draft_.inputs.size() != wanted)
    fail("G015",
         fmt::format("op \"{}\" takes {} input{}, {} has {}", op.name,
                     any ? "at least 1" : std::to_string(wanted), wanted == 1 ? "" : "s",
                     described(), draft_.inputs.size()),
         draft_.inputs_offset != 0 ? draft_.inputs_offset : draft_.offset);
  tape_.set_owner(draft_.name.empty() ? 0 : tape_.intern_name(draft_.name),
                  tape_.intern_index(draft_.index));
  const Shape shape = checked_shape();
  if (draft_.value) check_value();
  Var v;
  try {
    v = op.traits.leaf ? tape_.leaf(op, shape, static_cast<ExtentId>(draft_.extent), draft_.attrs)
                       : append_checked(shape);
  } catch (const Error& why) {
    refuse(why, draft_.shape_offset);
  }
  if (draft_.value) tape_.set_value(v.id, tape_.owner_name(), tape_.owner_index());
}

// What the tape's own rules leave open: sizes, lengths, and leaves, which have no shape rule.
Shape NodeReader::checked_shape() const {
  try {
    checked_elements(draft_.dims);
    const Shape shape(draft_.dims);
    if (draft_.attrs.has("which")) check_length();
    if (draft_.op->traits.leaf) check_leaf(shape);
    return shape;
  } catch (const Error& why) {
    const Diagnostic& d = why.diagnostics().front();
    fail(d.code, fmt::format("{}: {}", described(), d.message), draft_.shape_offset);
  }
}

// An attribute names a length by its number; only an item has one.
void NodeReader::check_length() const {
  const std::int64_t which = draft_.attrs.integer("which");
  require(which >= 0 && which < static_cast<std::int64_t>(tape_.length_names.size()),
          "length {} is not one of \"lengths\"", which);
  require(draft_.extent != kShared, "what is shared by all items has no length");
}

// What the builder of a leaf checks.
void NodeReader::check_leaf(const Shape& shape) const {
  const Attrs& attrs = draft_.attrs;
  const std::string_view op = draft_.op->name;
  if (attrs.has("category"))
    require(attrs.integer("category") >= 1 && shape.is_scalar(),
            "a category is a number of at least 1 symbol");
  if (op == "weight")
    require(draft_.extent == kShared, "a weight is shared by all items: its \"extent\" is 0");
  if (op == "constant") attrs.real("value");
  if (op == "length") {
    attrs.integer("which");
    require(shape.is_scalar(), "a length is a number");
  }
}

Var NodeReader::append_checked(const Shape& shape) {
  inputs_of_.clear();
  for (const NodeId id : draft_.inputs) inputs_of_.push_back(tape_.var(id));
  const Var v = tape_.append(*draft_.op, inputs_of_, draft_.attrs);
  // messages are made only where they are wanted: this runs for every node
  if (v.shape() != shape)
    taugrad::fail(Status::bad_input, "G020", "{}: \"shape\" is {}, {} gives {}", described(),
                  to_string(shape), draft_.op->name, to_string(v.shape()));
  if (v.extent() != draft_.extent)
    taugrad::fail(Status::bad_input, "G020", "{}: \"extent\" is {}, its inputs give {}",
                  described(), draft_.extent, v.extent());
  return v;
}

// A value has a name of its own; an untied weight and its one copy are the same variable.
void NodeReader::check_value() const {
  if (draft_.name.empty())
    fail("G010", fmt::format("{} is a value and lacks the field \"name\"", described()),
         draft_.offset);
  const NodeId first = tape_.find_value(draft_.name, draft_.index);
  if (first < 0 || (draft_.op->name == "copy" && draft_.inputs[0] == first)) return;
  fail("G013",
       fmt::format("node \"{}\" defined twice (first at {})", printable(tape_.label(first), 80),
                   place_of(first)),
       draft_.name_offset);
}

}  // namespace taugrad
