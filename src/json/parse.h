#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

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

/// A JSON text and what its errors say of it; neither is copied.
struct Source {
  std::string_view text;
  std::string_view file;
  std::string_view expected = "a JSON value";  ///< for the message on an empty file
  int first_line = 1;  ///< the text's place in its file: places are told in the file's lines

  LineColumn place(std::size_t offset) const { return line_column(text, offset, first_line); }
  /// A diagnostic with the place and the excerpt.
  Diagnostic at(std::string code, std::string message, std::size_t offset, std::size_t length = 1,
                std::string help = {}) const;
  [[noreturn]] void fail(std::string code, std::string message, std::size_t offset,
                         std::size_t length = 1, std::string help = {}) const;
};

/// One event of a text.
struct Token {
  Event event = Event::end;
  bool escapes = false;  ///< of a key or string: it is not written as it reads
  bool boolean = false;
  std::size_t offset = 0;  ///< of its first byte
  std::size_t end = 0;     ///< one past its last
  std::int64_t integer = 0;
  double real = 0;        ///< of an integer too
  std::string_view text;  ///< of a key or string, decoded; valid until the next event
};

/// What is told of a text that is not JSON: an Error that knows the byte.
class SyntaxError : public Error {
 public:
  SyntaxError(Diagnostic d, std::size_t offset)
      : Error(Status::bad_input, std::move(d)), at_byte(offset) {}
  std::size_t at_byte;
};

/// Reads strict JSON (RFC 8259) from the byte `from` on and hands over one event at a time, until
/// `take` says false or the value ends. Nests without recursion; refuses comments, trailing commas,
/// byte-order marks, malformed UTF-8, numbers out of a double's range and nesting deeper than 64.
/// Keys may repeat: that is the caller's to see.
/// @returns one past the last byte that was handed over
/// @throws SyntaxError (G001-G006); whatever `take` throws
std::size_t parse(const Source& source, const std::function<bool(const Token&)>& take,
                  std::size_t from = 0);

/// Events that were kept, to be taken one after the other: of one field, or of one element of a
/// long array, so that a file of millions of them needs the room of one.
class Tokens {
 public:
  void clear();
  void keep(const Token& token);

  /// The next event; `end` after the last, for ever.
  Event next();
  const Token& now() const { return now_; }

 private:
  std::vector<Token> tokens_;
  std::deque<std::string> decoded_;  // texts that the file does not hold as they read
  std::size_t next_ = 0;
  Token now_;
};

}  // namespace taugrad::json
