#include <algorithm>
#include <vector>

#include "base/index.h"
#include "draw/layout/geometry.h"

namespace taugrad::draw {
namespace {

// Where an edge comes from, seen at its head: orders the heads along the rim of a box.
double approach(const Drawing& d, const Geometry& g, std::size_t e) {
  const Wire& w = d.wires[e];
  const PictureEdge& edge = d.picture.edges[e];
  if (w.way == Wire::Way::inner || w.entry_edge >= 0) {
    const int plan = w.way == Wire::Way::inner ? w.plan : w.entry_plan;
    const auto& chain =
        d.plans[at(plan)].edges[at(w.way == Wire::Way::inner ? w.plan_edge : w.entry_edge)].chain;
    const int head = d.plan_node[at(edge.to)];
    return plan_x(d, g, edge.to, plan, chain.front() == head ? chain[1] : chain[chain.size() - 2]);
  }
  if (w.entry_gutter < 0) return d.boxes[at(edge.from)].x;
  return g.gutter[at(w.entry_gutter)];
}

}  // namespace

void shift_heads(Drawing& d, const Geometry& g) {
  struct Head {
    int node;
    double approach;
    int group;
    std::size_t edge;
  };
  std::vector<Head> heads;
  const int fans = static_cast<int>(d.picture.nodes.size());
  for (std::size_t e = 0; e < d.wires.size(); ++e) {
    const Wire& w = d.wires[e];
    if (w.side_entry || d.tall(d.picture.edges[e].to)) continue;
    const int group = w.net >= fans ? -1 : static_cast<int>(e);  // a fan arrives as one line
    heads.push_back({d.picture.edges[e].to, approach(d, g, e), group, e});
  }
  std::stable_sort(heads.begin(), heads.end(), [](const Head& a, const Head& b) {
    if (a.node != b.node) return a.node < b.node;
    if ((a.group < 0) != (b.group < 0)) return a.group < b.group;
    return a.approach < b.approach;
  });
  for (std::size_t begin = 0, end = 0; begin < heads.size(); begin = end) {
    std::vector<int> slot;
    for (end = begin; end < heads.size() && heads[end].node == heads[begin].node; ++end) {
      const bool same = end > begin && heads[end].group < 0 && heads[end - 1].group < 0;
      slot.push_back(slot.empty() ? 0 : slot.back() + (same ? 0 : 1));
    }
    const double room = 0.7 * d.boxes[at(heads[begin].node)].width;
    const double step = slot.back() == 0 ? 0 : std::min(14.0, room / slot.back());
    for (std::size_t i = begin; i < end; ++i) {
      d.wires[heads[i].edge].shift = step * (slot[i - begin] - slot.back() / 2.0);
    }
  }
}

}  // namespace taugrad::draw
