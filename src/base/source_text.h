#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "taugrad/base/error.h"

namespace taugrad {

/// A place in a text; columns count characters. Both 1-based.
struct LineColumn {
  int line = 1;
  int column = 1;
};

/// Where the byte `offset` of a text stands. Linear in offset: for one error.
/// @param first_line  of the text, which may be a part of a file
LineColumn line_column(std::string_view text, std::size_t offset, int first_line = 1);

/// Fills excerpt, caret and caret_length: the line of `offset`, a window of it where it is long.
void show_excerpt(Diagnostic& d, std::string_view text, std::size_t offset, std::size_t length);

/// Lines and columns of many places of one text, each in constant time after one pass.
class LineTable {
 public:
  explicit LineTable(std::string_view text, int first_line = 1);
  LineColumn at(std::size_t offset) const;

 private:
  struct Mark {
    std::size_t offset;
    LineColumn place;
  };
  std::string_view text_;
  std::vector<Mark> marks_;  // every line start, and every so often within a long line
};

/// "3:18"
std::string to_string(LineColumn place);

}  // namespace taugrad
