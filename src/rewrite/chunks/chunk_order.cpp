#include "rewrite/chunks/chunk_order.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/index.h"

namespace taugrad {
namespace {

/// Depth first, on a stack of its own.
class Ordering {
 public:
  Ordering(const Tape& tape, const std::vector<StateChain>& chains,
           const std::vector<Chunk>& chunks)
      : tape_(tape), chains_(chains), chunks_(chunks), nodes_(at(tape.size())) {
    order_.made_by.assign(nodes_, -1);
    for (std::size_t c = 0; c < chunks.size(); ++c) find_made(c);
  }

  ChunkOrder run() {
    state_.assign(nodes_ + chunks_.size(), State::fresh);
    for (std::size_t item = 0; item < nodes_ && order_.circular < 0; ++item)
      if (state_[item] == State::fresh) walk(item);
    return std::move(order_);
  }

 private:
  enum class State : std::uint8_t { fresh, open, done };
  struct Visit {
    std::size_t item, next;
    std::vector<std::size_t> needs;
  };

  void find_made(std::size_t c) {
    const Chunk& chunk = chunks_[c];
    const StateChain& chain = chains_[chunk.chain];
    const auto number = static_cast<std::ptrdiff_t>(c);
    for (const std::size_t r : chunk.reads) order_.made_by[at(chain.reads[r].node)] = number;
    for (std::size_t t = chunk.first; t < chunk.end; ++t)
      if (const auto& correction = chain.updates[t].correction;
          correction && correction->read.node >= 0)
        order_.made_by[at(correction->read.node)] = number;
    if (chain.whole && chunk.end == chain.updates.size())
      order_.made_by[at(chain.updates.back().state)] = number;
  }

  void walk(std::size_t root) {
    open(root);
    while (!visits_.empty()) {
      Visit& visit = visits_.back();
      if (visit.next == visit.needs.size()) {
        state_[visit.item] = State::done;
        order_.items.push_back(visit.item);
        visits_.pop_back();
        continue;
      }
      const std::size_t item = visit.needs[visit.next++];
      if (state_[item] == State::fresh) open(item);
      if (state_[item] == State::open && visits_.back().item != item) return refuse(item);
    }
  }

  void open(std::size_t item) {
    state_[item] = State::open;
    visits_.push_back({item, 0, needs_of(item)});
  }

  std::vector<std::size_t> needs_of(std::size_t item) const {
    std::vector<std::size_t> needs;
    if (item < nodes_) {
      if (const std::ptrdiff_t chunk = order_.made_by[item]; chunk >= 0)
        return {nodes_ + static_cast<std::size_t>(chunk)};
      for (const NodeId x : tape_.inputs(static_cast<NodeId>(item))) needs.push_back(at(x));
      return needs;
    }
    const std::size_t c = item - nodes_;
    const Chunk& chunk = chunks_[c];
    const StateChain& chain = chains_[chunk.chain];
    needs.push_back(chunk.is_first() ? at(chain.first()) : item - 1);
    for (std::size_t t = chunk.first; t < chunk.end; ++t) add_needs(chain.updates[t], needs);
    for (const std::size_t r : chunk.reads) needs.push_back(at(chain.reads[r].query));
    return needs;
  }

  static void add_needs(const LinearUpdate& u, std::vector<std::size_t>& needs) {
    const auto add = [&](const FactorProduct& product) {
      for (const Factor& f : product.factors) needs.push_back(at(f.node));
    };
    add(u.gate);
    for (const FactorProduct& added : u.added) add(added);
    if (!u.correction) return;
    add(u.correction->scale);
    for (const FactorProduct& rest : u.correction->rest) add(rest);
    needs.push_back(at(u.correction->read.query));
  }

  /// The way from `item` to itself goes through a chunk.
  void refuse(std::size_t item) {
    for (std::size_t i = visits_.size(); i-- > 0;) {
      const std::size_t on_way = visits_[i].item;
      if (on_way >= nodes_) {
        order_.circular = static_cast<std::ptrdiff_t>(chunks_[on_way - nodes_].chain);
        break;
      }
      if (on_way == item) break;
    }
    visits_.clear();
  }

  const Tape& tape_;
  const std::vector<StateChain>& chains_;
  const std::vector<Chunk>& chunks_;
  std::size_t nodes_;
  ChunkOrder order_;
  std::vector<State> state_;
  std::vector<Visit> visits_;
};

}  // namespace

std::vector<Chunk> cut_in_chunks(const std::vector<StateChain>& chains, std::size_t steps) {
  std::vector<Chunk> chunks;
  for (std::size_t c = 0; c < chains.size(); ++c) {
    const std::size_t before = chunks.size(), count = chains[c].updates.size();
    const std::size_t size = steps * chains[c].period;
    for (std::size_t first = 0; first < count; first += size)
      chunks.push_back({c, first, std::min(first + size, count), {}});
    for (std::size_t r = 0; r < chains[c].reads.size(); ++r)
      chunks[before + chains[c].reads[r].step / size].reads.push_back(r);
  }
  return chunks;
}

ChunkOrder order_chunks(const Tape& tape, const std::vector<StateChain>& chains,
                        const std::vector<Chunk>& chunks) {
  return Ordering(tape, chains, chunks).run();
}

}  // namespace taugrad
