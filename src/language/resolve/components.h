#pragma once

#include <vector>

namespace taugrad {

/// Strongly connected components of a graph given by its edges, successors first (Tarjan, without
/// recursion).
std::vector<std::vector<int>> strong_components(const std::vector<std::vector<int>>& edges);

}  // namespace taugrad
