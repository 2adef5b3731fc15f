#pragma once

#include <string>
#include <string_view>

namespace taugrad::draw {

/// A name as books set it: "∇h[3]" is a sign, a letter and what is raised.
struct MathText {
  std::string before;   ///< "∇", or empty
  std::string base;     ///< "h"; Greek letters that are spelt out are themselves: "theta" is "θ"
  std::string lowered;  ///< "y" of "L_y", one letter or number; or empty
  std::string raised;   ///< "(3)", "(i,j)", or empty
};

MathText math_of(std::string_view name);

/// Width at a font size, raised and lowered parts at two thirds of it.
double math_width(const MathText& text, double font_size);

}  // namespace taugrad::draw
