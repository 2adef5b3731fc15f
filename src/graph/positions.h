#pragma once

#include <vector>

#include "taugrad/graph/graph.h"

namespace taugrad {

/// To which step every node of a graph belongs, also of one built by hand, whose steps on the way
/// to a named value say nothing of it: for each node the one whose name and index it takes, or -1.
///
/// A node with an index takes its own. One without a name belongs to the only position that it is
/// on the way to; else to that of the data or weight copies it reads; else to that of its inputs,
/// the one newly begun where they differ (a running sum). What no indexed node leads to stands
/// outside. The gradient's nodes follow the gradients that they read. Linear.
/// @param adjoint  1 for each node of a gradient (graph/adjoint.h)
std::vector<NodeId> position_owners(const Tape& tape, const std::vector<char>& adjoint);

}  // namespace taugrad
