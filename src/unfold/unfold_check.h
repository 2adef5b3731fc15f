#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "language/resolve/resolved_model.h"
#include "taugrad/unfold/unfold.h"

namespace taugrad {

/// @throws Error (U002) for a name that is neither a length nor an index letter, and for a length
/// below 0
void check_length_names(const ResolvedModel& model,
                        const std::map<std::string, std::int64_t>& lengths);

/// @throws Error (U002) for a mixed mode whose probability follows the updates of a training
void check_constant_mixes(const Modes& modes);

/// @throws Error (U002) for an option that is out of its range, or names what the model does not
/// have
void check_unfolding(const ResolvedModel& model, const UnfoldOptions& options);

}  // namespace taugrad
