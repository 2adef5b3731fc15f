#pragma once

#include <string>

#include "base/words.h"
#include "taugrad/reference/check.h"

/// What `taugrad check` says of a check.
namespace taugrad::cli {

inline constexpr Word<Method> kMethods[] = {{"complex", Method::complex_step},
                                            {"central", Method::central}};

/// One line a variable.
std::string check_table(const CheckReport& r);
/// What was covered, the worst entry, what a failure comes from, and the verdict.
std::string check_summary(const CheckReport& r);
std::string check_json(const CheckReport& r);

}  // namespace taugrad::cli
