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
  std::int64_t items = 0, characters = 0;
  std::int64_t longest = 0;  ///< characters of the longest item that is not left out
};

class TextMeasure {
 public:
  /// @param max_length  longer items are left out; 0: none
  TextMeasure(Split split, std::int64_t max_length) : split_(split), max_length_(max_length) {}
  /// The next piece of the text, cut anywhere.
  void add(std::string_view piece);
  /// Ends the file; the next piece begins another.
  void end_file();
  const TextSize& size() const { return size_; }

 private:
  void end_line();
  void end_item();

  Split split_;
  std::int64_t max_length_;
  TextSize size_;
  std::int64_t line_ = 0, item_ = 0;  ///< characters so far
  bool any_ = false;                  ///< the item has a line
  bool blank_ = true;                 ///< of the line so far
  bool percent_ = false;              ///< the line so far is "%"
};

/// Measures a file piece by piece. @throws Error (I001, I003)
void measure_file(const std::string& file, TextMeasure& measure);

}  // namespace taugrad
