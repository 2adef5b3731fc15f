#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "base/source_text.h"

namespace taugrad::json {

enum class Event : std::uint8_t {
  begin_object,
  end_object,
  begin_array,
  end_array,
  key,
  string,
  integer,
  real,
  boolean,
  null,
  end
};

/// Reads strict JSON (RFC 8259) one event at a time: the one place where its grammar stands. Nests
/// without recursion; refuses comments, trailing commas, byte-order marks, malformed UTF-8, numbers
/// out of a double's range and nesting deeper than 64. Keys may repeat: that is the caller's to
/// see.
class Lexer {
 public:
  /// The text and the name must outlive the lexer.
  /// @param expected  for the message on an empty file: "a graph object"
  /// @param first_line  the text's place in its file: places are told in the file's lines
  Lexer(std::string_view text, std::string_view file, std::string_view expected = "a JSON value",
        int first_line = 1);

  /// The next event; `end` after the value, for ever. @throws Error (G001-G006)
  Event next();

  /// Goes back to a value that was passed over: the next event is its first. Read no further than
  /// its last.
  void resume(std::size_t offset);

  std::size_t offset() const { return start_; }  ///< of the event's first byte
  std::size_t position() const { return at_; }   ///< of the next byte to read
  /// The value as written.
  std::string_view raw() const { return text_.substr(start_, at_ - start_); }
  /// A key or string, decoded; valid until the next event.
  std::string_view text() const { return decoded_; }
  bool has_escapes() const { return escapes_; }
  std::int64_t integer() const { return integer_; }
  double real() const { return real_; }  ///< of an integer too
  bool boolean() const { return boolean_; }

  LineColumn place(std::size_t offset) const { return line_column(text_, offset, first_line_); }
  /// A diagnostic with the place and the excerpt.
  Diagnostic at(std::string code, std::string message, std::size_t offset, std::size_t length = 1,
                std::string help = {}) const;
  [[noreturn]] void fail(std::string code, std::string message, std::size_t offset,
                         std::size_t length = 1, std::string help = {}) const;

 private:
  enum class Expect : std::uint8_t {
    value,
    value_after_comma,
    value_or_end,
    key_or_end,
    key_after_comma,
    comma_or_end,
    nothing
  };
  struct Open {
    bool object;
    std::size_t offset;
  };

  void skip_space();
  bool ends() const { return at_ >= text_.size(); }
  Event read_value();
  Event read_key();
  Event open(bool object);
  Event close();
  Event after(Event e);
  Event read_word();
  Event read_number();
  void read_digits();
  void read_real(std::string_view literal);
  void read_string();
  void read_escape();
  unsigned read_hex();
  void check_start() const;
  [[noreturn]] void fail_here(std::string_view expected) const;
  [[noreturn]] void fail_early() const;

  std::string_view text_;
  std::string_view file_;
  std::string_view expected_;
  int first_line_ = 1;
  std::size_t at_ = 0;
  std::size_t start_ = 0;
  Expect expect_ = Expect::value;
  std::array<Open, limits::kJsonDepth> open_{};
  int depth_ = 0;
  std::string_view decoded_;
  std::string scratch_;
  bool escapes_ = false;
  std::int64_t integer_ = 0;
  double real_ = 0;
  bool boolean_ = false;
};

}  // namespace taugrad::json
