#include "base/source_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "base/utf8.h"

namespace taugrad {
namespace {

constexpr std::size_t kMarkEvery = 512;  // bytes between marks within a line
constexpr std::size_t kWindow = 120;     // bytes of a line that an excerpt shows

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

int clamped(std::size_t n) {
  return static_cast<int>(std::min<std::size_t>(n, std::numeric_limits<int>::max()));
}

}  // namespace

LineColumn line_column(std::string_view text, std::size_t offset, int first_line) {
  const std::string_view before = text.substr(0, offset);
  const auto lines = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  const std::size_t last = before.rfind('\n');
  const std::string_view line = last == before.npos ? before : before.substr(last + 1);
  return {clamped(lines + static_cast<std::size_t>(first_line)),
          clamped(utf8_characters(line) + 1)};
}

void show_excerpt(Diagnostic& d, std::string_view text, std::size_t offset, std::size_t length) {
  offset = std::min(offset, text.size());
  // looks no further than a window: a line may be as long as the file
  std::size_t start = offset, end = offset;
  while (start > 0 && offset - start <= kWindow && text[start - 1] != '\n') --start;
  while (end < text.size() && end - offset <= kWindow && text[end] != '\n') ++end;
  if (end > start && text[end - 1] == '\r') --end;
  if (offset - start > kWindow / 2 && end - start > kWindow) {
    start = offset - kWindow / 2;
    while (start < offset && continues_character(text[start])) ++start;
  }
  if (end - start > kWindow) {
    end = start + kWindow;
    while (end > offset && continues_character(text[end])) --end;
  }
  d.excerpt = text.substr(start, end - start);
  d.caret = clamped(offset - start);
  d.caret_length = std::max(1, clamped(std::min(length, end > offset ? end - offset : 0)));
}

LineTable::LineTable(std::string_view text, int first_line) : text_(text) {
  LineColumn place{first_line, 1};
  marks_.push_back({0, place});
  std::size_t last = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '\n') {
      ++place.line;
      place.column = 1;
      marks_.push_back({last = at + 1, place});
      ++at;
      continue;
    }
    const std::size_t n = utf8_sequence(text, at);
    at += n == 0 ? 1 : n;
    ++place.column;
    if (at - last >= kMarkEvery) marks_.push_back({last = at, place});
  }
}

LineColumn LineTable::at(std::size_t offset) const {
  const auto after = std::upper_bound(marks_.begin(), marks_.end(), offset,
                                      [](std::size_t o, const Mark& m) { return o < m.offset; });
  const Mark& mark = *std::prev(after);
  LineColumn place = mark.place;
  place.column += clamped(utf8_characters(text_.substr(mark.offset, offset - mark.offset)));
  return place;
}

std::string to_string(LineColumn place) { return fmt::format("{}:{}", place.line, place.column); }

}  // namespace taugrad
