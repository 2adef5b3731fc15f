#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "rewrite/chunks/linear_states.h"

namespace taugrad {

/// The ways to take the axes of a state of that shape; none for what has too many.
std::vector<StateAxes> state_axes(const Shape& shape);

bool is_zero(const Tape& tape, NodeId id);

/// The state that a node is, behind copies and for other items.
NodeId state_behind(const Tape& tape, NodeId id);

/// `id` as gate before + added, if it can be taken so.
/// @param known  whether a node is an update already: of two ways that which goes on with one
std::optional<LinearUpdate> linear_update(const Tape& tape, NodeId id, const StateAxes& axes,
                                          const std::function<bool(NodeId)>& known);

}  // namespace taugrad
