#pragma once

#include <optional>
#include <vector>

#include "rewrite/chunks/linear_states.h"

namespace taugrad {

/// The state before as an update has it.
struct StateBefore {
  NodeId state;   ///< what it is a copy of
  NodeId gated;   ///< what the gate makes of it, or a copy
  bool negative;  ///< the update takes that with a minus, which is part of the gate
  const FactorProduct& gate;
};

/// The line of a product that is added as rest + scale read, where it holds one product of the
/// state before with a vector, and is linear in that.
std::optional<Correction> correction_of(const Tape& tape, const StateAxes& axes, const Factor& line,
                                        const StateBefore& before);

}  // namespace taugrad
