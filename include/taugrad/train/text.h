#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "taugrad/base/error.h"

namespace taugrad {

/// What one item of a text is: a line, a paragraph (blank lines between), what stands between lines
/// that hold `%` alone (fortune files), or the whole text.
enum class Split { line, blank, percent, none };
/// "line", "blank", "%", "none". @throws Error (U002)
Split split_from(std::string_view name);

/// What a symbol of a text is: a character (code point), a byte, or a word with the blank before
/// it.
enum class Tokens { chars, bytes, words };
/// The first token of a text that is not empty: its bytes. A word is a run of letters, digits, `_`
/// and characters beyond ASCII; anything else is a token of its own; one blank goes with what
/// follows it. So tokens put together are the text.
std::size_t token_length(std::string_view text, Tokens tokens);

/// One item, and where it begins, for messages.
struct TextItem {
  std::string text;
  std::string file;
  int line = 1;
};

/// The items of some files, in order. Items without a character are left out. Lines end in LF, in
/// CRLF, or in CR where a file has no LF; a byte-order mark is no character.
struct Corpus {
  std::vector<TextItem> items;
  std::vector<Diagnostic> warnings;  ///< D102: NUL bytes, CRLF, CR, a mark; once a file
};

/// @throws Error (D001) for a file without text, (D003) for bytes that are not UTF-8 where tokens
/// are not bytes, and for UTF-16
void add_text(Corpus& corpus, std::string_view text, const std::string& file, Split split,
              Tokens tokens = Tokens::chars);

struct VocabularyOptions {
  Tokens tokens = Tokens::chars;
  bool with_end = false;
  bool unknown = false;        ///< a symbol for what is not among the others
  std::int64_t min_count = 1;  ///< rarer tokens are that symbol
};

/// The symbols of a text model: tokens by number. With an end symbol, number 0 is the end of an
/// item and has no text; the symbol for unknown tokens follows it. Of bytes there are all 256.
class Vocabulary {
 public:
  Vocabulary() = default;
  /// Every character of the items, in ascending code point order.
  Vocabulary(const std::vector<TextItem>& items, bool with_end);
  /// Every token of the items that occurs often enough, in the order of its bytes.
  Vocabulary(const std::vector<TextItem>& items, const VocabularyOptions& options);
  /// The same of tokens that were counted.
  Vocabulary(const std::map<std::string, std::int64_t>& counts, const VocabularyOptions& options);
  /// @param symbols  with "" for the end and for the unknown, which stand first
  /// @throws Error (D004) for an empty or repeated entry, one that is not a single token
  Vocabulary(std::vector<std::string> symbols, bool with_end, const std::string& file);
  Vocabulary(std::vector<std::string> symbols, const VocabularyOptions& options,
             const std::string& file);

  std::int64_t size() const { return static_cast<std::int64_t>(symbols_.size()); }
  bool with_end() const { return with_end_; }
  Tokens tokens() const { return tokens_; }
  std::int64_t unknown() const { return unknown_; }  ///< its number; -1: there is none
  /// Tokens by number; "" for the end and the unknown.
  const std::vector<std::string>& symbols() const { return symbols_; }

  /// The number of a token; -1: it is not among the symbols.
  std::int64_t number(std::string_view token) const {
    if (token.size() == 1) return one_byte_[static_cast<unsigned char>(token[0])];
    const auto known = numbers_.find(token);
    return known == numbers_.end() ? -1 : known->second;
  }
  /// Numbers of the tokens; the end symbol is not appended.
  /// @throws Error (D004) naming line and column of a token that is not among the symbols
  std::vector<std::int64_t> encode(const TextItem& item) const;
  /// The unknown is U+FFFD.
  /// @throws Error (U022) for a number that is no symbol's
  std::string decode(const std::vector<std::int64_t>& symbols) const;

 private:
  static std::array<std::int32_t, 256> none() {
    std::array<std::int32_t, 256> all;
    all.fill(-1);
    return all;
  }
  void number_symbols();
  void add_special();
  std::size_t first_token() const { return (with_end_ ? 1U : 0U) + (unknown_ >= 0 ? 1U : 0U); }
  std::vector<std::string> symbols_;
  std::map<std::string, std::int64_t, std::less<>> numbers_;
  std::array<std::int32_t, 256> one_byte_ = none();  ///< the numbers of tokens of one byte
  bool with_end_ = false;
  Tokens tokens_ = Tokens::chars;
  std::int64_t unknown_ = -1;
};

/// {"format": 1, "end": true, "symbols": ["", "\n", " ", ...]}, with "tokens" of bytes (which have
/// no "symbols") and words, and "unknown": true
std::string to_json(const Vocabulary& v);
/// @throws Error (G.., D004)
Vocabulary parse_vocabulary(std::string_view json_text, const std::string& file);

}  // namespace taugrad
