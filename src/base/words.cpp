#include "base/words.h"

#include <algorithm>

#include "base/suggest.h"
#include "base/utf8.h"

namespace taugrad {

std::size_t check_word(const std::vector<std::string>& known, std::string_view what,
                       std::string_view text) {
  const auto found = std::find(known.begin(), known.end(), text);
  if (found != known.end()) return static_cast<std::size_t>(found - known.begin());
  Diagnostic d;
  d.code = "U002";
  d.message =
      fmt::format("{} must be one of {}, got {}", what, fmt::join(known, " "), printable(text));
  d.help = did_you_mean(text, known);
  fail(Status::usage, std::move(d));
}

}  // namespace taugrad
