#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fail.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "json/json.h"

namespace taugrad::json {
namespace {

constexpr std::size_t kMostUnknown = 20;  // unknown fields that one object reports

// "~" and "/" are written "~0" and "~1" in a JSON pointer (RFC 6901)
std::string pointer_token(std::string_view key) {
  std::string out;
  for (const char c : key) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

// Bytes of the escape sequence at raw[at] == '\\', and bytes of UTF-8 that it decodes to.
std::pair<std::size_t, std::size_t> escape_sizes(std::string_view raw, std::size_t at) {
  if (raw[at + 1] != 'u') return {2, 1};
  unsigned unit = 0;
  for (const char c : raw.substr(at + 2, 4))
    unit = unit * 16 + static_cast<unsigned>(c <= '9' ? c - '0' : (c & 0x5F) - 'A' + 10);
  if (unit >= 0xD800 && unit < 0xDC00) return {12, 4};
  return {6, unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3};
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::null:
      return "null";
    case Kind::boolean:
      return "boolean";
    case Kind::integer:
    case Kind::real:
      return "number";
    case Kind::string:
      return "string";
    case Kind::array:
      return "array";
    case Kind::object:
      return "object";
  }
  return "?";
}

Kind Value::kind() const { return document_->cell(id_).kind; }
std::size_t Value::offset() const { return document_->cell(id_).offset; }
LineColumn Value::place() const { return document_->lines_->at(offset()); }

std::string_view Value::raw() const {
  const std::string_view text = document_->text_;
  const std::size_t end = std::min(text.find_first_of(" \t\r\n,]}", offset()), text.size());
  return text.substr(offset(), end - offset());
}

std::string Value::pointer() const {
  std::string path;
  std::uint32_t at = 0;
  while (at != id_) {
    const auto& parent = document_->cell(at);
    const bool object = parent.kind == Kind::object;
    std::uint32_t child = at + 1;
    std::size_t number = 0;
    Document::Passed& passed = document_->passed_;
    if (passed.parent == at && passed.child <= id_) {
      child = passed.child;
      number = passed.number;
    }
    const auto value = [&] { return object ? child + 1 : child; };
    for (; document_->cell(value()).end <= id_; ++number) child = document_->cell(value()).end;
    if (passed.parent == at || number >= passed.number) passed = {at, child, number};
    path += '/' + (object ? pointer_token(document_->string(document_->cell(child)))
                          : fmt::format("{}", number));
    if (child == id_) break;  // a key: the member it names
    at = value();
  }
  return path;
}

Diagnostic Value::at(std::string code, std::string message, std::string help) const {
  Diagnostic d;
  d.code = std::move(code);
  d.message = std::move(message);
  d.file = document_->file_;
  d.line = place().line;
  d.column = place().column;
  d.pointer = pointer();
  const auto& c = document_->cell(id_);
  const bool container = c.kind == Kind::array || c.kind == Kind::object;
  const std::size_t length = container                ? 1
                             : c.kind == Kind::string ? place_end() - offset()
                                                      : raw().size();
  show_excerpt(d, document_->text_, offset(), length);
  d.help = std::move(help);
  return d;
}

void Value::fail(std::string code, std::string message, std::string help) const {
  taugrad::fail(Status::bad_input, at(std::move(code), std::move(message), std::move(help)));
}

void Value::fail_type(std::string_view what, std::string_view wanted) const {
  fail("G010",
       fmt::format("\"{}\" must be {}, got {}", printable(what), wanted, to_string(kind())));
}

std::string_view Value::string(std::string_view what) const {
  if (!is(Kind::string)) fail_type(what, "a string");
  return document_->string(document_->cell(id_));
}

bool Value::boolean(std::string_view what) const {
  if (!is(Kind::boolean)) fail_type(what, "true or false");
  return document_->cell(id_).integer != 0;
}

double Value::number(std::string_view what) const {
  if (!is_number()) fail_type(what, "a number");
  const auto& c = document_->cell(id_);
  return c.kind == Kind::integer ? static_cast<double>(c.integer) : c.real;
}

double Value::number_or_word(std::string_view what) const {
  if (!is(Kind::string)) return number(what);
  const std::string_view word = string(what);
  if (word == "inf") return std::numeric_limits<double>::infinity();
  if (word == "-inf") return -std::numeric_limits<double>::infinity();
  if (word == "nan") return std::numeric_limits<double>::quiet_NaN();
  fail_type(what, "a number, \"inf\", \"-inf\" or \"nan\"");
}

std::int64_t Value::integer(std::string_view what, std::int64_t least, std::int64_t most) const {
  if (!is_number() && !is(Kind::boolean)) fail_type(what, "an integer");
  const auto& c = document_->cell(id_);
  if (c.kind == Kind::integer && c.integer >= least && c.integer <= most) return c.integer;
  fail("G011", fmt::format("\"{}\" must be an integer in {}..{}, got {}", printable(what), least,
                           most, printable(raw(), 40)));
}

std::vector<Value> Value::elements(std::string_view what) const {
  if (!is(Kind::array)) fail_type(what, "an array");
  const auto& c = document_->cell(id_);
  std::vector<Value> list;
  list.reserve(c.span.size);
  for (std::uint32_t i = id_ + 1; i < c.end; i = document_->cell(i).end)
    list.push_back({document_, i});
  return list;
}

std::vector<Member> Value::members(std::string_view what) const {
  if (!is(Kind::object)) fail_type(what, "an object");
  const auto& c = document_->cell(id_);
  std::vector<Member> list;
  list.reserve(c.span.size);
  for (std::uint32_t i = id_ + 1; i < c.end; i = document_->cell(i + 1).end)
    list.push_back({{document_, i}, {document_, i + 1}});
  return list;
}

// One past the closing quote of a string.
std::size_t Value::place_end() const {
  const std::string_view text = document_->text_;
  std::size_t at = offset() + 1;
  while (text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return at + 1;
}

LineColumn Value::place_in_string(std::size_t offset) const {
  const std::string_view text = document_->text_;
  std::size_t at = this->offset() + 1;
  for (std::size_t decoded = 0; text[at] != '"';) {
    const auto [written, meant] =
        text[at] == '\\' ? escape_sizes(text, at) : std::pair<std::size_t, std::size_t>{1, 1};
    if (decoded + meant > offset) break;
    at += written;
    decoded += meant;
  }
  return document_->lines_->at(at);
}

std::vector<int> Value::string_columns() const {
  const auto& c = document_->cell(id_);
  const std::string_view decoded = document_->string(c);
  if (!c.escaped && std::all_of(decoded.begin(), decoded.end(),
                                [](char x) { return static_cast<signed char>(x) >= 0; }))
    return {};
  std::vector<int> columns;
  columns.reserve(decoded.size() + 1);
  const std::string_view text = document_->text_;
  std::size_t at = offset() + 1;
  int column = place().column + 1;
  while (text[at] != '"') {
    const bool escape = text[at] == '\\';
    const std::size_t sequence = utf8_sequence(text, at);
    const auto [written, meant] = escape ? escape_sizes(text, at) : std::pair{sequence, sequence};
    columns.insert(columns.end(), meant, column);
    column += escape ? static_cast<int>(written) : 1;
    at += written;
  }
  columns.push_back(column);
  return columns;
}

Fields::Fields(Value object, std::string_view what, std::initializer_list<std::string_view> known)
    : object_(object), what_(what), members_(object.members(what)) {
  std::vector<Diagnostic> unknown;
  for (const Member& m : members_) {
    if (std::find(known.begin(), known.end(), m.name()) != known.end()) continue;
    if (unknown.size() == kMostUnknown) break;
    unknown.push_back(m.key.at("G009", fmt::format("unknown field \"{}\"", printable(m.name(), 80)),
                               did_you_mean(m.name(), std::span(known.begin(), known.size()))));
  }
  if (!unknown.empty()) throw Error(Status::bad_input, std::move(unknown));
}

std::optional<Value> Fields::find(std::string_view name) const {
  const auto m = std::find_if(members_.begin(), members_.end(),
                              [&](const Member& x) { return x.name() == name; });
  return m == members_.end() ? std::nullopt : std::optional(m->value);
}

Value Fields::at(std::string_view name) const {
  if (const auto value = find(name)) return *value;
  object_.fail("G010", fmt::format("{} lacks the field \"{}\"", what_, name));
}

}  // namespace taugrad::json
