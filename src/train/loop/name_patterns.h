#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace taugrad {

/// The patterns of a comma list, in which * stands for any characters: "E,l.W*".
std::vector<std::string_view> patterns_in(std::string_view patterns);
/// Whether any of a list fits a name.
bool matches_any(std::string_view patterns, std::string_view name);
/// @throws Error (U002) for a pattern that none of the names matches
void require_matches(const char* option, std::string_view patterns,
                     const std::vector<std::string>& names);

}  // namespace taugrad
