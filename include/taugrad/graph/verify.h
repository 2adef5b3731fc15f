#pragma once

#include "taugrad/graph/graph.h"

namespace taugrad {

/// Checks what every graph must satisfy: inputs before users (so there is no cycle), arity, each
/// shape as the op's rule gives it, extents that agree, columns of one length. Linear. Rewritten
/// graphs too, with the ops that only they have.
/// @param first  the node to begin with
/// @throws Error (G020) naming the first node that does not
void verify(const Tape& tape, NodeId first = 0);

}  // namespace taugrad
