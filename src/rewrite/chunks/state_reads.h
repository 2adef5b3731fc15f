#pragma once

#include <optional>
#include <span>
#include <vector>

#include "rewrite/chunks/linear_states.h"

namespace taugrad {

/// By node: those that read it. [size + 1 entries of `first`]
struct Users {
  explicit Users(const Tape& tape);
  std::span<const NodeId> of(NodeId id) const {
    const auto at = static_cast<std::size_t>(id);
    return {user.data() + first[at], first[at + 1] - first[at]};
  }
  std::vector<std::size_t> first;
  std::vector<NodeId> user;
};

/// The reads of a state; nothing where something reads it in another way.
/// @param next  the update that goes on with it, or null
std::optional<std::vector<StateRead>> reads_of(const Tape& tape, const Users& users, NodeId state,
                                               const StateAxes& axes, const LinearUpdate* next);

/// The read that corrects an update, with its query; nothing where it is no product with a vector.
std::optional<StateRead> read_of(const Tape& tape, const Users& users, const Correction& correction,
                                 const StateAxes& axes);

}  // namespace taugrad
