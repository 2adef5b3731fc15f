#pragma once

#include <string>
#include <vector>

namespace taugrad {

/// What the end of a file's name says of its format: "svg" of "a/b.svg", "" where it says nothing
/// ("-", "/dev/null", "net"). @throws Error (U002) naming `formats` where it is none of them
std::string known_suffix(const std::string& path, const std::vector<std::string>& formats);

}  // namespace taugrad
