#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "base/utf8.h"
#include "json/json_lexer.h"

// The lexer's words, numbers and strings.
namespace taugrad::json {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The decimal exponent of a number's first digit that is not 0: tells overflow from underflow.
bool is_small(std::string_view literal) {
  const std::size_t e = std::min(literal.find_first_of("eE"), literal.size());
  const std::string_view mantissa = literal.substr(0, e);
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  const std::size_t first = mantissa.find_first_of("123456789");
  if (first == mantissa.npos) return true;
  const std::string_view exponent = literal.substr(std::min(e + 1, literal.size()));
  if (!exponent.empty()) {
    // an exponent longer than any number of digits in a file decides alone
    const bool negative = exponent[0] == '-';
    const std::size_t digits = exponent.find_first_of("123456789");
    if (digits != exponent.npos && exponent.size() - digits > 15) return negative;
  }
  long long value = 0;
  const std::size_t sign = exponent.starts_with('+') ? 1 : 0;
  std::from_chars(exponent.data() + sign, exponent.data() + exponent.size(), value);
  return static_cast<long long>(point) - static_cast<long long>(first) + value < 0;
}

}  // namespace

Event Lexer::read_word() {
  while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) ++at_;
  const std::string_view word = raw();
  if (word == "null") return after(Event::null);
  boolean_ = word == "true";
  if (boolean_ || word == "false") return after(Event::boolean);
  if (word == "NaN" || word == "nan" || word == "Infinity" || word == "inf" || word == "Inf")
    fail("G003", fmt::format("number out of range at {}", to_string(place(start_))), start_,
         word.size(), "use the strings \"nan\"/\"inf\" where the schema allows them");
  at_ = start_;
  fail_here("a value");
}

void Lexer::read_digits() {
  if (ends()) fail_early();
  if (!is_digit(text_[at_])) fail_here("a digit");
  while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
}

Event Lexer::read_number() {
  const bool negative = text_[at_] == '-';
  if (negative) ++at_;
  if (text_.substr(at_).starts_with("Infinity") || text_.substr(at_).starts_with("inf"))
    fail("G003", fmt::format("number out of range at {}", to_string(place(start_))), start_, 4,
         "use the string \"-inf\" where the schema allows it");
  const std::size_t first = at_;
  read_digits();
  if (text_[first] == '0' && at_ - first > 1)
    fail("G002", fmt::format("a number starts with 0 at {}", to_string(place(start_))), start_,
         at_ - start_);
  bool whole = true;
  if (at_ < text_.size() && text_[at_] == '.') {
    whole = false;
    ++at_;
    read_digits();
  }
  if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
    whole = false;
    ++at_;
    if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
    read_digits();
  }
  const std::string_view literal = raw();
  if (whole && literal != "-0") {  // -0 keeps its sign as a real number
    const auto [end, error] =
        std::from_chars(literal.data(), literal.data() + literal.size(), integer_);
    if (error == std::errc()) {
      real_ = static_cast<double>(integer_);
      return after(Event::integer);
    }
  }
  read_real(literal);
  return after(Event::real);
}

void Lexer::read_real(std::string_view literal) {
  const auto [end, error] = std::from_chars(literal.data(), literal.data() + literal.size(), real_);
  if (error == std::errc()) return;
  if (!is_small(literal))
    fail("G003", fmt::format("number out of range at {}", to_string(place(start_))), start_,
         literal.size(), "use the strings \"nan\"/\"inf\" where the schema allows them");
  real_ = literal[0] == '-' ? -0.0 : 0.0;
}

void Lexer::read_string() {
  escapes_ = false;
  const std::size_t first = ++at_;
  std::size_t plain = first;  // start of what scratch_ does not hold yet
  for (;;) {
    if (ends()) {
      const LineColumn opened = place(first - 1);
      fail("G002",
           fmt::format("JSON ends early at {}; the string opened at {} is not closed",
                       to_string(place(at_)), to_string(opened)),
           at_);
    }
    const auto c = static_cast<unsigned char>(text_[at_]);
    if (c == '"') break;
    if (c == '\\') {
      if (!escapes_) scratch_.clear();
      escapes_ = true;
      scratch_ += text_.substr(plain, at_ - plain);
      read_escape();
      plain = at_;
    } else if (c < 0x20) {
      fail(c == 0 ? "G004" : "G002",
           fmt::format("control character (byte 0x{:02X}) in a string at {}", c,
                       to_string(place(at_))),
           at_, 1,
           c == '\n' ? "close the string, or write \\n" : fmt::format("write \\u{:04x}", c));
    } else if (c < 0x80) {
      ++at_;
    } else {
      const std::size_t n = utf8_sequence(text_, at_);
      if (n == 0) fail_here("");
      at_ += n;
    }
  }
  if (escapes_) scratch_ += text_.substr(plain, at_ - plain);
  decoded_ = escapes_ ? std::string_view(scratch_) : text_.substr(first, at_ - first);
  ++at_;
}

void Lexer::read_escape() {
  const std::size_t start = at_++;
  if (ends()) fail_early();
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  const char c = text_[at_];
  if (const std::size_t i = kLetters.find(c); i != kLetters.npos) {
    scratch_.push_back(kMeanings[i]);
    ++at_;
    return;
  }
  if (c != 'u')
    fail("G002", fmt::format("unknown escape in a string at {}", to_string(place(start))), start, 2,
         "write \\\\ for a backslash");
  ++at_;
  char32_t unit = read_hex();
  if (unit >= 0xD800 && unit < 0xDC00 && text_.substr(at_).starts_with("\\u")) {
    at_ += 2;
    const unsigned low = read_hex();
    if (low < 0xDC00 || low > 0xDFFF)
      fail("G004", fmt::format("lone surrogate at {}", to_string(place(start))), start, 6);
    unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
  } else if (unit >= 0xD800 && unit < 0xE000) {
    fail("G004", fmt::format("lone surrogate at {}", to_string(place(start))), start, 6);
  }
  append_utf8(scratch_, unit);
}

unsigned Lexer::read_hex() {
  unsigned value = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    if (ends()) fail_early();
    const char c = text_[at_];
    const int digit = is_digit(c)            ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) fail_here("four hexadecimal digits after \\u");
    value = value * 16 + static_cast<unsigned>(digit);
  }
  return value;
}

}  // namespace taugrad::json
