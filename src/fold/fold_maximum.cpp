// max[t](..) unfolds to a chain, m[t] = max(m[t-1], e[t]), whose last value is read: a recurrence
// of the graph that the definition does not have. So do min[t](..) and prod[t](..).
#include <algorithm>
#include <cstdlib>

#include "base/index.h"
#include "fold/folding.h"
#include "taugrad/ops/records.h"

namespace taugrad::folding {
namespace {

// The edges of one running maximum; -1 where it is none.
struct Running {
  int self = -1, term = -1;
  std::vector<int> readers;
  bool holds = true;
};

Running running_maximum(const Sketch& s, int node) {
  Running r;
  for (std::size_t i = 0; i < s.graph.edges.size() && r.holds; ++i) {
    const FoldedEdge& e = s.graph.edges[i];
    if (s.initial[i]) continue;
    const bool step = !e.whole && e.delay.size() == 1;
    if (e.to == node && e.from == node) {
      r.self = static_cast<int>(i);
      r.holds = e.slot == 0 && step && std::abs(e.delay[0]) == 1;
    } else if (e.to == node) {
      r.term = static_cast<int>(i);
      r.holds = e.slot == 1 && step && e.delay[0] == 0;
    } else if (e.from == node) {
      r.readers.push_back(static_cast<int>(i));
      r.holds = e.whole && (e.place == "last" || e.place == "1");
    }
  }
  r.holds = r.holds && r.self >= 0 && r.term >= 0;
  bool starts = false;  // with the first term
  for (std::size_t i = 0; i < s.graph.edges.size() && r.holds; ++i)
    starts = starts || (s.initial[i] && s.graph.edges[i].to == node &&
                        s.graph.edges[i].from == s.graph.edges[at(r.term)].from);
  r.holds = r.holds && starts;
  return r;
}

}  // namespace

void gather_maxima(Sketch& s) {
  std::vector<char> gone(s.graph.edges.size(), 0);
  for (std::size_t n = 0; n < s.graph.nodes.size(); ++n) {
    FoldedNode& node = s.graph.nodes[n];
    const bool chains =
        node.op == kMaximum.name || node.op == kMinimum.name || node.op == kMul.name;
    if (!chains || node.over.empty()) continue;
    const Running r = running_maximum(s, static_cast<int>(n));
    if (!r.holds) continue;
    node.over.clear();
    gone[at(r.self)] = 1;
    FoldedEdge& term = s.graph.edges[at(r.term)];
    term.slot = 0;
    term.whole = true;
    term.place = kAll;
    term.delay.clear();
    for (const int i : r.readers) {
      FoldedEdge& e = s.graph.edges[at(i)];
      e.whole = false;
      e.place.clear();
      e.delay.assign(s.graph.nodes[at(e.to)].over.size(), 0);
    }
    for (std::size_t i = 0; i < s.graph.edges.size(); ++i)  // its first step reads the first term
      if (s.initial[i] && s.graph.edges[i].to == static_cast<int>(n)) gone[i] = 1;
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < gone.size(); ++i) {
    if (gone[i]) continue;
    s.graph.edges[kept] = s.graph.edges[i];
    s.initial[kept++] = s.initial[i];
  }
  s.graph.edges.resize(kept);
  s.initial.resize(kept);
}

}  // namespace taugrad::folding
