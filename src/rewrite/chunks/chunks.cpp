#include "rewrite/chunks/chunks.h"

#include <utility>

#include "base/index.h"
#include "graph/verified.h"
#include "rewrite/chunks/chunk_order.h"
#include "rewrite/chunks/chunk_writer.h"
#include "rewrite/once_each.h"
#include "rewrite/tape_copy.h"

namespace taugrad {
namespace {

/// Chains that need themselves within a chunk, as where the read goes into the next key, are left.
ChunkOrder order_of(const Tape& tape, std::vector<StateChain>& chains, std::vector<Chunk>& chunks,
                    std::size_t steps) {
  for (;;) {
    chunks = cut_in_chunks(chains, steps);
    ChunkOrder order = order_chunks(tape, chains, chunks);
    if (order.circular < 0) return order;
    chains.erase(chains.begin() + order.circular);
  }
}

}  // namespace

InChunks in_chunks(const Tape& whole, std::int64_t steps, const std::set<std::string>& asked) {
  InChunks result;
  // items that end by one length need not be among those that end by another
  const bool ragged = whole.extent_count() > kEveryItem + 1;
  if (ragged && whole.length_names.size() > 1) return result;
  const OnceEach once = once_each(whole, asked);
  const Tape& tape = once.graph.tape();
  std::vector<StateChain> chains = linear_states(tape, asked);
  std::vector<Chunk> chunks;
  if (chains.empty()) return result;
  const ChunkOrder order = order_of(tape, chains, chunks, static_cast<std::size_t>(steps));
  if (chains.empty()) return result;
  TapeCopy copy(tape);
  result.graph = copy.graph();
  std::vector<NodeId> kept(at(tape.size()), -1), inputs;
  ChunkWriter writer(tape, copy, kept, asked);
  for (const std::size_t item : order.items) {
    if (item >= kept.size()) {
      const Chunk& chunk = chunks[item - kept.size()];
      writer.write(chains[chunk.chain], chunk);
      continue;
    }
    if (order.made_by[item] >= 0) continue;
    const auto id = static_cast<NodeId>(item);
    inputs.clear();
    for (const NodeId x : tape.inputs(id)) inputs.push_back(kept[at(x)]);
    kept[item] = copy.add(id, inputs, true);
  }
  for (const NodeId id : once.nodes) result.nodes.push_back(kept[at(id)]);
  for (const StateChain& chain : chains)
    result.states.push_back({std::string(tape.name(chain.updates.back().state)),
                             static_cast<std::int64_t>(chain.updates.size() / chain.period)});
  verify_rewritten(result.graph.tape());
  return result;
}

}  // namespace taugrad
