#include "fold/fold_shift.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "fold/folding.h"
#include "graph/tables.h"

namespace taugrad::folding {
namespace {

constexpr std::size_t kShortestOrbit = 3;  // two of a kind may be chance
constexpr int kTriesPerDepth = 6;
constexpr int kEndsPerLabel = 2;
constexpr int kHops = 64;  // how far back a candidate is looked for among covered nodes

}  // namespace

Shift::Shift(const Net& net) : net_(net) {
  const std::size_t n = at(net.size());
  after_.assign(n, -1);
  before_.assign(n, -1);
  linked_in_.assign(n, 0);
  head_.resize(n);
  for (std::size_t i = 0; i < n; ++i) head_[i] = static_cast<NodeId>(i);
  tail_ = head_;
  order_by_depth();
  index_alike();
  seed(true);
  seed(false);
  claim_first();
  untied_ = true;
  carry_broken();
  const auto found = [&] {
    return std::any_of(after_.begin(), after_.end(), [](NodeId id) { return id >= 0; });
  };
  if (!found()) seed(false);
  shared_too_ = true;
  if (!found()) seed(true);
  if (!found()) seed(false);
}

// Depth is the longest path to a node. Along it neighbouring steps are near one another, whichever
// way a recurrence runs; the deepest node knows most of the graph.
void Shift::order_by_depth() {
  std::vector<NodeId> depth(at(net_.size()), 0);
  for (NodeId id = 0; id < net_.size(); ++id) {
    for (const NodeId in : net_.inputs(id))
      depth[at(id)] = std::max(depth[at(id)], depth[at(in)] + 1);
    if (!net_.gone(id) && !net_.leaf(id)) order_.push_back(id);
  }
  std::stable_sort(order_.begin(), order_.end(),
                   [&](NodeId a, NodeId b) { return depth[at(a)] < depth[at(b)]; });
  find_ends();
}

// The deepest nodes of each label that nothing reads but sums over steps.
void Shift::find_ends() {
  std::vector<char> read(at(net_.size()), 0);
  for (const NodeId id : order_)
    if (first_term(net_.tape().op(id)) < 0)
      for (const NodeId in : net_.inputs(id)) read[at(in)] = 1;
  std::unordered_map<std::uint32_t, int> found;  // by label
  for (auto v = order_.rbegin(); v != order_.rend(); ++v)
    if (!read[at(*v)] && ++found[net_.label(*v)] <= kEndsPerLabel) ends_.push_back(*v);
}

// For every depth of comparison and node, the node before it whose inputs are labelled alike down
// to that depth.
void Shift::index_alike() {
  std::vector<std::uint64_t> hash(at(net_.size())), deeper(at(net_.size()));
  for (NodeId id = 0; id < net_.size(); ++id) hash[at(id)] = mixed(1, net_.label(id));
  for (int depth = 0; depth <= kDepths[0]; ++depth) {
    if (const auto k = std::find(kDepths.begin(), kDepths.end(), depth); k != kDepths.end()) {
      std::vector<NodeId>& previous = previous_[static_cast<std::size_t>(k - kDepths.begin())];
      previous.assign(at(net_.size()), -1);
      std::unordered_map<std::uint64_t, NodeId> last;
      for (const NodeId id : order_) {
        const auto [it, fresh] = last.try_emplace(hash[at(id)], id);
        if (!fresh) previous[at(id)] = std::exchange(it->second, id);
      }
    }
    for (NodeId id = 0; id < net_.size(); ++id) {
      std::uint64_t h = mixed(2, net_.label(id));
      for (const NodeId in : net_.inputs(id)) h = mixed(h, hash[at(in)]);
      deeper[at(id)] = h;
    }
    hash.swap(deeper);
  }
}

// Same label and the same weights; constants may differ by 1, as a position does.
bool Shift::alike(NodeId a, NodeId b) const {
  if (net_.label(a) != net_.label(b) || net_.gone(a)) return false;
  if (net_.is_weight(a)) return untied_ && net_.maybe_untied(a) && net_.maybe_untied(b);
  if (net_.is_constant(a)) {
    const double step = net_.tape().attrs(b).real("value") - net_.tape().attrs(a).real("value");
    return step == 0 || std::abs(step) == 1;
  }
  const auto in_a = net_.inputs(a), in_b = net_.inputs(b);
  for (std::size_t k = 0; k < in_a.size(); ++k) {
    if (in_a[k] == in_b[k] || (!net_.is_weight(in_a[k]) && !net_.is_weight(in_b[k]))) continue;
    if (!net_.is_weight(in_a[k]) || !net_.is_weight(in_b[k]) || !alike(in_a[k], in_b[k]))
      return false;
  }
  return true;
}

// Makes b the successor of a; false where it would close a cycle.
bool Shift::link(NodeId a, NodeId b) {
  const NodeId head = head_[at(a)], tail = tail_[at(b)];
  if (head == b) return false;
  after_[at(a)] = b;
  before_[at(b)] = a;
  linked_in_[at(a)] = trial_;
  log_.push_back({a, b, head, tail});
  tail_[at(head)] = tail;
  head_[at(tail)] = head;
  return true;
}

void Shift::undo() {
  for (; !log_.empty(); log_.pop_back()) {
    const Link& l = log_.back();
    after_[at(l.from)] = before_[at(l.to)] = -1;
    tail_[at(l.head)] = l.from;
    head_[at(l.tail)] = l.to;
  }
}

// Takes b for a shifted by one step, and so their inputs, as far as they correspond.
Shift::Trial Shift::carry(NodeId first_a, NodeId first_b) {
  Trial t;
  ++trial_;
  std::vector<std::pair<NodeId, NodeId>> work{{first_a, first_b}};
  while (!work.empty() && !t.contradicts) {
    const auto [a, b] = work.back();
    work.pop_back();
    if (a == b) {  // read by every step
      ++t.shared;
      continue;
    }
    if (after_[at(a)] == b) {
      t.agreed += linked_in_[at(a)] != trial_ ? 1 : 0;
    } else if (!alike(a, b)) {
      ++t.broken;
      t.broken_at_zeros += net_.is_constant(a) || net_.is_constant(b) ? 1 : 0;
    } else if (after_[at(a)] >= 0 || before_[at(b)] >= 0 || !link(a, b)) {
      t.contradicts = true;
    } else {
      ++t.matched;
      const auto in_a = net_.inputs(a), in_b = net_.inputs(b);
      for (std::size_t k = 0; k < in_a.size(); ++k) work.emplace_back(in_a[k], in_b[k]);
    }
  }
  t.runs_on = std::any_of(log_.begin(), log_.end(), [&](const Link& l) {
    return before_[at(l.from)] >= 0 || after_[at(l.to)] >= 0;
  });
  return t;
}

// Nodes that may be the neighbour of `of`: nearest first, alike to the greatest depth first.
std::vector<NodeId> Shift::candidates(NodeId of) const {
  std::vector<NodeId> found;
  for (const std::vector<NodeId>& previous : previous_) {
    NodeId id = previous[at(of)];
    int tries = 0;
    for (int hop = 0; id >= 0 && hop < kHops && tries < kTriesPerDepth; ++hop) {
      if (after_[at(id)] < 0 || before_[at(id)] < 0) {
        ++tries;
        if (std::find(found.begin(), found.end(), id) == found.end()) found.push_back(id);
      }
      id = previous[at(id)];
    }
  }
  return found;
}

// The pair of v and a neighbour that shifts most of the graph. A recurrence tells most surely, as
// its shift runs on through all steps: with `recurrent`, no other.
Shift::Seed Shift::best_seed(NodeId v, bool recurrent) {
  Seed best;
  for (const NodeId u : candidates(v))
    for (const bool forward : {true, false}) {  // not all run the same way through time
      const NodeId from = forward ? u : v, to = forward ? v : u;
      const Trial t = carry(from, to);
      undo();
      const bool sure = t.runs_on || t.agreed > 0 || !recurrent;
      if (sure && t.matched >= 2 && t.matched > t.broken && t.score() > best.score)
        best = {from, to, t.score()};
      if (!t.contradicts) break;
    }
  return best;
}

// What is computed of numbers and weights alone, once for all examples, is often alike by chance:
// a step of it is found from what reads it.
bool Shift::may_seed(NodeId v) const { return shared_too_ || net_.tape().extent_id(v) != kShared; }

// Finds the orbits of nodes that none holds yet: of the ends of the graph first, best ones first.
void Shift::seed(bool recurrent) {
  std::vector<std::pair<int, NodeId>> ends;
  for (const NodeId v : ends_)
    if (!covered(v) && may_seed(v)) ends.emplace_back(best_seed(v, recurrent).score, v);
  std::stable_sort(ends.begin(), ends.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (const auto& [score, v] : ends) try_seed(v, recurrent);
  for (auto v = order_.rbegin(); v != order_.rend(); ++v) try_seed(*v, recurrent);
}

void Shift::try_seed(NodeId v, bool recurrent) {
  if (covered(v) || !may_seed(v)) return;
  const Seed seed = best_seed(v, recurrent);
  if (seed.from < 0) return;
  carry(seed.from, seed.to);
  log_.clear();
  lengthen(v, true);
  lengthen(v, false);
}

// Goes on from the orbit of a node, to the steps before or after.
void Shift::lengthen(NodeId of, bool before) {
  const std::vector<NodeId>& next = before ? before_ : after_;
  while (true) {
    while (next[at(of)] >= 0) of = next[at(of)];
    const NodeId end = of;
    Trial best;
    best.contradicts = true;
    NodeId neighbour = -1;
    for (const NodeId u : candidates(end)) {
      const Trial t = before ? carry(u, end) : carry(end, u);
      undo();
      if (!t.goes_on() || t.score() <= best.score()) continue;
      best = t;
      neighbour = u;
      if (t.agreed > 0 && t.broken == 0) break;
    }
    if (neighbour < 0) return;
    if (before)
      carry(neighbour, end);
    else
      carry(end, neighbour);
    log_.clear();
  }
}

// Pairs that only different weights have kept apart: there the weights are untied.
void Shift::carry_broken() {
  for (NodeId a = net_.size() - 1; a >= 0; --a) {
    const NodeId b = after_[at(a)];
    if (b < 0) continue;
    const auto in_a = net_.inputs(a), in_b = net_.inputs(b);
    for (std::size_t k = 0; k < in_a.size(); ++k) {
      if (in_a[k] == in_b[k] || after_[at(in_a[k])] == in_b[k]) continue;
      const Trial t = carry(in_a[k], in_b[k]);
      if (t.contradicts || t.matched <= t.broken)
        undo();
      else
        log_.clear();
    }
  }
}

// Gives orbits the first instance that is read otherwise than the next ones, as the first term of a
// maximum is: what it reads is one step before what their first instance reads.
void Shift::claim_first() {
  std::unordered_map<NodeId, std::vector<NodeId>> heads;  // by what they read
  for (const NodeId v : order_)
    if (before_[at(v)] < 0 && after_[at(v)] >= 0)
      for (const NodeId in : net_.inputs(v)) heads[in].push_back(v);
  for (const NodeId v : order_) {
    if (covered(v)) continue;
    for (const NodeId in : net_.inputs(v)) {
      const auto known = heads.find(after_[at(in)]);
      if (known == heads.end() || covered(v)) continue;
      for (const NodeId head : known->second) {
        const Trial t = carry(v, head);
        if (!t.contradicts && t.matched > 0 && t.agreed > 0 && t.broken == 0) {
          log_.clear();
          break;
        }
        undo();
      }
    }
  }
}

std::vector<std::vector<NodeId>> Shift::orbits() const {
  std::vector<std::vector<NodeId>> all;
  for (NodeId id = 0; id < net_.size(); ++id) {
    if (before_[at(id)] >= 0 || after_[at(id)] < 0) continue;
    std::vector<NodeId> orbit;
    for (NodeId x = id; x >= 0; x = after_[at(x)]) orbit.push_back(x);
    if (orbit.size() >= kShortestOrbit) all.push_back(std::move(orbit));
  }
  return all;
}

}  // namespace taugrad::folding
