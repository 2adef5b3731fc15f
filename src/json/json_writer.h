#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "taugrad/base/error.h"

namespace taugrad::json {

/// How a string is escaped: `html` also writes "<" as \u003c, for JSON inside a page.
enum class Escape { plain, html };

/// Appends the string in quotes. What is not UTF-8 becomes U+FFFD, so the output always reads back.
void append_string(std::string& out, std::string_view text, Escape escape = Escape::plain);
void append_number(std::string& out, std::int64_t value);
/// The shortest decimal that reads back to the same bits; "inf", "-inf", "nan" as strings. With
/// `keep_real` a whole number keeps its point ("3.0"), so that it reads back as a real number.
void append_number(std::string& out, double value, bool keep_real = false);

/// Writes values one after the other, with commas and, if asked, indentation.
class Writer {
 public:
  /// @param indent  spaces a level; 0: everything on one line
  explicit Writer(int indent = 0, Escape escape = Escape::plain)
      : indent_(indent), escape_(escape) {}

  Writer& begin_object();
  Writer& end_object();
  Writer& begin_array();
  Writer& end_array();
  Writer& key(std::string_view name);
  Writer& value(std::string_view text);
  Writer& value(const char* text) { return value(std::string_view(text)); }
  Writer& value(double number);
  Writer& value(std::int64_t number);
  Writer& value(int number) { return value(static_cast<std::int64_t>(number)); }
  Writer& value(std::size_t number) { return value(static_cast<std::int64_t>(number)); }
  Writer& value(bool truth);
  Writer& null();
  template <class T>
  Writer& field(std::string_view name, const T& v) {
    key(name);
    return value(v);
  }

  /// What was written so far; complete when every bracket is closed.
  const std::string& text() const { return out_; }

 private:
  void separate();
  void new_line();
  Writer& open(char bracket);
  Writer& close(char bracket);

  std::string out_;
  std::vector<bool> empty_;  // of each open bracket: nothing inside yet
  bool after_key_ = false;
  int indent_;
  Escape escape_;
};

/// One diagnostic as a line of JSON: {"level":"error","code":...}; fields that are empty are left
/// out.
std::string to_json(const Diagnostic& d, bool warning = false);

}  // namespace taugrad::json
