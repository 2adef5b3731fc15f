#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace taugrad {

/// Bytes of the well-formed UTF-8 sequence at `at`; 0 where there is none (overlong, surrogate,
/// beyond U+10FFFF, truncated).
std::size_t utf8_sequence(std::string_view text, std::size_t at);
bool is_utf8(std::string_view text);
void append_utf8(std::string& out, char32_t character);
/// Characters (code points); a byte that is not UTF-8 counts as one.
std::size_t utf8_characters(std::string_view text);

/// Whether a terminal, or a page, would act on a well-formed sequence in place of showing it: C0,
/// DEL, C1, ends of lines and of paragraphs, marks and overrides of the direction of writing.
bool is_control(std::string_view sequence);

/// The text with what a terminal would act on (control characters, bytes that are not UTF-8) as
/// "\x1b", and cut to about `limit` bytes.
std::string printable(std::string_view text, std::size_t limit = 400);
/// The same, one character for one: every such character becomes a space or "?".
std::string printable_line(std::string_view text);

}  // namespace taugrad
