#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "base/utf8.h"
#include "graph/attributes.h"
#include "graph/gradient_order.h"
#include "graph/position_text.h"
#include "io/node_reader.h"
#include "taugrad/base/tensor.h"
#include "taugrad/graph/op.h"

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
  convert_attrs();
  set_owner();
  set_gradient_order(tape_, draft_.order);
  const Shape shape = checked_shape();
  if (draft_.value && draft_.name.empty())
    fail("G010", fmt::format("{} is a value and lacks the field \"name\"", described()),
         draft_.offset);
  Var v;
  try {
    v = op.traits.leaf ? tape_.leaf(op, shape, static_cast<ExtentId>(draft_.extent), draft_.attrs)
                       : append_checked(shape);
  } catch (const Error& why) {
    refuse(why, draft_.shape_offset);
  }
  if (draft_.value) name_value(v.id);
  if (!draft_.known_as.empty()) know_as(v.id);
}

// 5 is a real number, too: not every writer of JSON can say 5.0. And "inf" is text where the op
// takes text.
void NodeReader::convert_attrs() {
  Attrs converted = draft_.attrs;
  for (const auto& [name, value] : draft_.attrs) {
    const std::string_view kind = attribute_kind(*draft_.op, name);
    if (const auto* integer = std::get_if<std::int64_t>(&value); integer && kind == "real")
      converted.set(name, static_cast<double>(*integer));
    if (const auto* real = std::get_if<double>(&value); real && kind == "text")
      if (!std::isfinite(*real))
        converted.set(name, std::string(std::isnan(*real) ? "nan" : *real > 0 ? "inf" : "-inf"));
  }
  draft_.attrs = std::move(converted);
}

void NodeReader::know_as(NodeId id) {
  if (draft_.value)
    fail("G010", fmt::format("{} is a value: \"known_as\" is of one that is none", described()),
         draft_.known_offset);
  try {
    taugrad::know_as(tape_, id, draft_.known_as);
  } catch (const Error& why) {  // no name
    const Diagnostic& d = why.diagnostics().front();
    fail(d.code, d.message, draft_.known_offset);
  }
}

void NodeReader::set_owner() {
  try {
    tape_.set_owner(tape_.intern_name(draft_.name, draft_.letters),
                    tape_.intern_index(draft_.index));
  } catch (const Error& why) {  // a letter that is no name
    const Diagnostic& d = why.diagnostics().front();
    fail(d.code, d.message, draft_.letters.empty() ? draft_.name_offset : draft_.letters_offset);
  }
}

Shape NodeReader::checked_shape() const {
  try {
    checked_elements(draft_.dims);
    return Shape(draft_.dims);
  } catch (const Error& why) {
    const Diagnostic& d = why.diagnostics().front();
    fail(d.code, fmt::format("{}: {}", described(), d.message), draft_.shape_offset);
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

void NodeReader::name_value(NodeId id) {
  try {
    tape_.name_value(id, tape_.owner_name(), tape_.owner_index());
    check_read_name(tape_, id);
  } catch (const Error& why) {
    const Diagnostic& d = why.diagnostics().front();
    const NodeId first = tape_.find_value(draft_.name, draft_.index);
    if (d.code != "G013" || first < 0 || first == id)
      fail(d.code, d.message, draft_.name_offset, d.help);
    fail("G013",
         fmt::format("node \"{}\" defined twice (first at {})", printable(tape_.label(first), 80),
                     place_of(first)),
         draft_.name_offset);
  }
}

}  // namespace taugrad
