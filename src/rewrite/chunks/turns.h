#pragma once

#include <cstddef>
#include <span>

#include "rewrite/chunks/linear_states.h"
#include "rewrite/chunks/state_reads.h"

namespace taugrad {

/// Updates that take turns, from the first one on.
struct Turns {
  std::size_t period, count;
};
/// The longest of them; of one that is like no other: it alone.
Turns turns_of(std::span<const LinearUpdate* const> all);

/// What a step adds in several products, one after another, becomes one update.
void join(StateChain& chain, const Users& users);

/// Products that are added to the line that is corrected become part of that: b (v - S k) k^T
/// written as two.
void fold(StateChain& chain);

}  // namespace taugrad
