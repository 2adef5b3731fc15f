#pragma once

#include <string>
#include <string_view>

namespace taugrad::draw {

/// Text for LaTeX, whatever it holds. Characters that its fonts may lack are \tgchar{X}{CODE}.
std::string tex_escape(std::string_view text);

/// A name in mathematics: "h[3]" as $h^{(3)}$.
std::string tex_math(std::string_view name);

/// What defines \tgchar: engines that read Unicode print the character, others its number.
extern const std::string_view kTexChar;

}  // namespace taugrad::draw
