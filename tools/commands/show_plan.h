#pragma once

#include <string>
#include <vector>

#include "taugrad/recurrence/definition.h"
#include "taugrad/recurrence/unfold.h"

namespace taugrad::cli {

/// `show --plan`: the passes, and the steps of the plan for a definition's loss and gradients.
int show_plan(const Definition& d, const UnfoldOptions& unfolding,
              const std::vector<std::string>& without, const std::string& output, bool json);

}  // namespace taugrad::cli
