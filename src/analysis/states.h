#pragma once

#include <set>
#include <string>

#include "taugrad/unfold/unfold.h"

namespace taugrad::analysis {

/// Deterministic variables whose value at one position is read where another is computed.
std::set<std::string> state_names(const Unfolded& u);

}  // namespace taugrad::analysis
