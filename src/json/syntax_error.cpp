#include "json/syntax_error.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/utf8.h"

namespace taugrad::json {
namespace {

bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

constexpr std::string_view kWords = "use the strings \"nan\"/\"inf\" where the schema allows them";

/// Walks on from the last event to the character that cannot stand there.
class Explanation {
 public:
  Explanation(const Source& source, const Progress& progress)
      : source_(source), progress_(progress), text_(source.text), at_(progress.end) {}

  [[noreturn]] void run() {
    skip_space();
    switch (progress_.last) {
      case Event::end:
        value();
      case Event::key:
        if (ends()) early();
        if (text_[at_] != ':') here("':' after a key");
        step();
        value();
      case Event::begin_object:
        key();
      case Event::begin_array:
        value();
      default:
        after_value();
    }
  }

 private:
  bool ends() const { return at_ >= text_.size(); }
  void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
  void step() {
    ++at_;
    skip_space();
  }
  std::string place(std::size_t offset) const { return to_string(source_.place(offset)); }

  [[noreturn]] void after_value() {
    if (progress_.depth == 0) here("nothing after the value");
    if (ends()) early();
    const bool object = progress_.open[static_cast<std::size_t>(progress_.depth - 1)].object;
    if (text_[at_] != ',') here(object ? "',' or '}'" : "',' or ']'");
    step();
    const char closing = object ? '}' : ']';
    if (!ends() && text_[at_] == closing)
      source_.fail("G002", fmt::format("trailing comma before '{}' at {}", closing, place(at_)),
                   at_);
    if (object) key();
    value();
  }

  [[noreturn]] void key() {
    if (ends()) early();
    if (text_[at_] != '"') here("a key in double quotes");
    string();
  }

  [[noreturn]] void value() {
    if (ends()) early();
    const char c = text_[at_];
    if (c == '"') string();
    if (c == '-' || is_digit(c)) number();
    if (is_letter(c)) word();
    here("a value");
  }

  [[noreturn]] void out_of_range(std::size_t start, std::size_t length, std::string_view help) {
    source_.fail("G003", fmt::format("number out of range at {}", place(start)), start, length,
                 std::string(help));
  }

  [[noreturn]] void word() {
    std::size_t end = at_;
    while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]))) ++end;
    const std::string_view word = text_.substr(at_, end - at_);
    for (const std::string_view number : {"NaN", "nan", "Infinity", "inf", "Inf"})
      if (word == number) out_of_range(at_, word.size(), kWords);
    here("a value");
  }

  void digits() {
    if (ends()) early();
    if (!is_digit(text_[at_])) here("a digit");
    while (!ends() && is_digit(text_[at_])) ++at_;
  }

  [[noreturn]] void number() {
    const std::size_t start = at_;
    if (text_[at_] == '-') ++at_;
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with("Infinity") || rest.starts_with("inf"))
      out_of_range(start, 4, "use the string \"-inf\" where the schema allows it");
    digits();
    if (!ends() && text_[at_] == '.') {
      ++at_;
      digits();
    }
    if (!ends() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (!ends() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      digits();
    }
    out_of_range(start, at_ - start, kWords);  // well written, so it is its size
  }

  [[noreturn]] void string() {
    const std::size_t first = at_++;
    while (!ends()) {
      const auto c = static_cast<unsigned char>(text_[at_]);
      const std::size_t bytes = utf8_sequence(text_, at_);
      if (c == '\\')
        escape();
      else if (c < 0x20)
        control(c);
      else if (bytes == 0 || c == '"')
        here("");  // a string that ends well is none that was refused
      else
        at_ += bytes;
    }
    source_.fail("G002",
                 fmt::format("JSON ends early at {}; the string opened at {} is not closed",
                             place(at_), place(first)),
                 at_);
  }

  [[noreturn]] void control(unsigned char c) {
    source_.fail(c == 0 ? "G004" : "G002",
                 fmt::format("control character (byte 0x{:02X}) in a string at {}", c, place(at_)),
                 at_, 1,
                 c == '\n' ? "close the string, or write \\n" : fmt::format("write \\u{:04x}", c));
  }

  void escape() {
    const std::size_t start = at_++;
    if (ends()) early();
    if (text_[at_] != 'u') {
      if (std::string_view("\"\\/bfnrt").find(text_[at_]) == std::string_view::npos)
        source_.fail("G002", fmt::format("unknown escape in a string at {}", place(start)), start,
                     2, "write \\\\ for a backslash");
      ++at_;
      return;
    }
    const unsigned unit = hex();
    const bool high = unit >= 0xD800 && unit < 0xDC00;
    if (high && text_.substr(at_).starts_with("\\u")) {
      ++at_;
      const unsigned low = hex();
      if (low >= 0xDC00 && low < 0xE000) return;
    } else if (unit < 0xD800 || unit >= 0xE000) {
      return;
    }
    source_.fail("G004", fmt::format("lone surrogate at {}", place(start)), start, 6);
  }

  // at the u
  unsigned hex() {
    unsigned unit = 0;
    ++at_;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (ends()) early();
      const char c = text_[at_];
      if (!is_hex(c)) here("four hexadecimal digits after \\u");
      unit = unit * 16 + static_cast<unsigned>(is_digit(c) ? c - '0' : (c & 0x5F) - 'A' + 10);
    }
    return unit;
  }

  [[noreturn]] void here(std::string_view expected) const {
    if (ends()) early();
    const std::string where = place(at_);
    const auto c = static_cast<unsigned char>(text_[at_]);
    if (c == 0)
      source_.fail("G004", fmt::format("NUL byte at {}; is the file UTF-16?", where), at_);
    if (utf8_sequence(text_, at_) == 0)
      source_.fail("G004", fmt::format("invalid UTF-8 (byte 0x{:02X}) at {}", c, where), at_);
    if (c == '/' || c == '#')
      source_.fail("G002", fmt::format("comments are not allowed in JSON at {}", where), at_, 2);
    source_.fail("G002", fmt::format("expected {} at {}", expected, where), at_, 1,
                 c == '\'' ? "strings take double quotes" : "");
  }

  [[noreturn]] void early() const {
    std::string message = fmt::format("JSON ends early at {}", place(text_.size()));
    if (progress_.depth > 0) {
      const auto& last = progress_.open[static_cast<std::size_t>(progress_.depth - 1)];
      message += fmt::format("; {} unclosed '{}' (opened at {})", progress_.depth,
                             last.object ? '{' : '[', place(last.offset));
    }
    source_.fail("G002", message, text_.size());
  }

  const Source& source_;
  const Progress& progress_;
  std::string_view text_;
  std::size_t at_;
};

}  // namespace

void explain(const Source& source, const Progress& progress) {
  Explanation(source, progress).run();
}

void check_start(const Source& source) {
  if (source.text.starts_with("\xEF\xBB\xBF"))
    source.fail("G004", "file starts with a byte-order mark; save as UTF-8 without BOM", 0, 3);
  if (source.text.starts_with("\xFE\xFF") || source.text.starts_with("\xFF\xFE"))
    source.fail("G004", "file starts with a byte-order mark (UTF-16); save as UTF-8 without BOM", 0,
                2);
  if (source.text.find_first_not_of(" \t\r\n") != source.text.npos) return;
  Diagnostic d;
  d.code = "G001";
  d.message = fmt::format("{} is empty; expected {}",
                          source.file.empty() ? "the text" : source.file, source.expected);
  d.file = source.file;
  throw SyntaxError(std::move(d), 0);
}

}  // namespace taugrad::json
