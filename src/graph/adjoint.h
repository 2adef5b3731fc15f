#pragma once

#include <vector>

#include "taugrad/graph/graph.h"

namespace taugrad {

/// For each node of a gradient on the tape its order (gradient_order.h), else 0. Where the tape
/// tells none, 1 for what gradients, the values named grad:.., are computed by, and no value of
/// another name nor what nobody reads needs. Linear.
std::vector<char> adjoint_nodes(const Tape& tape);

/// Whether any node is a part of a gradient, or named as one.
bool has_gradients(const Tape& tape);

/// Nodes that no other node reads, in the order of the tape.
std::vector<NodeId> sinks(const Tape& tape);

}  // namespace taugrad
