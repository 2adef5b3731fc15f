#include "json/json.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/fail.h"
#include "base/system/memory_limit.h"

namespace taugrad::json {

std::size_t most_values(std::string_view text) {
  // one after each comma, colon and opening bracket, and the whole
  return 1 + static_cast<std::size_t>(std::ranges::count_if(
                 text, [](char c) { return c == ',' || c == ':' || c == '[' || c == '{'; }));
}

Document::Document(std::string_view text, std::string_view file, std::string_view expected,
                   int first_line)
    : file_(file) {
  if (text.size() > limits::kJsonBytes) {
    Diagnostic d;
    d.code = "R002";
    d.message = fmt::format("{} has {} bytes; a JSON file may have at most {}", file, text.size(),
                            limits::kJsonBytes);
    d.file = file;
    taugrad::fail(Status::resource, std::move(d));
  }
  const std::size_t values = most_values(text);
  require_memory(
      "reading",
      {{fmt::format("the text of {}", file), static_cast<double>(text.size())},
       {fmt::format("its {} values", values), static_cast<double>(values * sizeof(Cell))}});
  text_ = text;
  cells_.reserve(values);
  build({text_, file_, expected, first_line});
  lines_.emplace(text_, first_line);
}

void Document::build(const Source& source) {
  parse(source, [&](const Token& token) {
    take(token, source);
    return true;
  });
}

void Document::take(const Token& token, const Source& source) {
  const Event e = token.event;
  if (e == Event::end_object || e == Event::end_array) return close(source);
  // a key counts for its member, the value after it does not
  const bool member =
      !open_.empty() && cells_[open_.back()].kind == Kind::object && e != Event::key;
  if (!open_.empty() && !member) ++cells_[open_.back()].span.size;
  switch (e) {
    case Event::begin_object:
    case Event::begin_array:
      open_.push_back(static_cast<std::uint32_t>(cells_.size()));
      add(e == Event::begin_object ? Kind::object : Kind::array, token).span = {0, 0};
      break;
    case Event::key:
    case Event::string:
      add_string(token);
      break;
    case Event::integer:
      add(Kind::integer, token).integer = token.integer;
      break;
    case Event::real:
      add(Kind::real, token).real = token.real;
      break;
    case Event::boolean:
      add(Kind::boolean, token).integer = token.boolean;
      break;
    default:
      add(Kind::null, token).integer = 0;
      break;
  }
}

Document::Cell& Document::add(Kind kind, const Token& token) {
  Cell c{};
  c.kind = kind;
  c.offset = static_cast<std::uint32_t>(token.offset);
  c.end = static_cast<std::uint32_t>(cells_.size() + 1);
  return cells_.emplace_back(c);
}

void Document::add_string(const Token& token) {
  Cell& c = add(Kind::string, token);
  c.key = token.event == Event::key;
  c.escaped = token.escapes;
  const std::size_t first = c.escaped ? pool_.size() : token.offset + 1;
  c.span = {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(token.text.size())};
  if (c.escaped) pool_ += token.text;
}

void Document::close(const Source& source) {
  const std::uint32_t id = open_.back();
  open_.pop_back();
  cells_[id].end = static_cast<std::uint32_t>(cells_.size());
  if (cells_[id].kind == Kind::object) check_keys(id, source);
}

void Document::check_keys(std::uint32_t id, const Source& source) const {
  if (cells_[id].span.size < 2) return;
  std::vector<std::uint32_t> keys;
  keys.reserve(cells_[id].span.size);
  for (std::uint32_t k = id + 1; k < cells_[id].end; k = cells_[k + 1].end) keys.push_back(k);
  std::sort(keys.begin(), keys.end(), [&](std::uint32_t a, std::uint32_t b) {
    const int order = string(cells_[a]).compare(string(cells_[b]));
    return order != 0 ? order < 0 : a < b;
  });
  const auto twice = std::adjacent_find(
      keys.begin(), keys.end(),
      [&](std::uint32_t a, std::uint32_t b) { return string(cells_[a]) == string(cells_[b]); });
  if (twice == keys.end()) return;
  const Cell &first = cells_[*twice], &second = cells_[*std::next(twice)];
  source.fail(
      "G005",
      fmt::format("key \"{}\" appears twice ({} and {})", string(first),
                  to_string(source.place(first.offset)), to_string(source.place(second.offset))),
      second.offset, second.span.size + 2);
}

std::string_view Document::string(const Cell& c) const {
  return std::string_view(c.escaped ? pool_ : text_).substr(c.span.first, c.span.size);
}

Value Document::root_object() const {
  if (!root().is(Kind::object))
    root().fail("G007", fmt::format("expected an object, got {}", to_string(root().kind())));
  return root();
}

}  // namespace taugrad::json
