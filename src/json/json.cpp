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
    : file_(file), expected_(expected), first_line_(first_line) {
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
  build();
  lines_.emplace(text_, first_line);
}

void Document::build() {
  Lexer lexer(text_, file_, expected_, first_line_);
  std::vector<std::uint32_t> open;
  for (;;) {
    const Event e = lexer.next();
    if (e == Event::end) break;
    if (e == Event::end_object || e == Event::end_array) {
      close(open.back(), lexer);
      open.pop_back();
      continue;
    }
    // a key counts for its member, the value after it does not
    const bool member =
        !open.empty() && cells_[open.back()].kind == Kind::object && e != Event::key;
    if (!open.empty() && !member) ++cells_[open.back()].span.size;
    const std::size_t offset = lexer.offset();
    switch (e) {
      case Event::begin_object:
      case Event::begin_array:
        open.push_back(static_cast<std::uint32_t>(cells_.size()));
        add(e == Event::begin_object ? Kind::object : Kind::array, offset).span = {0, 0};
        break;
      case Event::key:
      case Event::string:
        add_string(lexer, e == Event::key);
        break;
      case Event::integer:
        add(Kind::integer, offset).integer = lexer.integer();
        break;
      case Event::real:
        add(Kind::real, offset).real = lexer.real();
        break;
      case Event::boolean:
        add(Kind::boolean, offset).integer = lexer.boolean();
        break;
      default:
        add(Kind::null, offset).integer = 0;
        break;
    }
  }
}

Document::Cell& Document::add(Kind kind, std::size_t offset) {
  Cell c{};
  c.kind = kind;
  c.offset = static_cast<std::uint32_t>(offset);
  c.end = static_cast<std::uint32_t>(cells_.size() + 1);
  return cells_.emplace_back(c);
}

void Document::add_string(const Lexer& lexer, bool key) {
  const std::string_view decoded = lexer.text();
  Cell& c = add(Kind::string, lexer.offset());
  c.key = key;
  c.escaped = lexer.has_escapes();
  const std::size_t first = c.escaped ? pool_.size() : lexer.offset() + 1;
  c.span = {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(decoded.size())};
  if (c.escaped) pool_ += decoded;
}

void Document::close(std::uint32_t id, const Lexer& lexer) {
  cells_[id].end = static_cast<std::uint32_t>(cells_.size());
  if (cells_[id].kind == Kind::object) check_keys(id, lexer);
}

void Document::check_keys(std::uint32_t id, const Lexer& lexer) const {
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
  lexer.fail(
      "G005",
      fmt::format("key \"{}\" appears twice ({} and {})", string(first),
                  to_string(lexer.place(first.offset)), to_string(lexer.place(second.offset))),
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
