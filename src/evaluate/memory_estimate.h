#pragma once

#include <cstdint>
#include <vector>

#include "base/system/memory_limit.h"
#include "language/resolve/resolved_model.h"
#include "taugrad/evaluate/run.h"
#include "unfold/graph_size.h"

namespace taugrad {

/// What drawing the inputs and data of so many items takes, a line each.
std::vector<MemoryUse> memory_of_inputs(const ResolvedModel& model,
                                        const std::vector<std::int64_t>& lengths,
                                        std::int64_t items);
/// What the weights take, at so many bytes an element.
std::vector<MemoryUse> memory_of_weights(const ResolvedModel& model,
                                         const std::vector<std::int64_t>& lengths,
                                         double bytes_per_element);
/// What a graph and its plan take, and at least the values of its largest node.
std::vector<MemoryUse> memory_of_graph(const GraphSize& size, std::int64_t items,
                                       double bytes_per_element);
/// What a run takes: results, graph, plan and the least of its values.
std::vector<MemoryUse> memory_of_run(const ResolvedModel& model,
                                     const std::vector<std::int64_t>& lengths, std::int64_t items,
                                     const RunOptions& options);
/// What a check of gradients takes, its graph apart: `values` are those of all nodes of the graph
/// whose loss is checked, `variables` those of what it is checked for.
std::vector<MemoryUse> memory_of_check(double nodes, double values, double variables, int order);

}  // namespace taugrad
