#pragma once

#include <string>

#include "taugrad/language/definition.h"
#include "taugrad/runtime/executor.h"
#include "taugrad/unfold/unfold.h"

namespace taugrad::cli {

/// `show --plan`: the passes, and the steps of the plan for a definition's loss and gradients.
int show_plan(const Definition& d, const UnfoldOptions& unfolding, const ExecutorOptions& options,
              const std::string& output, bool json);
/// The same of a graph; `loss` as find_loss takes it.
int show_plan(const Graph& graph, const std::string& loss, const ExecutorOptions& options,
              const std::string& output, bool json);

}  // namespace taugrad::cli
