#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace taugrad {

/// Insertions, deletions, replacements and swaps of neighbours from a to b; at most `limit` + 1.
int edit_distance(std::string_view a, std::string_view b, int limit = 2);

/// The known name nearest to a misspelt one: within 2 edits, at most half of its characters; a
/// difference of case alone comes first. Empty where there is none.
std::string_view nearest(std::string_view name, std::span<const std::string_view> known);

/// `did you mean "delay"?`, or empty.
std::string did_you_mean(std::string_view name, std::span<const std::string_view> known);
std::string did_you_mean(std::string_view name, const std::vector<std::string>& known);

}  // namespace taugrad
