#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "taugrad/language/definition.h"
#include "taugrad/runtime/executor.h"
#include "taugrad/unfold/unfold.h"

namespace taugrad {

/// A rewriting between a graph and its plan.
struct PassSummary {
  std::string name, about;
  bool on = true;
};

/// What a plan consists of, without names of variables: it is the same for definitions that differ
/// in names only.
struct PlanSummary {
  std::int64_t nodes = 0;     ///< of the graph
  std::int64_t steps = 0;     ///< of the plan
  std::int32_t levels = 0;    ///< products that have to run one after another
  std::int64_t programs = 0;  ///< fused regions that differ
  bool by_law = false;  ///< the graph was not built: its plan goes on as those of short ones do
  std::int64_t longest = 0;  ///< of the lengths of a definition
  std::vector<PassSummary> passes;
  std::vector<std::string> lines;  ///< steps in their order, repeats told once
};

/// The plan for the loss of a definition and the gradients of its weights, or without a loss for
/// its variables, in f32. Any `checkpoint` but -1 stands for the end of the forward part. @throws
/// Error (U002) for an unknown pass, and what unfold throws
PlanSummary describe_plan(const Definition& d, const UnfoldOptions& unfolding,
                          const ExecutorOptions& options = {});
/// The same of a graph, whose loss is as find_loss takes it; without one, for what no node reads.
PlanSummary describe_plan(const Graph& graph, const std::string& loss,
                          const ExecutorOptions& options = {});

}  // namespace taugrad
