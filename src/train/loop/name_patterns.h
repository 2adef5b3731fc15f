#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace taugrad {

/// Names by a comma list of patterns, in which * stands for any characters: "E,l.W*".
bool matches_any(std::string_view patterns, std::string_view name);
/// @throws Error (U002) for a pattern that none of the names matches
void require_matches(const char* option, std::string_view patterns,
                     const std::vector<std::string>& names);

}  // namespace taugrad
