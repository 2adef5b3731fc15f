#pragma once

#include <array>
#include <cstddef>

#include "base/limits.h"
#include "json/parse.h"

namespace taugrad::json {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// How far a text was JSON: the last event and what is open around it.
struct Progress {
  struct Open {
    bool object;
    std::size_t offset;
  };
  Event last = Event::end;  ///< `end`: nothing was read yet
  std::size_t end = 0;      ///< one past the last event's last byte
  std::array<Open, limits::kJsonDepth> open{};
  int depth = 0;
};

/// Says why a text is not JSON after `progress`, at which character, and what would mend it.
/// @throws SyntaxError (G002-G004), always
[[noreturn]] void explain(const Source& source, const Progress& progress);

/// @throws SyntaxError (G001, G004: an empty text, a byte-order mark)
void check_start(const Source& source);

}  // namespace taugrad::json
