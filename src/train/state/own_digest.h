#pragma once

#include <string>

#include "json/json.h"

/// JSON files that tell by themselves whether they are whole: the last field, "digest", is that of
/// all the text before it.
namespace taugrad {

/// @param text  an object, indented, as json::Writer(2) writes it
std::string with_own_digest(std::string text);
/// A file without that field is taken as it is. @throws Error (C002)
void check_own_digest(const json::Document& document, const json::Fields& fields);

}  // namespace taugrad
