#pragma once

#include <string>

#include "base/words.h"
#include "taugrad/reference/check.h"

/// What `taugrad check` says of a check to programs; to people it says reference/check_text.h.
namespace taugrad::cli {

inline constexpr Word<Method> kMethods[] = {{"complex", Method::complex_step},
                                            {"central", Method::central}};

std::string check_json(const CheckReport& r);

}  // namespace taugrad::cli
