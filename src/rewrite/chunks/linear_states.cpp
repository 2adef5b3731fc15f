#include "rewrite/chunks/linear_states.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>

#include "rewrite/chunks/linear_update.h"
#include "rewrite/chunks/state_reads.h"
#include "rewrite/chunks/turns.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

/// Updates by their states, with one way to take the axes of a shape.
using Updates = std::unordered_map<NodeId, LinearUpdate>;

Updates find_updates(const Tape& tape, std::size_t way) {
  Updates updates;
  const auto known = [&](NodeId id) { return updates.contains(id); };
  for (NodeId id = 0; id < tape.size(); ++id) {
    if (&tape.op(id) != &kAdd && &tape.op(id) != &kSub) continue;
    const std::vector<StateAxes> axes = state_axes(tape.shape(id));
    if (way >= axes.size()) continue;
    if (auto update = linear_update(tape, id, axes[way], known))
      updates.emplace(id, std::move(*update));
  }
  return updates;
}

class Chains {
 public:
  Chains(const Tape& tape, const std::set<std::string>& asked)
      : tape_(tape), asked_(asked), users_(tape) {}

  std::vector<StateChain> run() {
    for (const std::size_t way : {0u, 1u}) follow(find_updates(tape_, way), way);
    std::vector<char> wanted;
    for (const StateChain& c : found_) wanted.push_back(!is_vector(c) || goes_along(c));
    std::vector<StateChain> chains;
    for (std::size_t c = 0; c < found_.size(); ++c)
      if (wanted[c]) chains.push_back(std::move(found_[c]));
    return chains;
  }

 private:
  /// Puts updates that go on with each other one after another, from the first one on; what of them
  /// takes turns is a chain.
  void follow(const Updates& updates, std::size_t way) {
    std::unordered_map<NodeId, NodeId> next;  // by state
    std::vector<NodeId> starts;
    for (NodeId id = 0; id < tape_.size(); ++id) {
      const auto update = updates.find(id);
      if (update == updates.end() || taken_.contains(id)) continue;
      const auto before = updates.find(update->second.before);
      const bool goes_on = before != updates.end() && !taken_.contains(before->first) &&
                           next.emplace(before->first, id).second;
      if (!goes_on) starts.push_back(id);
    }
    for (const NodeId start : starts) {
      std::vector<const LinearUpdate*> all;
      for (NodeId id = start;;) {
        all.push_back(&updates.at(id));
        const auto after = next.find(id);
        if (after == next.end()) break;
        id = after->second;
      }
      for (std::span<const LinearUpdate* const> rest = all; !rest.empty();) {
        const Turns turns = turns_of(rest);
        StateChain chain;
        chain.axes = state_axes(tape_.shape(start))[way];
        chain.period = turns.period;
        for (const LinearUpdate* u : rest.first(turns.count)) chain.updates.push_back(*u);
        join(chain, users_);
        fold(chain);
        rest = rest.subspan(turns.count);
        if (turns.count > turns.period && complete(chain)) keep(std::move(chain));
      }
    }
  }

  static bool is_vector(const StateChain& c) { return c.axes.rows == 1 || c.axes.columns == 1; }

  /// By itself a vector takes more work in chunks than step by step; beside a matrix of the same
  /// gates, as its normaliser, it shares most of it.
  bool goes_along(const StateChain& vector) const {
    const auto gate_at_end = [](const StateChain& c) { return c.updates.back().gate.factors; };
    return std::ranges::any_of(found_, [&](const StateChain& c) {
      return !is_vector(c) && c.period == vector.period &&
             c.updates.size() == vector.updates.size() &&
             std::ranges::equal(gate_at_end(c), gate_at_end(vector), {}, &Factor::node,
                                &Factor::node);
    });
  }

  void keep(StateChain chain) {
    for (const LinearUpdate& u : chain.updates) taken_.emplace(u.state, 0);
    found_.push_back(std::move(chain));
  }

  /// Finds what reads the states; false where that is not to be had of chunks.
  bool complete(StateChain& chain) const {
    if (has_mixed_turns(chain) || gates_differ(chain) || !one_set_of_items(chain) ||
        is_asked(chain) || !corrections_fit(chain))
      return false;
    for (std::size_t t = 0; t < chain.updates.size(); ++t) {
      const NodeId state = chain.updates[t].state;
      const bool last = t + 1 == chain.updates.size();
      auto reads =
          reads_of(tape_, users_, state, chain.axes, last ? nullptr : &chain.updates[t + 1]);
      if (!reads && !last) return false;
      if (!reads) {
        chain.whole = true;
        continue;
      }
      for (StateRead& r : *reads) {
        r.step = t;
        chain.reads.push_back(r);
      }
    }
    return !chain.reads.empty() && reads_fit(chain);
  }

  /// Whether updates that take turns add several products each.
  static bool has_mixed_turns(const StateChain& chain) {
    return chain.period > 1 && std::ranges::any_of(chain.updates, [](const LinearUpdate& u) {
             return u.added.size() > 1;
           });
  }

  /// Whether there are gates that are rows and gates that are columns.
  static bool gates_differ(const StateChain& chain) {
    const auto of_kind = [&](Factor::Kind kind) {
      return std::ranges::any_of(chain.updates,
                                 [&](const LinearUpdate& u) { return u.gate.kind() == kind; });
    };
    return of_kind(Factor::Kind::row) && of_kind(Factor::Kind::column);
  }

  /// Whether a state is asked for, or what only the updates have of it.
  bool is_asked(const StateChain& chain) const {
    const auto asked = [&](NodeId id) {
      return tape_.is_value(id) && asked_.contains(std::string(tape_.name(id)));
    };
    return std::ranges::any_of(chain.updates, [&](const LinearUpdate& u) {
      return asked(u.state) || std::ranges::any_of(u.way, asked) ||
             std::ranges::any_of(u.opened, asked) ||
             (u.correction && std::ranges::any_of(u.correction->opened, asked));
    });
  }

  /// What updates read of the states before; a system of equations for all numbers of a line at
  /// once needs gates that go with the query.
  bool corrections_fit(StateChain& chain) const {
    for (LinearUpdate& u : chain.updates) {
      if (!u.correction) continue;
      Correction& c = *u.correction;
      if (c.read.node >= 0) {
        const auto read = read_of(tape_, users_, c, chain.axes);
        if (!read || read->over_columns != (c.line == Factor::Kind::column)) return false;
        c.read = *read;
      }
      const Factor::Kind gate = chain.gate_kind();
      if (gate != Factor::Kind::number && gate == c.line) return false;
      const Correction& first = *chain.correction();
      if (c.line != first.line || c.gated != first.gated || c.read.heads != first.read.heads)
        return false;
    }
    return true;
  }

  /// Whether items only end, or only begin, from state to state.
  bool one_set_of_items(const StateChain& chain) const {
    bool fewer = false, more = false;
    for (std::size_t t = 1; t < chain.updates.size(); ++t)
      for (const NodeId x : passed(chain.updates[t])) {
        fewer = fewer || &tape_.op(x) == &kRestrictTo;
        more = more || &tape_.op(x) == &kExtendTo;
      }
    return !(fewer && more);
  }
  /// What an update passes between its products and the state before.
  std::vector<NodeId> passed(const LinearUpdate& u) const {
    std::vector<NodeId> nodes;
    const auto look = [&](NodeId id) {
      for (NodeId x : tape_.inputs(id))
        if (state_behind(tape_, x) == u.before)
          for (; x != u.before; x = tape_.inputs(x)[0]) nodes.push_back(x);
    };
    look(u.state);
    for (const NodeId id : u.way) look(id);
    return nodes;
  }

  /// A state of all items that queries of single items read is left as it is where those differ.
  bool reads_fit(const StateChain& chain) const {
    if (tape_.extent_id(chain.updates[0].state) != kShared) return true;
    const ExtentId first = tape_.extent_id(chain.reads[0].node);
    return std::ranges::all_of(
        chain.reads, [&](const StateRead& r) { return tape_.extent_id(r.node) == first; });
  }

  const Tape& tape_;
  const std::set<std::string>& asked_;
  Users users_;
  std::vector<StateChain> found_;
  std::unordered_map<NodeId, int> taken_;
};

}  // namespace

Factor::Kind StateChain::gate_kind() const {
  for (std::size_t t = 0; t < period; ++t)
    if (const auto kind = updates[t].gate.kind(); kind != Factor::Kind::number) return *kind;
  return Factor::Kind::number;
}

const Correction* StateChain::correction() const {
  for (std::size_t t = 0; t < period; ++t)
    if (const auto& c = updates[t].correction) return &*c;
  return nullptr;
}

std::vector<StateChain> linear_states(const Tape& tape, const std::set<std::string>& asked) {
  return Chains(tape, asked).run();
}

}  // namespace taugrad
