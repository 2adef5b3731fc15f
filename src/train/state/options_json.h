#pragma once

#include <charconv>
#include <cstdint>
#include <string>

#include "base/fail.h"
#include "base/words.h"
#include "json/json.h"
#include "json/json_writer.h"
#include "taugrad/train/trainer.h"

/// Options of a training in JSON: in its state and in config.json.
namespace taugrad {

/// The field "options".
void write_options(json::Writer& w, const TrainOptions& o);
/// @throws Error (G009-G011 at their place)
TrainOptions read_options(json::Value object);

/// A word of the command line, where a file holds it: errors name its place.
template <class Read>
auto word(json::Value text, const char* what, Read read) {
  try {
    return read(text.string(what));
  } catch (const Error& e) {
    text.fail("G010", e.diagnostics().front().message, e.diagnostics().front().help);
  }
}

template <class E, std::size_t N>
E word(json::Value text, const char* what, const Word<E> (&words)[N]) {
  return word(text, what,
              [&](std::string_view v) { return value_of(words, fmt::format("\"{}\"", what), v); });
}

// 64 bits are more than a JSON number holds everywhere
template <class T>
T whole_text(json::Value text, const char* what, bool negative = false) {
  const std::string_view digits = text.string(what);
  T value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() ||
      (digits.starts_with('-') && !negative))
    text.fail("C006", fmt::format("\"{}\" is not a count", what));
  return value;
}

}  // namespace taugrad
