#pragma once

#include "taugrad/graph/verify.h"

namespace taugrad {

/// Whether what every rewriting of a graph and every pass of a plan made is checked: in debug
/// builds, and in our tests, which set it.
#ifdef NDEBUG
inline bool verify_rewritings = false;
#else
inline bool verify_rewritings = true;
#endif

/// What a rewriting appended to a tape, or a tape that it made.
inline void verify_rewritten(const Tape& tape, NodeId first = 0) {
  if (verify_rewritings) verify(tape, first);
}

}  // namespace taugrad
