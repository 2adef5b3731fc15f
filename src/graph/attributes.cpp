#include "graph/attributes.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string>

#include "base/fail.h"
#include "base/utf8.h"

namespace taugrad {
namespace {

/// body(name, kind) of each attribute that an op's record names, until it is false.
template <class Body>
void each_attribute(const Op& op, const Body& body) {
  for (std::string_view rest = op.attributes; !rest.empty();) {
    const std::string_view one = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    const std::size_t colon = std::min(one.find(':'), one.size());
    if (!body(one.substr(0, colon), one.substr(std::min(colon + 1, one.size())))) return;
  }
}

/// The kind of attribute `name`, "" where the record says none; nothing where it is not named.
std::optional<std::string_view> find(const Op& op, std::string_view name) {
  std::optional<std::string_view> found;
  each_attribute(op, [&](std::string_view taken, std::string_view kind) {
    if (taken == name) found = kind;
    return !found;
  });
  return found;
}

bool is_kind(const Attr& value, std::string_view kind) {
  const auto* integer = std::get_if<std::int64_t>(&value);
  if (kind == "integer") return integer;
  if (kind == "flag") return integer && (*integer == 0 || *integer == 1);
  if (kind == "real") return std::holds_alternative<double>(value);
  if (kind == "integers") return std::holds_alternative<Ints>(value);
  return kind != "text" || std::holds_alternative<std::string>(value);
}

std::string_view in_words(std::string_view kind) {
  if (kind == "flag") return "0 or 1";
  if (kind == "real") return "a real number";
  if (kind == "integers") return "an array of integers";
  return kind == "text" ? "text" : "an integer";
}

std::string text_of(const Attr& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(&value)) return fmt::format("the real {}", *real);
  if (std::holds_alternative<Ints>(value)) return "an array of integers";
  return fmt::format("\"{}\"", printable(std::get<std::string>(value), 40));
}

[[noreturn]] void refuse_name(const Op& op, std::string_view name) {
  std::string all;
  each_attribute(op, [&](std::string_view taken, std::string_view) {
    all += fmt::format("{}{}", all.empty() ? ": it takes " : ", ", taken);
    return true;
  });
  fail(Status::bad_input, "G020", "has no attribute \"{}\"{}", printable(name, 80), all);
}

}  // namespace

std::vector<std::pair<std::string_view, std::string_view>> attributes_of(const Op& op) {
  std::vector<std::pair<std::string_view, std::string_view>> all;
  if (op.attributes == kAnyName) return all;
  each_attribute(op, [&](std::string_view name, std::string_view kind) {
    all.emplace_back(name, kind);
    return true;
  });
  return all;
}

std::string_view attribute_kind(const Op& op, std::string_view name) {
  return find(op, name).value_or("");
}

// A misspelt attribute, or one of another operation, would be read by nobody. "category" has rules
// of its own, with better messages.
void check_attributes(const Op& op, const Attrs& attrs) {
  if (op.attributes == kAnyName) return;
  for (const auto& [name, value] : attrs) {
    if (name == "category") continue;
    const auto kind = find(op, name);
    if (!kind) refuse_name(op, name);
    if (!is_kind(value, *kind))
      fail(Status::bad_input, "G020", "attribute \"{}\" is {}, not {}", name, in_words(*kind),
           text_of(value));
  }
}

}  // namespace taugrad
