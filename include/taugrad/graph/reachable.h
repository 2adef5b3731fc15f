#pragma once

#include <span>
#include <vector>

#include "taugrad/graph/graph.h"

namespace taugrad {

/// 1 for each node that the outputs need, themselves included, else 0. Linear.   [tape.size()]
/// @throws Error (U022) for an output that the tape does not have
std::vector<char> reachable(const Tape& tape, std::span<const NodeId> outputs);

}  // namespace taugrad
