#include "train/loop/name_patterns.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/fail.h"
#include "base/suggest.h"

namespace taugrad {
namespace {

// the last * seen takes one character more wherever the rest does not fit
bool matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = std::string_view::npos, from = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++from;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

std::vector<std::string_view> patterns_in(std::string_view patterns) {
  std::vector<std::string_view> all;
  if (patterns.empty()) return all;
  while (true) {  // "U," has an empty name behind its comma
    all.push_back(patterns.substr(0, patterns.find(',')));
    if (all.back().size() == patterns.size()) return all;
    patterns.remove_prefix(all.back().size() + 1);
  }
}

bool matches_any(std::string_view patterns, std::string_view name) {
  return std::ranges::any_of(patterns_in(patterns),
                             [&](std::string_view one) { return matches(one, name); });
}

void require_matches(const char* option, std::string_view patterns,
                     const std::vector<std::string>& names) {
  for (const std::string_view one : patterns_in(patterns)) {
    const auto fits = [&](const std::string& name) { return matches(one, name); };
    if (std::any_of(names.begin(), names.end(), fits)) continue;
    Diagnostic d;
    d.code = "U002";
    d.message = fmt::format("{}: no weight is called \"{}\"", option, one);
    d.help = did_you_mean(std::string(one), names);
    if (d.help.empty()) d.help = fmt::format("weights: {}", fmt::join(names, ", "));
    fail(Status::usage, std::move(d));
  }
}

}  // namespace taugrad
