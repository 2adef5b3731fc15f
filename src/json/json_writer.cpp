#include "json/json_writer.h"

#include <fmt/core.h>

#include <charconv>
#include <cmath>

#include "base/utf8.h"

namespace taugrad::json {
namespace {

// of two or three bytes: no control character has more
unsigned code_point(std::string_view sequence) {
  unsigned c = static_cast<unsigned char>(sequence[0]) & (sequence.size() == 2 ? 0x1Fu : 0x0Fu);
  for (const char byte : sequence.substr(1))
    c = c << 6 | (static_cast<unsigned char>(byte) & 0x3Fu);
  return c;
}

}  // namespace

void append_string(std::string& out, std::string_view text, Escape escape) {
  out += '"';
  std::size_t plain = 0;  // start of what is not written yet
  const auto replace = [&](std::size_t at, std::size_t bytes, std::string_view by) {
    out += text.substr(plain, at - plain);
    out += by;
    plain = at + bytes;
  };
  for (std::size_t at = 0; at < text.size();) {
    const auto c = static_cast<unsigned char>(text[at]);
    const std::size_t n = c < 0x80 ? 1 : utf8_sequence(text, at);
    if (n == 0)
      replace(at, 1, "\xEF\xBF\xBD");
    else if (c == '"')
      replace(at, 1, "\\\"");
    else if (c == '\\')
      replace(at, 1, "\\\\");
    else if (c == '\n')
      replace(at, 1, "\\n");
    else if (c == '\t')
      replace(at, 1, "\\t");
    else if (c < 0x20 || c == 0x7F || (c == '<' && escape == Escape::html))
      replace(at, 1, fmt::format("\\u{:04x}", c));
    else if (n > 1 && is_control(text.substr(at, n)))
      replace(at, n, fmt::format("\\u{:04x}", code_point(text.substr(at, n))));
    at += n == 0 ? 1 : n;
  }
  replace(text.size(), 0, "\"");
}

void append_number(std::string& out, std::int64_t value) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

void append_number(std::string& out, double value, bool keep_real) {
  if (std::isnan(value)) {
    out += "\"nan\"";
  } else if (std::isinf(value)) {
    out += value > 0 ? "\"inf\"" : "\"-inf\"";
  } else {
    char buffer[32];
    const char* end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
    const std::string_view digits(buffer, static_cast<std::size_t>(end - buffer));
    out += digits;
    if (keep_real && digits.find_first_of(".e") == digits.npos) out += ".0";
  }
}

void Writer::new_line() {
  if (indent_ == 0) return;
  out_ += '\n';
  out_.append(empty_.size() * static_cast<std::size_t>(indent_), ' ');
}

void Writer::separate() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (empty_.empty()) return;
  if (!empty_.back()) out_ += indent_ == 0 ? ", " : ",";
  empty_.back() = false;
  new_line();
}

Writer& Writer::open(char bracket) {
  separate();
  out_ += bracket;
  empty_.push_back(true);
  return *this;
}
Writer& Writer::close(char bracket) {
  const bool empty = empty_.back();
  empty_.pop_back();
  if (!empty) new_line();
  out_ += bracket;
  return *this;
}

Writer& Writer::begin_object() { return open('{'); }
Writer& Writer::end_object() { return close('}'); }
Writer& Writer::begin_array() { return open('['); }
Writer& Writer::end_array() { return close(']'); }

Writer& Writer::key(std::string_view name) {
  separate();
  append_string(out_, name, escape_);
  out_ += ": ";
  after_key_ = true;
  return *this;
}
Writer& Writer::value(std::string_view text) {
  separate();
  append_string(out_, text, escape_);
  return *this;
}
Writer& Writer::value(double number) {
  separate();
  append_number(out_, number);
  return *this;
}
Writer& Writer::value(std::int64_t number) {
  separate();
  append_number(out_, number);
  return *this;
}
Writer& Writer::value(bool truth) {
  separate();
  out_ += truth ? "true" : "false";
  return *this;
}
Writer& Writer::null() {
  separate();
  out_ += "null";
  return *this;
}

std::string to_json(const Diagnostic& d, bool warning) {
  Writer w;
  w.begin_object().field("level", warning ? "warning" : "error");
  const auto text = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) w.field(name, std::string_view(value));
  };
  text("code", d.code);
  text("file", d.file);
  if (d.line > 0) w.field("line", d.line);
  if (d.column > 0) w.field("column", d.column);
  text("pointer", d.pointer);
  text("message", d.message);
  text("help", d.help);
  return w.end_object().text();
}

}  // namespace taugrad::json
