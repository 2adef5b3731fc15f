#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace taugrad {

/// Whether a file's name ends so (".csv"), in letters of either case: of files that are read.
bool has_suffix(std::string_view path, std::string_view suffix);

/// That of `formats` which a file's name ends in; "" where it is none.
std::string suffix_among(const std::string& path, const std::vector<std::string>& formats);

/// What the end of a file's name says of its format: "svg" of "a/b.svg", "" where it says nothing
/// ("-", "/dev/null", "net"). @throws Error (U002) naming `formats` where it is none of them
std::string known_suffix(const std::string& path, const std::vector<std::string>& formats);

}  // namespace taugrad
