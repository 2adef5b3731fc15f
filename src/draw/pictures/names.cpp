#include "draw/pictures/names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>

#include "base/utf8.h"
#include "graph/gradient_order.h"

namespace taugrad::draw {
namespace {

bool is_id_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_keyword(std::string id) {
  for (char& c : id) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  constexpr std::array<std::string_view, 6> kWords{"node",    "edge",     "graph",
                                                   "digraph", "subgraph", "strict"};
  return std::find(kWords.begin(), kWords.end(), id) != kWords.end();
}

std::string superscript(int number) {
  constexpr std::array<std::string_view, 10> kDigits{"⁰", "¹", "²", "³", "⁴",
                                                     "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text = number < 0 ? "⁻" : "⁺";
  for (const char digit : std::to_string(std::abs(number)))
    text += kDigits[static_cast<std::size_t>(digit - '0')];
  return text;
}

}  // namespace

std::string IdMaker::make(std::string_view name, std::span<const std::int32_t> index,
                          std::string_view step) {
  std::string id;
  for (const char c : name) id += is_id_letter(c) ? c : '_';
  for (const std::int32_t i : index) id += fmt::format("_{}{}", i < 0 ? "m" : "", std::abs(i));
  if (!step.empty()) id.append(id.empty() ? "" : "_").append(step);
  if (id.empty() || (id[0] >= '0' && id[0] <= '9') || is_keyword(id)) id = "n_" + id;
  for (int copy = 2; !used_.insert(id).second; ++copy) {
    std::string other = fmt::format("{}_{}", id, copy);
    if (used_.insert(other).second) return other;
  }
  return id;
}

std::string variable_text(const Tape& tape, NodeId id) {
  std::string text = tape.known_as(id);
  if (text.empty()) {
    text = tape.name(id);
    if (!tape.index(id).empty()) text += fmt::format("[{}]", fmt::join(tape.index(id), ","));
  }
  if (!text.starts_with("grad:")) return text;
  std::string sign = "∇";
  for (int order = gradient_order(tape, id); order > 1; --order) sign += "∇";
  return sign + text.substr(5);
}

std::string shortened(std::string_view text) {
  constexpr std::size_t kMost = 40, kEnd = 8;  // characters
  const std::size_t count = utf8_characters(text);
  if (count <= kMost) return std::string(text);
  std::string start, end;
  for (std::size_t at = 0, i = 0; at < text.size(); ++i) {
    const std::size_t bytes = std::max<std::size_t>(utf8_sequence(text, at), 1);
    if (i < kMost - kEnd) start += text.substr(at, bytes);
    if (i >= count - kEnd) end += text.substr(at, bytes);
    at += bytes;
  }
  return start + "…" + end;
}

std::string offset_range(std::string_view letter, int low, int high) {
  const auto place = [&](int offset) {
    if (offset == 0) return std::string(letter);
    return fmt::format("{}{}{}", letter, offset < 0 ? "−" : "+", std::abs(offset));
  };
  return low == high ? place(low) : fmt::format("{}…{}", place(low), place(high));
}

std::string delay_power(int offset) { return fmt::format("z{}", superscript(offset)); }

std::string delay_text(const PictureCluster& from, const PictureCluster& to) {
  if (from.domain != to.domain || from.position.size() != to.position.size()) return "";
  if (from.position.size() == 1) {
    return delay_power(from.position[0] - to.position[0]);
  }
  std::string text;
  std::size_t letter = 0;
  for (std::size_t a = 0; a < from.position.size(); ++a) {
    const std::size_t end = std::min(from.domain.find(',', letter), from.domain.size());
    const int offset = from.position[a] - to.position[a];
    if (offset != 0) {
      text += fmt::format("{}{}{}{}", text.empty() ? "" : ", ",
                          from.domain.substr(letter, end - letter), offset < 0 ? "−" : "+",
                          std::abs(offset));
    }
    letter = std::min(end + 1, from.domain.size());
  }
  return text;
}

}  // namespace taugrad::draw
