#include "train/text_size.h"

#include <span>
#include <vector>

#include "base/files.h"

namespace taugrad {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;

/// Bytes that begin a character in UTF-8.
std::int64_t characters_in(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; });
}

}  // namespace

// A word begins where a token of one or two characters does not end with the one before it.
std::int64_t TextMeasure::tokens_in(std::string_view part) {
  if (tokens_ == Tokens::bytes) return static_cast<std::int64_t>(part.size());
  if (tokens_ == Tokens::chars) return characters_in(part);
  std::int64_t count = 0;
  for (const char c : part) {
    const char two[] = {last_, c};
    if (token_length({two, 2}, Tokens::words) == 1) ++count;
    last_ = c;
  }
  return count;
}

void TextMeasure::add(std::string_view piece) {
  size_.bytes += piece.size();
  while (!piece.empty()) {
    const std::size_t end = std::min(piece.find('\n'), piece.size());
    const std::string_view part = piece.substr(0, end);
    percent_ = line_ == 0 ? part == "%" : percent_ && part.empty();
    blank_ = blank_ && part.find_first_not_of(" \t\r\v\f") == std::string_view::npos;
    line_ += tokens_in(part);
    if (end == piece.size()) return;
    end_line();
    piece.remove_prefix(end + 1);
  }
}

void TextMeasure::end_line() {
  last_ = '\n';
  const bool separates =
      (split_ == Split::blank && blank_) || (split_ == Split::percent && percent_);
  if (separates) {
    end_item();
  } else {
    item_ += line_ + (any_ ? 1 : 0);
    any_ = true;
    if (split_ == Split::line) end_item();
  }
  line_ = 0;
  blank_ = true;
  percent_ = false;
}

void TextMeasure::end_item() {
  if (item_ > 0) {
    ++size_.items;
    size_.characters += item_;
    if (max_length_ == 0 || item_ <= max_length_) size_.longest = std::max(size_.longest, item_);
  }
  item_ = 0;
  any_ = false;
}

void TextMeasure::end_file() {
  if (line_ > 0) end_line();
  end_item();
}

void measure_file(const std::string& file, TextMeasure& measure) {
  const InputFile in(file);
  std::string piece(std::min<std::uint64_t>(kPiece, in.size()), '\0');
  for (std::uint64_t at = 0; at < in.size(); at += piece.size()) {
    piece.resize(std::min<std::uint64_t>(kPiece, in.size() - at));
    in.read(at, std::as_writable_bytes(std::span(piece)));
    measure.add(piece);
  }
  measure.end_file();
}

}  // namespace taugrad
