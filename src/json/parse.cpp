#include "json/parse.h"

#include <fmt/core.h>

#include <cstdint>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

#include "json/syntax_error.h"

namespace taugrad::json {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

// what stands between one event and the next
bool is_between(char c) {
  return c == ' ' || c == '\n' || c == ',' || c == ':' || c == '\t' || c == '\r';
}

/// An iterator whose copies share their place: how the parser's callbacks know where they are.
class Cursor {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Cursor(std::string_view text, std::size_t* at) : text_(text), at_(at) {}
  reference operator*() const { return text_[*at_]; }
  Cursor& operator++() {
    ++*at_;
    return *this;
  }
  /// The other one is the end.
  friend bool operator==(const Cursor& a, const Cursor&) { return *a.at_ == a.text_.size(); }
  friend bool operator!=(const Cursor& a, const Cursor& b) { return !(a == b); }

 private:
  std::string_view text_;
  std::size_t* at_;
};

/// Makes events with places of what the parser calls.
class Sax final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Sax(const Source& source, const std::function<bool(const Token&)>& take, std::size_t from)
      : source_(source), take_(take), at_(from) {
    progress_.end = from;
  }

  /// @returns whether the text was read to the end of its value
  bool run() {
    const Cursor cursor(source_.text, &at_);
    return nlohmann::json::sax_parse(cursor, cursor, this);
  }
  const Progress& progress() const { return progress_; }

  bool null() override { return hand_over(Event::null); }
  bool boolean(bool value) override {
    token_.boolean = value;
    return hand_over(Event::boolean);
  }
  bool number_integer(number_integer_t value) override {
    return number(value, static_cast<double>(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return real(static_cast<double>(value));
    return number(static_cast<std::int64_t>(value), static_cast<double>(value));
  }
  bool number_float(number_float_t value, const string_t& /*written*/) override {
    return real(value);
  }
  bool string(string_t& value) override { return text(Event::string, value); }
  bool binary(binary_t& /*value*/) override { return false; }
  bool key(string_t& value) override { return text(Event::key, value); }
  bool start_object(std::size_t /*elements*/) override { return open(true); }
  bool start_array(std::size_t /*elements*/) override { return open(false); }
  bool end_object() override { return close(Event::end_object); }
  bool end_array() override { return close(Event::end_array); }

  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*why*/) override {
    explain(source_, progress_);
  }

 private:
  std::size_t begin() const {
    std::size_t at = progress_.end;
    while (at < source_.text.size() && is_between(source_.text[at])) ++at;
    return at;
  }

  bool hand_over(Event event) { return hand_over(event, at_); }
  bool hand_over(Event event, std::size_t end) {
    token_.event = event;
    token_.offset = begin();
    token_.end = end;
    progress_.last = event;
    progress_.end = end;
    return take_(token_);
  }

  // the parser looked at the character behind a number, unless there is none; a number ends in a
  // digit, and one digit alone ends a number: 0
  std::size_t number_end() const {
    const std::size_t first = begin();
    const std::size_t whole = first + (source_.text[first] == '-' ? 1 : 0);
    if (source_.text[whole] == '0' && whole + 1 < source_.text.size() &&
        is_digit(source_.text[whole + 1])) {
      const std::size_t end = source_.text.find_first_not_of("0123456789", whole);
      source_.fail("G002",
                   fmt::format("a number starts with 0 at {}", to_string(source_.place(first))),
                   first, std::min(end, source_.text.size()) - first);
    }
    return is_digit(source_.text[at_ - 1]) ? at_ : at_ - 1;
  }
  bool number(std::int64_t value, double real_value) {
    if (value == 0 && source_.text[begin()] == '-') return real(-0.0);  // keeps its sign
    token_.integer = value;
    token_.real = real_value;
    return hand_over(Event::integer, number_end());
  }
  bool real(double value) {
    token_.real = value;
    return hand_over(Event::real, number_end());
  }

  bool text(Event event, const std::string& value) {
    const std::size_t first = begin() + 1;
    token_.escapes = at_ - 1 - first != value.size();
    token_.text =
        token_.escapes ? std::string_view(value) : source_.text.substr(first, value.size());
    return hand_over(event);
  }

  bool open(bool object) {
    const std::size_t offset = begin();
    if (progress_.depth == limits::kJsonDepth)
      source_.fail("G006",
                   fmt::format("nesting deeper than {} at {}", limits::kJsonDepth,
                               to_string(source_.place(offset))),
                   offset);
    progress_.open[static_cast<std::size_t>(progress_.depth++)] = {object, offset};
    return hand_over(object ? Event::begin_object : Event::begin_array);
  }
  bool close(Event event) {
    --progress_.depth;
    return hand_over(event);
  }

  const Source& source_;
  const std::function<bool(const Token&)>& take_;
  std::size_t at_;  // of the next byte that the parser reads
  Progress progress_;
  Token token_;
};

}  // namespace

Diagnostic Source::at(std::string code, std::string message, std::size_t offset, std::size_t length,
                      std::string help) const {
  Diagnostic d;
  d.code = std::move(code);
  d.message = std::move(message);
  d.file = file;
  const LineColumn where = place(offset);
  d.line = where.line;
  d.column = where.column;
  show_excerpt(d, text, offset, length);
  d.help = std::move(help);
  return d;
}

void Source::fail(std::string code, std::string message, std::size_t offset, std::size_t length,
                  std::string help) const {
  throw SyntaxError(at(std::move(code), std::move(message), offset, length, std::move(help)),
                    offset);
}

std::size_t parse(const Source& source, const std::function<bool(const Token&)>& take,
                  std::size_t from) {
  check_start(source);
  Sax sax(source, take, from);
  // a NUL byte ends the text for the parser
  if (sax.run() && source.text.find_first_not_of(kSpace, sax.progress().end) != source.text.npos)
    explain(source, sax.progress());
  return sax.progress().end;
}

void Tokens::clear() {
  tokens_.clear();
  decoded_.clear();
  next_ = 0;
}

void Tokens::keep(const Token& token) {
  tokens_.push_back(token);
  if (token.escapes) tokens_.back().text = decoded_.emplace_back(token.text);
}

Event Tokens::next() {
  now_ = next_ == tokens_.size() ? Token{} : tokens_[next_++];
  return now_.event;
}

}  // namespace taugrad::json
