#pragma once

#include <string_view>

/// The page's own text, from src/draw/explorer/ (cmake/explorer.cmake).
namespace taugrad::draw {

extern const std::string_view kExplorerStyle, kExplorerScript, kExplorerBody;
/// SHA-256 of the style and of the script, in hexadecimal digits.
extern const std::string_view kExplorerStyleHash, kExplorerScriptHash;

}  // namespace taugrad::draw
