#include "base/utf8.h"

#include <fmt/core.h>

namespace taugrad {
namespace {

unsigned byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

}  // namespace

std::size_t utf8_sequence(std::string_view text, std::size_t at) {
  const unsigned first = byte_at(text, at);
  if (first < 0x80) return 1;
  // the second byte's range excludes overlong forms, surrogates and what lies beyond U+10FFFF
  unsigned low = 0x80, high = 0xBF;
  std::size_t length = 0;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  }
  if (length == 0 || text.size() - at < length) return 0;
  for (std::size_t i = 1; i < length; ++i, low = 0x80, high = 0xBF)
    if (const unsigned b = byte_at(text, at + i); b < low || b > high) return 0;
  return length;
}

bool is_control(std::string_view sequence) {
  const unsigned first = byte_at(sequence, 0);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7F;
  const unsigned second = byte_at(sequence, 1);
  if (sequence.size() == 2)  // C1 is U+0080..U+009F; U+061C
    return (first == 0xC2 && second < 0xA0) || (first == 0xD8 && second == 0x9C);
  if (sequence.size() != 3 || first != 0xE2) return false;
  const unsigned third = byte_at(sequence, 2);  // U+200E, U+200F, U+2028..U+202E, U+2066..U+2069
  return (second == 0x80 && (third == 0x8E || third == 0x8F || (third >= 0xA8 && third <= 0xAE))) ||
         (second == 0x81 && third >= 0xA6 && third <= 0xA9);
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t n = utf8_sequence(text, at);
    if (n == 0) return false;
    at += n;
  }
  return true;
}

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&](unsigned lead, int shift) {
    out.push_back(static_cast<char>(lead | (c >> shift)));
    for (shift -= 6; shift >= 0; shift -= 6)
      out.push_back(static_cast<char>(0x80 | ((c >> shift) & 0x3F)));
  };
  if (c < 0x80)
    put(0, 0);
  else if (c < 0x800)
    put(0xC0, 6);
  else if (c < 0x10000)
    put(0xE0, 12);
  else
    put(0xF0, 18);
}

std::size_t utf8_characters(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) {
    const std::size_t n = utf8_sequence(text, at);
    at += n == 0 ? 1 : n;
  }
  return count;
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (out.size() >= limit) return out + "...";
    const std::size_t n = utf8_sequence(text, at);
    const std::string_view sequence = text.substr(at, n == 0 ? 1 : n);
    if (n != 0 && !is_control(sequence))
      out += sequence;
    else
      for (const char c : sequence) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    at += sequence.size();
  }
  return out;
}

std::string printable_line(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t n = utf8_sequence(text, at);
    const std::string_view sequence = text.substr(at, n == 0 ? 1 : n);
    if (n != 0 && !is_control(sequence))
      out += sequence;
    else
      out += sequence == "\t" ? ' ' : '?';
    at += sequence.size();
  }
  return out;
}

}  // namespace taugrad
