#include <fmt/core.h>

#include "base/fail.h"
#include "base/utf8.h"
#include "io/node_reader.h"

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
  Var v;
  try {
    const Shape shape(draft_.dims);
    check_lengths();
    v = op.traits.leaf ? append_leaf(shape) : append_checked(shape);
  } catch (const Error& why) {
    refuse(why, draft_.shape_offset);
  }
  if (draft_.value) mark_value(v);
}

// Attributes that name a length by its number.
void NodeReader::check_lengths() const {
  if (!draft_.attrs.has("which")) return;
  const std::int64_t which = draft_.attrs.integer("which");
  require(which >= 0 && which < static_cast<std::int64_t>(tape_.length_names.size()),
          "{}: length {} is not one of \"lengths\"", described(), which);
}

// A leaf has no shape rule: what its builder checks is checked here.
void NodeReader::check_leaf(const Shape& shape) const {
  const Attrs& attrs = draft_.attrs;
  const std::string_view op = draft_.op->name;
  const bool shared = draft_.extent == kShared;
  if (attrs.has("category"))
    require(attrs.integer("category") >= 1 && shape.is_scalar(),
            "{}: a category is a number of at least 1 symbol", described());
  if (op == "weight")
    require(shared, "{}: a weight is shared by all items: its \"extent\" is 0", described());
  if (op == "constant") attrs.real("value");
  if (op == "length") {
    attrs.integer("which");
    require(!shared && shape.is_scalar(), "{}: a length is a number of an item", described());
  }
}

Var NodeReader::append_checked(const Shape& shape) {
  std::vector<Var> inputs;
  for (const NodeId id : draft_.inputs) inputs.push_back(tape_.var(id));
  const Var v = tape_.append(*draft_.op, inputs, draft_.attrs);
  require(v.shape() == shape, "{}: \"shape\" is {}, {} gives {}", described(), to_string(shape),
          draft_.op->name, to_string(v.shape()));
  require(v.extent() == draft_.extent, "{}: \"extent\" is {}, its inputs give {}", described(),
          draft_.extent, v.extent());
  return v;
}

Var NodeReader::append_leaf(const Shape& shape) {
  check_leaf(shape);
  return tape_.leaf(*draft_.op, shape, static_cast<ExtentId>(draft_.extent), draft_.attrs);
}

void NodeReader::mark_value(Var v) {
  if (draft_.name.empty())
    fail("G010", fmt::format("{} is a value and lacks the field \"name\"", described()),
         draft_.offset);
  const NodeId first = tape_.find_value(draft_.name, draft_.index);
  if (first >= 0)
    fail("G013",
         fmt::format("node \"{}\" defined twice (first at {})", printable(tape_.label(first), 80),
                     place_of(first)),
         draft_.name_offset);
  tape_.set_value(v.id, tape_.owner_name(), tape_.owner_index());
}

}  // namespace taugrad
