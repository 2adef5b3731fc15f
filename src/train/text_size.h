#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "taugrad/train/text.h"

namespace taugrad {

/// How large a text is and its items are, found in one pass that keeps nothing of it.
struct TextSize {
  std::uint64_t bytes = 0;
  std::int64_t items = 0, characters = 0;  ///< characters: tokens, whatever they are
  std::int64_t longest = 0;                ///< characters of the longest item that is not left out
};

class TextMeasure {
 public:
  /// @param max_length  longer items are left out; 0: none
  TextMeasure(Split split, std::int64_t max_length, Tokens tokens = Tokens::chars)
      : split_(split), max_length_(max_length), tokens_(tokens) {}
  /// The next piece of the text, cut anywhere.
  void add(std::string_view piece);
  /// Ends the file; the next piece begins another.
  void end_file();
  const TextSize& size() const { return size_; }

 private:
  std::int64_t tokens_in(std::string_view part);
  void end_line();
  void end_item();

  Split split_;
  std::int64_t max_length_;
  Tokens tokens_;
  char last_ = '\n';  ///< the character before, for words
  TextSize size_;
  std::int64_t line_ = 0, item_ = 0;  ///< characters so far
  bool any_ = false;                  ///< the item has a line
  bool blank_ = true;                 ///< of the line so far
  bool percent_ = false;              ///< the line so far is "%"
};

/// Measures a file piece by piece. @throws Error (I001, I003)
void measure_file(const std::string& file, TextMeasure& measure);

}  // namespace taugrad
