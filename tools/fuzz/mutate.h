#pragma once

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace taugrad::fuzz {

/// Changes JSON text so that most of it stays JSON: words, numbers and lines are exchanged for
/// others of the same text. Bytes alone would die at the first check of a reader.
class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  void json(std::string& text) {
    if (text.empty()) return;
    switch (below(9)) {
      case 0:
        return bytes(text);
      case 1:
        return number(text);
      case 2:
        return lines(text);
      case 3:
        return brackets(text);
      default:
        return words(text);
    }
  }

  /// A safetensors file: its header changed as JSON, the header's length made right again mostly.
  void safetensors(std::string& file) {
    std::uint64_t length = 0;
    if (file.size() >= 8) std::memcpy(&length, file.data(), 8);
    if (file.size() < 8 || length > file.size() - 8 || below(8) == 0) return bytes(file);
    std::string header = file.substr(8, length), data = file.substr(8 + length);
    json(header);
    if (below(8) == 0) bytes(data);
    if (below(8) != 0) length = header.size();
    file.assign(reinterpret_cast<const char*>(&length), 8);
    file += header + data;
  }

  std::size_t below(std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(random_() % n); }

 private:
  struct Piece {
    std::size_t at, size;
  };

  static bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

  // maximal runs of letters, digits and _, from a random place on
  Piece word(std::string_view text) {
    std::size_t at = below(text.size());
    while (at < text.size() && !in_word(text[at])) ++at;
    while (at > 0 && at < text.size() && in_word(text[at - 1])) --at;
    std::size_t end = at;
    while (end < text.size() && in_word(text[end])) ++end;
    return {at, end - at};
  }

  void words(std::string& text) {
    const Piece to = word(text), from = word(text);
    text.replace(to.at, to.size, text.substr(from.at, from.size));
  }

  void number(std::string& text) {
    static constexpr std::array<std::string_view, 16> kNasty = {"0",
                                                                "-1",
                                                                "1",
                                                                "2",
                                                                "2147483647",
                                                                "2147483648",
                                                                "9223372036854775807",
                                                                "18446744073709551616",
                                                                "1e400",
                                                                "0.5",
                                                                "-0",
                                                                "\"nan\"",
                                                                "65536",
                                                                "[]",
                                                                "true",
                                                                "3"};
    const std::size_t digit = text.find_first_of("0123456789", below(text.size()));
    if (digit == text.npos) return;
    const std::size_t end = std::min(text.find_first_not_of("0123456789.", digit), text.size());
    text.replace(digit, end - digit, kNasty[below(kNasty.size())]);
  }

  Piece line(std::string_view text) {
    const std::size_t at = below(text.size());
    const std::size_t before = at == 0 ? text.npos : text.rfind('\n', at - 1);
    const std::size_t start = before == text.npos ? 0 : before + 1;
    return {start, std::min(text.find('\n', at), text.size()) - start};
  }

  void lines(std::string& text) {
    const Piece to = line(text), from = line(text);
    const std::string copy = text.substr(from.at, from.size);
    if (below(2) == 0)
      text.replace(to.at, to.size, below(3) == 0 ? std::string() : copy);
    else
      text.insert(to.at, copy + "\n");
  }

  // an operator or a bracket becomes another one
  void brackets(std::string& text) {
    static constexpr std::string_view kSigns = "+-*/@=~<>()[],";
    const std::size_t at = text.find_first_of(kSigns, below(text.size()));
    if (at != text.npos) text[at] = kSigns[below(kSigns.size())];
  }

  void bytes(std::string& text) {
    if (text.empty()) return;
    const std::size_t at = below(text.size());
    const std::size_t length = below(std::min<std::size_t>(text.size() - at, 40)) + 1;
    switch (below(5)) {
      case 0:
        text[at] = static_cast<char>(random_());
        break;
      case 1:
        text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 2:
        text.erase(at, length);
        break;
      case 3:
        text.insert(below(text.size()), text.substr(at, length));
        break;
      default:
        text.resize(at);
        break;
    }
  }

  std::mt19937_64 random_;
};

}  // namespace taugrad::fuzz
