#include "json/json_lexer.h"

#include <fmt/core.h>

#include "base/utf8.h"

namespace taugrad::json {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

Lexer::Lexer(std::string_view text, std::string_view file, std::string_view expected,
             int first_line)
    : text_(text), file_(file), expected_(expected), first_line_(first_line) {
  check_start();
}

Diagnostic Lexer::at(std::string code, std::string message, std::size_t offset, std::size_t length,
                     std::string help) const {
  Diagnostic d;
  d.code = std::move(code);
  d.message = std::move(message);
  d.file = file_;
  const LineColumn where = place(offset);
  d.line = where.line;
  d.column = where.column;
  show_excerpt(d, text_, offset, length);
  d.help = std::move(help);
  return d;
}

void Lexer::fail(std::string code, std::string message, std::size_t offset, std::size_t length,
                 std::string help) const {
  throw Error(Status::bad_input,
              at(std::move(code), std::move(message), offset, length, std::move(help)));
}

void Lexer::check_start() const {
  if (text_.starts_with("\xEF\xBB\xBF"))
    fail("G004", "file starts with a byte-order mark; save as UTF-8 without BOM", 0, 3);
  if (text_.starts_with("\xFE\xFF") || text_.starts_with("\xFF\xFE"))
    fail("G004", "file starts with a byte-order mark (UTF-16); save as UTF-8 without BOM", 0, 2);
  if (text_.find_first_not_of(" \t\r\n") == text_.npos) {
    Diagnostic d;
    d.code = "G001";
    d.message =
        fmt::format("{} is empty; expected {}", file_.empty() ? "the text" : file_, expected_);
    d.file = file_;
    throw Error(Status::bad_input, d);
  }
}

void Lexer::resume(std::size_t offset) {
  at_ = offset;
  depth_ = 0;
  expect_ = Expect::value;
}

void Lexer::skip_space() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c != ' ' && c != '\n' && c != '\t' && c != '\r') return;
    ++at_;
  }
}

Event Lexer::next() {
  for (;;) {
    skip_space();
    start_ = at_;
    if (ends()) {
      if (expect_ == Expect::nothing) return Event::end;
      fail_early();
    }
    const char c = text_[at_];
    switch (expect_) {
      case Expect::nothing:
        fail_here("nothing after the value");
      case Expect::value:
        return read_value();
      case Expect::value_after_comma:
        if (c == ']')
          fail("G002", fmt::format("trailing comma before ']' at {}", to_string(place(at_))), at_);
        return read_value();
      case Expect::value_or_end:
        if (c == ']') return close();
        return read_value();
      case Expect::key_or_end:
        if (c == '}') return close();
        return read_key();
      case Expect::key_after_comma:
        if (c == '}')
          fail("G002", fmt::format("trailing comma before '}}' at {}", to_string(place(at_))), at_);
        return read_key();
      case Expect::comma_or_end: {
        const bool object = open_[static_cast<std::size_t>(depth_ - 1)].object;
        if (c == (object ? '}' : ']')) return close();
        if (c != ',') fail_here(object ? "',' or '}'" : "',' or ']'");
        ++at_;
        expect_ = object ? Expect::key_after_comma : Expect::value_after_comma;
        break;
      }
    }
  }
}

Event Lexer::after(Event e) {
  expect_ = depth_ == 0 ? Expect::nothing : Expect::comma_or_end;
  return e;
}

Event Lexer::open(bool object) {
  if (depth_ == limits::kJsonDepth)
    fail("G006",
         fmt::format("nesting deeper than {} at {}", limits::kJsonDepth, to_string(place(at_))),
         at_);
  open_[static_cast<std::size_t>(depth_++)] = {object, at_++};
  expect_ = object ? Expect::key_or_end : Expect::value_or_end;
  return object ? Event::begin_object : Event::begin_array;
}

Event Lexer::close() {
  ++at_;
  --depth_;
  return after(open_[static_cast<std::size_t>(depth_)].object ? Event::end_object
                                                              : Event::end_array);
}

Event Lexer::read_key() {
  if (text_[at_] != '"') fail_here("a key in double quotes");
  read_string();
  skip_space();
  if (ends()) fail_early();
  if (text_[at_] != ':') fail_here("':' after a key");
  ++at_;
  expect_ = Expect::value;
  return Event::key;
}

Event Lexer::read_value() {
  const char c = text_[at_];
  switch (c) {
    case '{':
      return open(true);
    case '[':
      return open(false);
    case '"':
      read_string();
      return after(Event::string);
    default:
      break;
  }
  if (c == '-' || is_digit(c)) return read_number();
  if (is_letter(c)) return read_word();
  fail_here("a value");
}

void Lexer::fail_here(std::string_view expected) const {
  const std::string here = to_string(place(at_));
  const auto c = static_cast<unsigned char>(text_[at_]);
  if (c == 0) fail("G004", fmt::format("NUL byte at {}; is the file UTF-16?", here), at_);
  if (utf8_sequence(text_, at_) == 0)
    fail("G004", fmt::format("invalid UTF-8 (byte 0x{:02X}) at {}", c, here), at_);
  if (c == '/' || c == '#')
    fail("G002", fmt::format("comments are not allowed in JSON at {}", here), at_, 2);
  if (c == '\'')
    fail("G002", fmt::format("expected {} at {}", expected, here), at_, 1,
         "strings take double quotes");
  fail("G002", fmt::format("expected {} at {}", expected, here), at_);
}

void Lexer::fail_early() const {
  std::string message = fmt::format("JSON ends early at {}", to_string(place(text_.size())));
  if (depth_ > 0) {
    const Open& last = open_[static_cast<std::size_t>(depth_ - 1)];
    message += fmt::format("; {} unclosed '{}' (opened at {})", depth_, last.object ? '{' : '[',
                           to_string(place(last.offset)));
  }
  fail("G002", message, text_.size());
}

}  // namespace taugrad::json
