#include "rewrite/chunks/chunks.h"

#include <algorithm>
#include <utility>

#include "base/index.h"
#include "graph/verified.h"
#include "rewrite/chunks/chunk_order.h"
#include "rewrite/chunks/chunk_writer.h"
#include "rewrite/equal_nodes.h"
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

/// Copies what no chunk makes. What all heads compute alike stands once, for its gradient, the sum
/// over the heads, to go through it once.
class Rest {
 public:
  Rest(const Tape& tape, const std::set<std::string>& asked, TapeCopy& copy,
       std::vector<NodeId>& nodes)
      : tape_(tape),
        asked_(asked),
        copy_(copy),
        nodes_(nodes),
        same_(equal_nodes(tape, true)),
        made_(same_.size(), -1),
        apart_(same_.size(), 0) {
    for (NodeId id = 0; id < tape.size() && !asked.empty(); ++id)
      apart_[at(id)] = is_asked(id) || std::ranges::any_of(tape.inputs(id), [&](NodeId x) {
                         return apart_[at(x)] != 0;
                       });
  }

  void add(NodeId id) {
    if (apart_[at(id)] != 0) return copy(id);
    if (renames(id)) return void(nodes_[at(id)] = nodes_[at(tape_.inputs(id)[0])]);
    NodeId& made = made_[at(same_[at(id)])];
    if (made < 0) copy(id), made = nodes_[at(id)];
    nodes_[at(id)] = made;
  }

 private:
  /// Another name of the same value, as the copy W(t).
  bool renames(NodeId id) const {
    const auto in = tape_.inputs(id);
    return in.size() == 1 && same_[at(id)] == same_[at(in[0])];
  }
  bool is_asked(NodeId id) const {
    return tape_.is_value(id) && asked_.contains(std::string(tape_.name(id)));
  }
  void copy(NodeId id) {
    inputs_.clear();
    for (const NodeId x : tape_.inputs(id)) inputs_.push_back(nodes_[at(x)]);
    nodes_[at(id)] = copy_.add(id, inputs_, true);
  }

  const Tape& tape_;
  const std::set<std::string>& asked_;
  TapeCopy& copy_;
  std::vector<NodeId>& nodes_;
  std::vector<NodeId> same_, made_, inputs_;  // made: by the first of equal ones
  std::vector<char> apart_;  // made of what is asked for: equal ones have gradients of their own
};

}  // namespace

InChunks in_chunks(const Tape& tape, std::int64_t steps, const std::set<std::string>& asked) {
  InChunks result;
  // items that end by one length need not be among those that end by another
  const bool ragged = tape.extent_count() > kEveryItem + 1;
  if (ragged && tape.length_names.size() > 1) return result;
  std::vector<StateChain> chains = linear_states(tape, asked);
  std::vector<Chunk> chunks;
  if (chains.empty()) return result;
  const ChunkOrder order = order_of(tape, chains, chunks, static_cast<std::size_t>(steps));
  if (chains.empty()) return result;
  TapeCopy copy(tape);
  result.graph = copy.graph();
  result.nodes.assign(at(tape.size()), -1);
  ChunkWriter writer(tape, copy, result.nodes, asked);
  Rest rest(tape, asked, copy, result.nodes);
  for (const std::size_t item : order.items) {
    if (item >= result.nodes.size()) {
      const Chunk& chunk = chunks[item - result.nodes.size()];
      writer.write(chains[chunk.chain], chunk);
      continue;
    }
    if (order.made_by[item] < 0) rest.add(static_cast<NodeId>(item));
  }
  for (const StateChain& chain : chains)
    result.states.push_back({std::string(tape.name(chain.updates.back().state)),
                             static_cast<std::int64_t>(chain.updates.size() / chain.period)});
  verify_rewritten(result.graph.tape());
  return result;
}

}  // namespace taugrad
