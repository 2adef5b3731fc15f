#pragma once

#include <span>
#include <string>

#include "base/fail.h"
#include "taugrad/graph/graph.h"
#include "taugrad/graph/op.h"

namespace taugrad {

/// Throws again what an op's rule said, with the op, the node to be, its owner and its inputs:
///   matmul: inner sizes differ: [8,3] x [5,4] (3 != 5)
///     at node 41 of h[3]; inputs: 12 W [8,3], 40 x[3] [5,4]
[[noreturn]] void refuse(const Tape& tape, const Op& op, std::span<const Var> inputs,
                         const Error& why);
[[noreturn]] void refuse(const Tape& tape, const Op& op, std::span<const NodeId> inputs,
                         const Error& why);

/// @throws Error (R002) over what graphs, gradients and plans count in 32 bits
void require_room(std::size_t nodes, std::size_t inputs);

}  // namespace taugrad
