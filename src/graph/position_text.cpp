#include "graph/position_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <string>

#include "base/fail.h"
#include "base/utf8.h"
#include "taugrad/graph/op.h"

namespace taugrad {
namespace {

bool read_number(std::string_view text, std::int32_t& value) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return !text.empty() && result.ec == std::errc{} && result.ptr == text.data() + text.size();
}

bool is_node_number(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return text.size() > 1 && text[0] == '#' && std::ranges::all_of(text.substr(1), digit);
}

// "#a", "#4a": a slip of such a number
bool is_like_number(std::string_view text) {
  const auto word = [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return text.size() > 1 && text[0] == '#' && std::ranges::all_of(text.substr(1), word);
}

// What stands in the last brackets: "3" of "h(3)"; nothing where the text does not end with any.
std::optional<std::string_view> bracketed(std::string_view text, char open, char close) {
  const std::size_t at = text.rfind(open);
  if (at == std::string_view::npos || at == 0 || !text.ends_with(close)) return std::nullopt;
  return text.substr(at + 1, text.size() - at - 2);
}

/// Numbers, with letters where `letters` says that they may stand there: "3", "1,2", "t=3".
bool read_places(std::string_view inside, PositionText& p, bool letters) {
  for (std::size_t from = 0; from <= inside.size();) {
    const std::size_t comma = std::min(inside.find(',', from), inside.size());
    std::string_view part = inside.substr(from, comma - from);
    if (const std::size_t equals = part.find('='); equals != std::string_view::npos && letters) {
      p.letters.push_back(part.substr(0, equals));
      part.remove_prefix(equals + 1);
    }
    std::int32_t i = 0;
    if (!read_number(part, i)) return false;
    p.index.push_back(i);
    from = comma + 1;
  }
  return p.letters.empty() || p.letters.size() == p.index.size();
}

bool is_gradient(std::string_view name) { return name.starts_with("grad:"); }
bool is_cotangent(std::string_view name) { return name.starts_with("cotangent:"); }
/// What `run` reads beside the leaves: lengths, and the keys of draws.
bool is_of_batch(std::string_view name) {
  return name == "item" || name == "lengths" || name.starts_with("lengths:");
}

[[noreturn]] void refuse(Status status, std::string_view name, std::string_view what,
                         std::string help) {
  Diagnostic d;
  d.code = "G025";
  d.message = fmt::format("\"{}\" is no name: it reads as {}", printable(name, 80), what);
  d.help = std::move(help);
  fail(status, std::move(d));
}

void refuse_roles(Status status, std::string_view name, bool leaf) {
  if (is_node_number(name) || (status == Status::usage && is_like_number(name)))
    refuse(status, name, "the number of a node", "a name that does not begin with #");
  if (is_gradient(name))
    refuse(status, name, "the gradient of " + std::string(name.substr(5)),
           "gradient(loss, W) names its own node grad:W; call what you compute dW");
  if (is_cotangent(name))
    refuse(status, name, "a tensor that replaces the loss",
           "a tensor of that name among the inputs does it; call an input of yours v");
  if (leaf && is_of_batch(name))
    refuse(status, name, "what tells the items of a batch",
           "`lengths` and `item` are tensors that every run takes; another name");
}

// "V[]", "W[t=3]", and "h[3" which is a slip
bool has_other_brackets(std::string_view name) {
  return name.ends_with("[]") || (name.ends_with(']') && read_position(name).has_value());
}

}  // namespace

std::optional<PositionText> read_position(std::string_view text) {
  const auto inside = bracketed(text, '[', ']');
  if (!inside) return std::nullopt;
  PositionText p{.name = text.substr(0, text.rfind('[')), .index = {}, .letters = {}};
  if (!read_places(*inside, p, true)) return std::nullopt;
  return p;
}

std::optional<std::string> slip_of_position(std::string_view text) {
  const auto inside = bracketed(text, '(', ')');
  if (!inside) return std::nullopt;
  PositionText p{.name = {}, .index = {}, .letters = {}};
  if (!read_places(*inside, p, false)) return std::nullopt;
  return fmt::format("{}[{}]", text.substr(0, text.rfind('(')), *inside);
}

bool PositionText::fits(const Tape& tape, NodeId id) const {
  return tape.is_value(id) && tape.name(id) == name && std::ranges::equal(tape.index(id), index) &&
         (letters.empty() || std::ranges::equal(tape.letters(id), letters));
}

namespace {
// "W[i=2,j=1]" and "W[j=1,i=2]" are one position: letters say which number is which.
std::vector<NodeId> in_any_order(const Tape& tape, const PositionText& p) {
  std::vector<std::size_t> order(p.index.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  constexpr std::size_t kMost = 5;  // of more letters only the order of the graph
  do {
    PositionText other{.name = p.name, .index = {}, .letters = {}};
    for (const std::size_t i : order) {
      other.index.push_back(p.index[i]);
      if (!p.letters.empty()) other.letters.push_back(p.letters[i]);
    }
    std::vector<NodeId> found = tape.find_values(p.name, other.index);
    std::erase_if(found, [&](NodeId id) { return !other.fits(tape, id); });
    if (!found.empty() || p.letters.empty() || order.size() > kMost) return found;
  } while (std::next_permutation(order.begin(), order.end()));
  return {};
}
}  // namespace

NodeId find_node(const Tape& tape, std::string_view text) {
  if (const NodeId id = tape.find_value(text); id >= 0) return id;
  if (text.starts_with('#')) {
    NodeId number = -1;
    return read_number(text.substr(1), number) && number >= 0 && number < tape.size() ? number : -1;
  }
  const std::optional<PositionText> p = read_position(text);
  if (!p) return -1;
  const std::vector<NodeId> found = in_any_order(tape, *p);
  if (found.size() <= 1) return found.empty() ? -1 : found.front();
  if (tape.in_step()) return tape.find_value(p->name, p->index);
  Diagnostic d;
  d.code = "U020";
  d.message =
      fmt::format("\"{}\" is {} nodes, one for each letter", printable(text, 80), found.size());
  d.help = "write ";
  for (std::size_t i = 0; i < found.size(); ++i)
    d.help += fmt::format("{}{}", i == 0 ? "" : " or ", printable(tape.label(found[i]), 80));
  fail(Status::usage, std::move(d));
}

GivenName given_name(std::string_view text, bool leaf) {
  constexpr std::string_view kFirst = "#gcil";  // of all that could be a role
  if (!text.empty() && kFirst.find(text[0]) != std::string_view::npos)
    refuse_roles(Status::usage, text, leaf);
  if (!text.empty() && text.back() == ')')
    if (const auto meant = slip_of_position(text))
      refuse(Status::usage, text, "a call",
             fmt::format("a position stands in brackets: {}", *meant));
  if (!text.ends_with(']') && !text.ends_with('[')) return {text};
  const std::optional<PositionText> p = read_position(text);
  if (p && p->letters.empty()) {
    refuse_roles(Status::usage, p->name, leaf);
    if (has_other_brackets(p->name))
      refuse(Status::usage, p->name, "a position",
             "several indices stand in one pair of brackets: h[1,2]");
    return {p->name, p->index};
  }
  refuse(Status::usage, text, has_other_brackets(text) ? "a weight's copy" : "half a position",
         "give a position as \"h[3]\", name(v, \"h\", {3}), or within step(\"t\", 3)");
}

// a copy of U that is called W where there is a weight W
static void refuse_foreign_copy(const Tape& tape, NodeId value, std::string_view name) {
  const auto inputs = tape.inputs(value);
  if (inputs.size() != 1 || !tape.op(value).traits.view || !tape.op(inputs[0]).traits.leaf ||
      tape.extent_id(value) != kShared)
    return;
  const NodeId weight = tape.find_value(name);
  if (weight >= 0 && weight != inputs[0] && weight != value && tape.op(weight).traits.leaf)
    fail(Status::bad_input, "G013", "{} is a copy of {}, and bears the name of another weight",
         printable(tape.label(value), 80), printable(tape.label(inputs[0]), 80));
}

void check_read_name(const Tape& tape, NodeId value) {
  std::string_view name = tape.name(value);
  const bool leaf = tape.op(value).traits.leaf && tape.op(value).forward.f64 == nullptr;
  if (!leaf && is_gradient(name)) return;
  if (leaf && std::ranges::any_of(tape.index(value), [](std::int32_t i) { return i < 1; }))
    fail(Status::bad_input, "G011", "{}: positions of inputs and untied weights begin at 1",
         printable(tape.label(value), 80));
  refuse_foreign_copy(tape, value, name);
  if (!(leaf && is_cotangent(name))) refuse_roles(Status::bad_input, name, leaf);
  if (!has_other_brackets(name)) return;
  // copies at boundaries and outside all steps: V[], R[0]
  const auto inputs = tape.inputs(value);
  const bool copy = inputs.size() == 1 && tape.op(value).traits.view && tape.is_value(inputs[0]) &&
                    tape.op(inputs[0]).traits.leaf &&
                    name.substr(0, name.rfind('[')) == tape.name(inputs[0]);
  if (!copy)
    refuse(Status::bad_input, name, "a position", "\"name\": \"h\" and \"index\": [3] say h[3]");
}

}  // namespace taugrad
