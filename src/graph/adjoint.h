#pragma once

#include <vector>

#include "taugrad/graph/graph.h"

namespace taugrad {

/// 1 for each node that belongs to a gradient on the tape: what gradients, the values named
/// grad:.., are computed by, and no value of another name nor what nobody reads needs. Linear.
std::vector<char> adjoint_nodes(const Tape& tape);

/// Whether any value is named as a gradient.
bool has_gradients(const Tape& tape);

/// Nodes that no other node reads, in the order of the tape.
std::vector<NodeId> sinks(const Tape& tape);

}  // namespace taugrad
