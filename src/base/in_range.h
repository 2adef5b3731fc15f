#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/fail.h"

namespace taugrad {

/// A number that a caller gives for one of `count` things. @throws Error (U022) where it is none
inline void check_number(std::string_view what, std::int64_t number, std::size_t count) {
  if (number < 0 || static_cast<std::uint64_t>(number) >= count)
    fail(Status::usage, "U022", "there is no {} {}: there are {}", what, number, count);
}

}  // namespace taugrad
