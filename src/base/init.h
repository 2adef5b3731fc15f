#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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
    number,
    values  ///< the elements themselves, or one for all
  };
  Kind kind = Kind::by_rank;
  double value = 0;                 ///< a, s, or the number
  std::vector<double> values = {};  ///< row by row
};

/// Values stand as in a graph's JSON, "[0.25, 0.5]".
/// @throws Error (G010) for anything else, with the nearest word
Init init_from(std::string_view text);

/// The same as text. @param values  where they are given; else `init` is the text
std::string init_text(std::string_view init, std::span<const double> values);

}  // namespace taugrad
