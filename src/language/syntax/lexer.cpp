#include "language/syntax/lexer.h"

#include <fmt/core.h>

#include <charconv>
#include <cmath>

#include "base/utf8.h"
#include "language/syntax/syntax_help.h"

namespace taugrad {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

Token read_number(const Text& text, std::size_t at) {
  const char* first = text.text.data() + at;
  const char* end = text.text.data() + text.text.size();
  Token token{Token::Kind::number, {}, 0, static_cast<int>(at), 1};
  const auto result = std::from_chars(first, end, token.number);
  token.length = static_cast<int>(result.ptr - first);
  if (result.ec != std::errc{} || !std::isfinite(token.number))
    fail_at("E001", "a number is out of range", text, token.column, std::max(token.length, 1));
  if (result.ptr != end && is_letter(*result.ptr))
    fail_at("E001", "a number is followed by a letter", text, token.column, token.length + 1,
            "write * between a number and a name");
  token.text.assign(first, result.ptr);
  return token;
}

Token read_name(const Text& text, std::size_t at) {
  const std::string& s = text.text;
  std::size_t end = at;
  // a dot joins an import's prefix and a name: b1.h
  while (end < s.size() && (is_letter(s[end]) || is_digit(s[end]) ||
                            (s[end] == '.' && end + 1 < s.size() && is_letter(s[end + 1]))))
    ++end;
  return {Token::Kind::name, s.substr(at, end - at), 0, static_cast<int>(at),
          static_cast<int>(end - at)};
}

// whole, where it is UTF-8 of several bytes
std::string character_at(const std::string& text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
  return printable(text.substr(at, end - at));
}

}  // namespace

std::vector<Token> tokenize(const Text& text) {
  const std::string& s = text.text;
  std::vector<Token> tokens;
  for (std::size_t at = 0; at < s.size();) {
    const char c = s[at];
    if (c == ' ' || c == '\t') {
      ++at;
      continue;
    }
    if (is_digit(c) || (c == '.' && at + 1 < s.size() && is_digit(s[at + 1]))) {
      tokens.push_back(read_number(text, at));
    } else if (is_letter(c)) {
      tokens.push_back(read_name(text, at));
    } else {
      const std::string two = s.substr(at, 2);
      const bool pair = two == "==" || two == "!=" || two == "<=" || two == ">=";
      if (!pair && std::string_view("+-*/@()[]<>,=~").find(c) == std::string_view::npos)
        fail_at("E001", fmt::format("unexpected character '{}'", character_at(s, at)), text,
                static_cast<int>(at), 1, syntax_help(s, at));
      tokens.push_back({Token::Kind::sign, pair ? two : std::string(1, c), 0, static_cast<int>(at),
                        pair ? 2 : 1});
    }
    at += static_cast<std::size_t>(tokens.back().length);
  }
  tokens.push_back({Token::Kind::end, "", 0, static_cast<int>(s.size()), 1});
  return tokens;
}

}  // namespace taugrad
