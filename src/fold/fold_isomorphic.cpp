#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "base/in_range.h"
#include "base/index.h"
#include "taugrad/fold/fold.h"

// Colours of the nodes of both graphs are refined together until they tell no more. Where nodes of
// one colour are left, one of the first graph is paired with each of the second in turn.
namespace taugrad {
namespace {

using Colours = std::vector<int>;
using Look = std::tuple<int, std::vector<int>, bool, std::string>;  // of an edge, but for its ends

Look look(const FoldedEdge& e) { return {e.slot, e.delay, e.whole, e.place}; }

// Nodes of both graphs in one row: those of the second behind those of the first.
class Matcher {
 public:
  Matcher(const FoldedGraph& a, const FoldedGraph& b) : size_(a.nodes.size()) {
    for (const FoldedGraph* g : {&a, &b}) {
      const int base = static_cast<int>(nodes_.size());
      for (const FoldedNode& n : g->nodes) nodes_.push_back(&n);
      for (const FoldedEdge& e : g->edges) edges_.push_back({e.from + base, e.to + base, &e});
    }
    around_.resize(nodes_.size());
    for (const End& e : edges_) {
      const int kind =
          2 * looks_.try_emplace(look(*e.edge), static_cast<int>(looks_.size())).first->second;
      around_[at(e.from)].emplace_back(kind, e.to);
      around_[at(e.to)].emplace_back(kind + 1, e.from);
    }
  }

  bool run() {
    struct Choice {
      Colours colours;    // before the choice
      int left;           // the node of the first graph
      std::size_t right;  // the next node of the second to try
    };
    std::vector<Choice> choices;
    Colours colours = refined(first_colours());
    while (true) {
      if (const int tie = balanced(colours) ? tied(colours) : kNone; tie == kDone) {
        return true;
      } else if (tie >= 0) {
        choices.push_back({colours, tie, size_});
      }
      // the next pairing that is left to try
      while (!choices.empty()) {
        Choice& c = choices.back();
        while (c.right < nodes_.size() && c.colours[c.right] != c.colours[at(c.left)]) ++c.right;
        if (c.right < nodes_.size()) break;
        choices.pop_back();
      }
      if (choices.empty()) return false;
      Choice& c = choices.back();
      colours = c.colours;
      const int fresh = static_cast<int>(nodes_.size());
      colours[at(c.left)] = colours[c.right++] = fresh;
      colours = refined(std::move(colours));
    }
  }

 private:
  static constexpr int kDone = -1, kNone = -2;
  struct End {
    int from, to;
    const FoldedEdge* edge;
  };

  Colours first_colours() const {
    Colours colours;
    std::vector<const FoldedNode*> kinds;
    for (const FoldedNode* n : nodes_) {
      const auto same = std::find_if(kinds.begin(), kinds.end(), [&](const FoldedNode* k) {
        return k->op == n->op && k->attrs == n->attrs && k->shape == n->shape &&
               k->over.size() == n->over.size();
      });
      colours.push_back(static_cast<int>(same - kinds.begin()));
      if (same == kinds.end()) kinds.push_back(n);
    }
    return colours;
  }

  Colours refined(Colours colours) const {
    std::size_t count = 0;
    while (true) {
      std::map<std::pair<int, std::vector<std::pair<int, int>>>, int> numbers;
      Colours next;
      for (std::size_t n = 0; n < nodes_.size(); ++n) {
        std::vector<std::pair<int, int>> seen;
        for (const auto& [kind, other] : around_[n]) seen.emplace_back(kind, colours[at(other)]);
        std::sort(seen.begin(), seen.end());
        next.push_back(
            numbers.try_emplace({colours[n], std::move(seen)}, static_cast<int>(numbers.size()))
                .first->second);
      }
      if (numbers.size() == count) return next;
      count = numbers.size();
      colours = std::move(next);
    }
  }

  bool balanced(const Colours& colours) const {
    if (2 * size_ != nodes_.size()) return false;
    std::map<int, int> count;
    for (std::size_t n = 0; n < nodes_.size(); ++n) count[colours[n]] += n < size_ ? 1 : -1;
    return std::all_of(count.begin(), count.end(), [](const auto& c) { return c.second == 0; });
  }

  // A node of the first graph that shares its colour, or kDone: equal colours are then one to one,
  // and being stable they keep every edge.
  int tied(const Colours& colours) const {
    std::map<int, int> first;
    for (std::size_t n = 0; n < size_; ++n)
      if (!first.try_emplace(colours[n], static_cast<int>(n)).second) return first[colours[n]];
    return kDone;
  }

  std::size_t size_;
  std::vector<const FoldedNode*> nodes_;
  std::vector<End> edges_;
  std::map<Look, int> looks_;
  std::vector<std::vector<std::pair<int, int>>> around_;
};

}  // namespace

bool isomorphic(const FoldedGraph& a, const FoldedGraph& b) {
  for (const FoldedGraph* graph : {&a, &b})
    for (const FoldedEdge& e : graph->edges) {
      check_number("node", e.from, graph->nodes.size());
      check_number("node", e.to, graph->nodes.size());
    }
  return a.nodes.size() == b.nodes.size() && a.edges.size() == b.edges.size() &&
         Matcher(a, b).run();
}

}  // namespace taugrad
