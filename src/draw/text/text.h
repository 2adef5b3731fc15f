#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "taugrad/draw/picture.h"

namespace taugrad::draw {

inline constexpr double kNameSize = 12;   ///< font size of the first line of a node
inline constexpr double kSmallSize = 10;  ///< of the second line, of captions and edge labels

/// Width of UTF-8 text in Helvetica at a font size; bytes that are no UTF-8 count as one letter.
double text_width(std::string_view text, double font_size);

/// Text as XML character data or attribute value; bytes XML forbids become U+FFFD.
std::string xml_escape(std::string_view text);

/// Text as the inside of a DOT quoted string, where a line break is `\n`.
std::string dot_escape(std::string_view text);

/// The second line of a named node: "tanh [3]".
std::string second_line(const PictureNode& node, bool with_op);

void append_number(std::string& out, double value);  ///< to a tenth, "12.5", "-3"

}  // namespace taugrad::draw
