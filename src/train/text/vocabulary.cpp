// The symbols of a text model.
#include <algorithm>
#include <string>

#include "base/fail.h"
#include "base/source_text.h"
#include "base/utf8.h"
#include "taugrad/train/text.h"
#include "train/state/words.h"
#include "train/text/stored_text.h"

namespace taugrad {
namespace {

constexpr const char* kUnknownText = "\xEF\xBF\xBD";  // U+FFFD

std::string all_bytes(std::size_t b) { return {static_cast<char>(b)}; }

/// f(token, where it begins) of every token of a text.
template <class F>
void each_token(std::string_view text, Tokens tokens, const F& f) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t n = token_length(text.substr(at), tokens);
    f(text.substr(at, n), at);
    at += n;
  }
}

using Counts = std::map<std::string, std::int64_t>;  // in byte order: of UTF-8 that of code points

Counts counts_of(const std::vector<TextItem>& items, Tokens tokens) {
  std::map<std::string_view, std::int64_t> seen;
  for (const TextItem& item : items)
    each_token(item.text, tokens, [&](std::string_view token, std::size_t) { ++seen[token]; });
  Counts counts;
  for (const auto& [token, count] : seen) counts.emplace(token, count);
  return counts;
}

}  // namespace

Diagnostic not_in_vocabulary(std::string_view token, Tokens tokens) {
  Diagnostic d;
  d.code = "D004";
  d.message = fmt::format("{} \"{}\" is not in the vocabulary",
                          tokens == Tokens::words ? "word" : "character", printable(token, 80));
  d.help = fmt::format(
      "the vocabulary holds the {} of the text the model was made for; `train --unknown` makes "
      "a symbol for others",
      tokens == Tokens::words ? "words" : "characters");
  return d;
}

Vocabulary::Vocabulary(const std::vector<TextItem>& items, bool with_end)
    : Vocabulary(items, VocabularyOptions{.with_end = with_end}) {}

Vocabulary::Vocabulary(const std::vector<TextItem>& items, const VocabularyOptions& o)
    : Vocabulary(o.tokens == Tokens::bytes ? Counts{} : counts_of(items, o.tokens), o) {}

Vocabulary::Vocabulary(const Counts& counts, const VocabularyOptions& o)
    : with_end_(o.with_end), tokens_(o.tokens) {
  if (o.min_count < 1) fail(Status::usage, "U002", "min_count must be >= 1");
  if (o.unknown || o.min_count > 1) unknown_ = o.with_end ? 1 : 0;
  add_special();
  if (o.tokens == Tokens::bytes) {
    for (std::size_t b = 0; b < 256; ++b) symbols_.push_back(all_bytes(b));
  } else {
    for (const auto& [token, count] : counts)
      if (count >= o.min_count) symbols_.push_back(token);
  }
  number_symbols();
}

Vocabulary::Vocabulary(std::vector<std::string> symbols, bool with_end, const std::string& file)
    : Vocabulary(std::move(symbols), VocabularyOptions{.with_end = with_end}, file) {}

Vocabulary::Vocabulary(std::vector<std::string> symbols, const VocabularyOptions& o,
                       const std::string& file)
    : symbols_(std::move(symbols)), with_end_(o.with_end), tokens_(o.tokens) {
  if (o.unknown) unknown_ = with_end_ ? 1 : 0;
  if (o.tokens == Tokens::bytes && symbols_.empty()) {
    add_special();
    for (std::size_t b = 0; b < 256; ++b) symbols_.push_back(all_bytes(b));
  }
  const auto bad = [&](std::size_t i, const char* why) {
    Diagnostic d;
    d.code = "D004";
    d.message = fmt::format("symbol {} of the vocabulary {}", i, why);
    d.file = file;
    fail(Status::bad_input, std::move(d));
  };
  if (symbols_.size() < first_token()) bad(symbols_.size(), "is missing");
  for (std::size_t i = 0; i < symbols_.size(); ++i) {
    if (i < first_token()) {
      if (!symbols_[i].empty())
        bad(i, i == 0 && with_end_ ? "is the end and must be \"\""
                                   : "is the unknown and must be \"\"");
    } else if (symbols_[i].empty() || (tokens_ != Tokens::bytes && !is_utf8(symbols_[i])) ||
               token_length(symbols_[i], tokens_) != symbols_[i].size()) {
      bad(i, tokens_ == Tokens::words ? "must be one word" : "must be one character");
    }
  }
  number_symbols();
  if (numbers_.size() + first_token() == symbols_.size()) return;
  for (std::size_t i = symbols_.size(); i-- > first_token();)
    if (numbers_.at(symbols_[i]) != static_cast<std::int64_t>(i)) bad(i, "is there twice");
}

void Vocabulary::add_special() { symbols_.resize(first_token()); }

void Vocabulary::number_symbols() {
  for (std::size_t i = first_token(); i < symbols_.size(); ++i) {
    numbers_.try_emplace(symbols_[i], static_cast<std::int64_t>(i));
    if (symbols_[i].size() == 1) {
      std::int32_t& one = one_byte_[static_cast<unsigned char>(symbols_[i][0])];
      if (one < 0) one = static_cast<std::int32_t>(i);
    }
  }
}

std::vector<std::int64_t> Vocabulary::encode(const TextItem& item) const {
  const std::string_view text = item.text;
  std::vector<std::int64_t> out;
  out.reserve(text.size());
  each_token(text, tokens_, [&](std::string_view token, std::size_t at) {
    const std::int64_t known = number(token);
    out.push_back(known >= 0 ? known : unknown_);
    if (out.back() >= 0) return;
    Diagnostic d = not_in_vocabulary(token, tokens_);
    d.file = item.file;
    const LineColumn place = line_column(text, at);
    d.line = item.line + place.line - 1;
    d.column = place.column;
    fail(Status::bad_input, std::move(d));
  });
  return out;
}

std::string Vocabulary::decode(const std::vector<std::int64_t>& symbols) const {
  std::string text;
  for (const std::int64_t s : symbols) {
    if (s < 0 || s >= size())
      fail(Status::usage, "U022", "the vocabulary has {} symbols: there is no number {}", size(),
           s);
    text += s == unknown_ ? kUnknownText : symbols_[static_cast<std::size_t>(s)];
  }
  return text;
}

}  // namespace taugrad
