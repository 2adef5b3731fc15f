#pragma once

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/fail.h"

namespace taugrad {

/// One word of an enum. A table of them serves both ways, and no word means a value by default.
template <class E>
struct Word {
  std::string_view text;
  E value;
};

template <class E, std::size_t N>
std::vector<std::string> texts_of(const Word<E> (&words)[N]) {
  std::vector<std::string> texts;
  for (const Word<E>& w : words) texts.emplace_back(w.text);
  return texts;
}

template <class E, std::size_t N>
std::string_view text_of(const Word<E> (&words)[N], E value) {
  for (const Word<E>& w : words)
    if (w.value == value) return w.text;
  fail(Status::bug, "B001", "a value without a word among {}", fmt::join(texts_of(words), " "));
}

/// Which of `known` the text is. @param what  for the message: "--optimizer"
/// @throws Error (U002) with the words there are, and the nearest
std::size_t check_word(const std::vector<std::string>& known, std::string_view what,
                       std::string_view text);

/// @throws Error (U002)
template <class E, std::size_t N>
E value_of(const Word<E> (&words)[N], std::string_view what, std::string_view text) {
  return words[check_word(texts_of(words), what, text)].value;
}

/// Without the blanks at its ends.
std::string_view trimmed(std::string_view text);

}  // namespace taugrad
