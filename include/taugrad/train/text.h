#pragma once

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

/// One item, and where it begins, for messages.
struct TextItem {
  std::string text;
  std::string file;
  int line = 1;
};

/// The items of some files, in order. Items without a character are left out; CRLF is read as LF.
struct Corpus {
  std::vector<TextItem> items;
  std::vector<Diagnostic> warnings;  ///< D102: NUL bytes, CRLF; once a file
};

/// @throws Error (D001) for a file without text, (D003) for bytes that are not UTF-8
void add_text(Corpus& corpus, std::string_view text, const std::string& file, Split split);

/// The symbols of a text model: characters (code points) by number. With an end symbol, number 0 is
/// the end of an item and has no character.
class Vocabulary {
 public:
  Vocabulary() = default;
  /// Every character of the items, in ascending code point order.
  Vocabulary(const std::vector<TextItem>& items, bool with_end);
  /// @throws Error (D004) for an empty or repeated entry, one that is not a single character
  Vocabulary(std::vector<std::string> symbols, bool with_end, const std::string& file);

  std::int64_t size() const { return static_cast<std::int64_t>(symbols_.size()); }
  bool with_end() const { return with_end_; }
  /// Characters by number; "" at 0 where there is an end symbol.
  const std::vector<std::string>& symbols() const { return symbols_; }

  /// Numbers of the characters; the end symbol is not appended.
  /// @throws Error (D004) naming line and column of a character that is not among the symbols
  std::vector<std::int64_t> encode(const TextItem& item) const;
  /// @throws Error (U022) for a number that is no symbol's
  std::string decode(const std::vector<std::int64_t>& symbols) const;

 private:
  void number_symbols();
  std::vector<std::string> symbols_;
  std::map<std::string, std::int64_t, std::less<>> numbers_;
  bool with_end_ = false;
};

/// {"format": 1, "end": true, "symbols": ["", "\n", " ", ...]}
std::string to_json(const Vocabulary& v);
/// @throws Error (G.., D004)
Vocabulary parse_vocabulary(std::string_view json_text, const std::string& file);

}  // namespace taugrad
