#pragma once

#include <string>

#include "taugrad/reference/check.h"

namespace taugrad {

/// One line a variable, under a heading.
std::string check_table(const CheckReport& r);
/// What was covered, the worst entry, what a failure comes from, and the verdict.
/// @param of_command  options are called as on the command line, --seconds
std::string check_summary(const CheckReport& r, bool of_command = false);

}  // namespace taugrad
