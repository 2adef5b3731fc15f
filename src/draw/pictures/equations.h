#pragma once

#include <vector>

#include "language/resolve/resolved_model.h"
#include "taugrad/draw/explorer.h"

namespace taugrad::draw {

/// The equations and loss terms of a model as the page explains them, imports and functions
/// expanded: texts, where they were read from, and which characters each operation stands for.
/// @param lengths  of the graph, by number
std::vector<ExplorerEquation> equations_of(const ResolvedModel& model,
                                           const std::vector<std::int64_t>& lengths);

}  // namespace taugrad::draw
