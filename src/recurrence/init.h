#pragma once

#include <cstdint>
#include <string_view>

namespace taugrad {

/// How a weight begins, as `init` says it (language.md R7).
struct Init {
  enum class Kind : std::uint8_t {
    by_rank,  ///< nothing is said: uniform by the last axis from rank 2 on, else zeros
    zeros,
    ones,
    identity,
    orthogonal,
    xavier,
    uniform,  ///< uniform(a)
    normal,   ///< normal(s)
    number
  };
  Kind kind = Kind::by_rank;
  double value = 0;  ///< a, s, or the number
};

/// @throws Error (G010) for anything else, with the nearest word
Init init_from(std::string_view text);

}  // namespace taugrad
