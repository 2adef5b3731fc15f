#pragma once

#include <cstddef>
#include <vector>

#include "rewrite/chunks/linear_states.h"

namespace taugrad {

/// Steps of a chain that run as products.
struct Chunk {
  std::size_t chain;
  std::size_t first, end;          ///< its updates
  std::vector<std::size_t> reads;  ///< in StateChain::reads
  bool is_first() const { return first == 0; }
};

/// All chunks of all chains, those of a chain one after another.
std::vector<Chunk> cut_in_chunks(const std::vector<StateChain>& chains, std::size_t steps);

/// An order in which nodes and chunks come after what they are made of.
struct ChunkOrder {
  /// Nodes by number, and chunk c as the number of nodes + c.
  std::vector<std::size_t> items;
  /// Where there is none: a chain of which a chunk needs what is made of it; -1: there is one.
  std::ptrdiff_t circular = -1;
  std::vector<std::ptrdiff_t> made_by;  ///< by node: the chunk that makes it; -1: none
};
ChunkOrder order_chunks(const Tape& tape, const std::vector<StateChain>& chains,
                        const std::vector<Chunk>& chunks);

}  // namespace taugrad
