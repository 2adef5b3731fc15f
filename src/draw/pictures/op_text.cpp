#include "draw/pictures/op_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <string_view>
#include <utility>

#include "draw/pictures/names.h"
#include "taugrad/graph/op.h"
#include "taugrad/ops/records.h"

namespace taugrad::draw {
namespace {

constexpr std::array<std::pair<const Op*, std::string_view>, 24> kSymbols{{
    {&kAdd, "+"},
    {&kSub, "−"},
    {&kMul, "×"},
    {&kDiv, "÷"},
    {&kNeg, "−·"},
    {&kMatmul, "@"},
    {&kStackedMatmul, "@"},
    {&kOuter, "⊗"},
    {&kOuterSum, "Σ ⊗"},
    {&kAddN, "Σ"},
    {&kMeanN, "mean"},
    {&kTranspose, "ᵀ"},
    {&kLess, "<"},
    {&kLessEqual, "≤"},
    {&kGreater, ">"},
    {&kEqual, "="},
    {&kGreaterEqual, "≥"},
    {&kNotEqual, "≠"},
    {&kSumItems, "Σ items"},
    {&kNllCategorical, "−log p"},
    {&kNllCategoricalP, "−log p"},
    {&kNllBernoulli, "−log p"},
    {&kNllBernoulliP, "−log p"},
    {&kNllNormal, "−log p"},
}};

}  // namespace

bool only_spreads(const Op& op) {
  return &op == &kBroadcastTo || &op == &kToItems || &op == &kRestrictTo || &op == &kExtendTo ||
         &op == &kCopy || &op == &kSumTo;
}

std::string attr_text(const Attr& value) {
  if (const auto* i = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *i);
  if (const auto* r = std::get_if<double>(&value)) return fmt::format("{}", *r);
  if (const auto* v = std::get_if<Ints>(&value)) return fmt::format("[{}]", fmt::join(*v, ","));
  return shortened(std::get<std::string>(value));
}

std::string op_text(std::string_view name, const Attrs& attrs) {
  const Op* op = find_op(name);
  if (op == &kConstant && attrs.has("category")) return "absent";
  if (op == &kCopy && attrs.has("by")) return "∂/∂" + shortened(attrs.text("by"));
  if (op == &kConstant && attrs.has("value")) return fmt::format("{:.4g}", attrs.real("value"));
  if (op == &kInput) {
    return attrs.has("category") ? fmt::format("category {}", attrs.integer("category")) : "";
  }
  if (op == &kWeight) return "";
  if (op == &kSlice) return fmt::format("slice {}:{}", attrs.integer("from"), attrs.integer("to"));
  for (const auto& [record, symbol] : kSymbols) {
    if (record == op) return std::string(symbol);
  }
  return std::string(name);
}

std::string op_text(const Tape& tape, NodeId id) {
  if (&tape.op(id) == &kLength) {
    const auto which = static_cast<std::size_t>(tape.attrs(id).integer("which"));
    if (which < tape.length_names.size()) return tape.length_names[which];
  }
  return op_text(tape.op(id).name, tape.attrs(id));
}

std::string node_title(const Tape& tape, NodeId id) {
  std::string text = tape.name(id).empty() ? std::string(tape.op(id).name) : tape.label(id);
  if (tape.is_value(id)) text += fmt::format(" = {}", tape.op(id).name);
  for (const auto& [name, value] : tape.attrs(id))
    text += fmt::format(", {} {}", name, attr_text(value));
  text += fmt::format(", shape {}", to_string(tape.shape(id)));
  text += tape.extent_id(id) == kShared ? ", shared by all examples" : ", for each example";
  return text;
}

}  // namespace taugrad::draw
