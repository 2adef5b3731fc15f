#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "taugrad/train/optimizer.h"

namespace taugrad {

/// An option that does nothing, as the others are, is a mistake: it is refused in C++ and on the
/// command line alike. @throws Error (U007), with what would mend it
void require_effects(const OptimizerOptions& o);
/// The same training without such options: states were once saved with them.
OptimizerOptions without_idle_options(OptimizerOptions o);

/// Patterns of names each of which finds a weight, and one of `moved`.
/// @param option  as in C++: "frozen"
/// @param names  of all weights
/// @param moved  those of them on which the option has an effect
/// @param why  it has none on others: "is not trained anyway"
/// @throws Error (U002) for a pattern that finds none, (U007) for one that finds only others
void require_effect_on(const char* option, std::string_view patterns,
                       const std::vector<std::string>& names, const std::vector<std::string>& moved,
                       std::string_view why);

}  // namespace taugrad
