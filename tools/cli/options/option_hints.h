#pragma once

#include "taugrad/base/error.h"

namespace taugrad::cli {

/// The library speaks of its interface; to somebody at a terminal the help adds the option, or the
/// command, that does the same.
Diagnostic with_option(Diagnostic d);

}  // namespace taugrad::cli
