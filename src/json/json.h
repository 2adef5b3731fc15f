#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/source_text.h"
#include "json/parse.h"

namespace taugrad::json {

enum class Kind : std::uint8_t { null, boolean, integer, real, string, array, object };
std::string_view to_string(Kind kind);  ///< "number" for both of them

class Document;
struct Member;

/// One value of a document, or one key; a light handle, valid as long as the document.
class Value {
 public:
  Kind kind() const;
  bool is(Kind k) const { return kind() == k; }
  bool is_number() const { return is(Kind::integer) || is(Kind::real); }

  std::size_t offset() const;    ///< of its first byte in the file
  LineColumn place() const;      ///< of its first character
  std::string_view raw() const;  ///< a number or word as written
  std::string pointer() const;   ///< "/nodes/7/inputs/1"; linear in the siblings since the last one

  /// Typed reading. `what` names the value in the message: "op" gives `"op" must be a string, got
  /// number`. @throws Error (G010: wrong type; G011: not an integer of the range)
  std::string_view string(std::string_view what) const;
  bool boolean(std::string_view what) const;
  double number(std::string_view what) const;          ///< integers too
  double number_or_word(std::string_view what) const;  ///< also "inf", "-inf", "nan"
  std::int64_t integer(std::string_view what, std::int64_t least, std::int64_t most) const;
  std::vector<Value> elements(std::string_view what) const;
  std::vector<Member> members(std::string_view what) const;

  /// Of a string: where the byte `offset` of the decoded text stands in the file, escapes
  /// considered; `offset` may be the text's size (the closing quote).
  LineColumn place_in_string(std::size_t offset) const;
  /// Of a string: the column of each byte of the decoded text, and of its end; empty where byte i
  /// simply stands at place().column + 1 + i.
  std::vector<int> string_columns() const;

  /// A diagnostic at this value, with file, place, pointer and excerpt.
  Diagnostic at(std::string code, std::string message, std::string help = {}) const;
  [[noreturn]] void fail(std::string code, std::string message, std::string help = {}) const;

 private:
  friend class Document;
  Value(const Document* document, std::uint32_t id) : document_(document), id_(id) {}
  std::size_t place_end() const;
  [[noreturn]] void fail_type(std::string_view what, std::string_view wanted) const;
  const Document* document_;
  std::uint32_t id_;
};

struct Member {
  Value key;
  Value value;
  std::string_view name() const { return key.string("key"); }
};

/// How many values and keys a JSON text has, at most: counted without reading it.
std::size_t most_values(std::string_view text);

/// A parsed JSON text: values in the order of the file, each with its place. Flat inside, so that
/// neither reading nor freeing recurses.
class Document {
 public:
  /// @param expected  for the message on an empty file: "a definition object"
  /// @param first_line  the text's place in its file: places are told in the file's lines
  /// @throws Error (G001-G006; R001, R002 over the memory budget, over the size limit)
  Document(std::string_view text, std::string_view file, std::string_view expected = "a JSON value",
           int first_line = 1);
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  Value root() const { return {this, 0}; }
  /// The root, an object. @throws Error (G007: "expected an object, got array")
  Value root_object() const;
  const std::string& text() const { return text_; }
  const std::string& file() const { return file_; }

 private:
  friend class Value;
  // preorder; a key stands right before its value
  struct Cell {
    Kind kind;
    bool key;
    bool escaped;          // string: decoded text in pool_, else in text_
    std::uint32_t offset;  // of the first byte
    std::uint32_t end;     // one past the last cell inside
    union {
      std::int64_t integer;
      double real;
      struct {
        std::uint32_t first, size;
      } span;  // string: place of the decoded text; array, object: size is the number of elements
    };
  };

  void build(const Source& source);
  void take(const Token& token, const Source& source);
  Cell& add(Kind kind, const Token& token);
  void add_string(const Token& token);
  void close(const Source& source);
  void check_keys(std::uint32_t id, const Source& source) const;
  std::string_view string(const Cell& c) const;
  const Cell& cell(std::uint32_t id) const { return cells_[id]; }

  /// How far pointer() came in the longest container that it passed through: in the order of the
  /// file, the next pointer goes on from there.
  struct Passed {
    std::uint32_t parent = 0, child = 1;
    std::size_t number = 0;
  };

  std::string text_;
  std::string file_;
  std::vector<Cell> cells_;
  std::vector<std::uint32_t> open_;  // while it is read
  std::string pool_;
  std::optional<LineTable> lines_;
  mutable Passed passed_;
};

/// The fields of an object whose names are known.
class Fields {
 public:
  /// @throws Error: G010 where `object` is none, G009 for each field that is not `known`
  Fields(Value object, std::string_view what, std::initializer_list<std::string_view> known);

  std::optional<Value> find(std::string_view name) const;
  /// @throws Error (G010: missing field)
  Value at(std::string_view name) const;
  const std::vector<Member>& members() const { return members_; }

 private:
  Value object_;
  std::string what_;
  std::vector<Member> members_;
};

}  // namespace taugrad::json
