#pragma once

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <string>
#include <utility>

#include "taugrad/base/error.h"

namespace taugrad {

/// Throws an Error with one diagnostic.
[[noreturn]] inline void fail(Status status, Diagnostic d) { throw Error(status, std::move(d)); }

template <class... Args>
[[noreturn]] void fail(Status status, std::string code, fmt::format_string<Args...> text,
                       Args&&... args) {
  Diagnostic d;
  d.code = std::move(code);
  d.message = fmt::format(text, std::forward<Args>(args)...);
  throw Error(status, std::move(d));
}

/// Throws a shape error (code G020): what the op or builder says; the graph adds op and place.
template <class... Args>
void require(bool ok, fmt::format_string<Args...> text, Args&&... args) {
  if (!ok) fail(Status::bad_input, "G020", text, std::forward<Args>(args)...);
}

}  // namespace taugrad
