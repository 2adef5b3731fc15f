#include <algorithm>
#include <vector>

#include "draw/drawing.h"

namespace taugrad::draw {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

class Leveler {
 public:
  explicit Leveler(Drawing& d) : d_(d), aligned_(d.plans.size(), 0) {}

  void run() {
    for (std::size_t p = 0; p < d_.plans.size(); p += 2) {
      assign_layers(d_.plans[p], false, false);
      aligned_[p] = align(d_.plans[p + 1], d_.plans[p], static_cast<int>(p)) ? 1 : 0;
      assign_layers(d_.plans[p + 1], aligned_[p] != 0, aligned_[p] == 0);
      d_.layers = std::max({d_.layers, d_.plans[p].layers, d_.plans[p + 1].layers});
    }
    offset_plans();
    for (std::size_t e = 0; e < d_.wires.size(); ++e) {
      Wire& w = d_.wires[e];
      if (w.way != Wire::Way::inner || !d_.plans[at(w.plan)].edges[at(w.plan_edge)].loop) continue;
      route_around(w, *d_.cell(d_.picture.edges[e].from));
    }
  }

 private:
  // Steps begin at the top; what stands after the first block, where sums arrive, at the bottom.
  void offset_plans() {
    int blocks = 0;
    for (const int b : d_.grid.block_of_column) blocks = std::max(blocks, b + 1);
    const std::size_t first_slot = d_.plans.size() - 2 * (at(blocks) + 1);
    for (std::size_t p = 0; p < d_.plans.size(); p += 2) {
      Plan& forward = d_.plans[p];
      Plan& gradient = d_.plans[p + 1];
      const int height = std::max(forward.layers, gradient.layers);
      if (p > first_slot && !d_.picture.clusters.empty()) forward.offset = d_.layers - height;
      gradient.offset = aligned_[p] ? forward.offset : forward.offset + height - gradient.layers;
    }
  }

  // The gradient of a value stands in the value's layer, what follows from it above it. False (and
  // no layers) where edges would not rise then, or most nodes have no value beside them.
  bool align(Plan& gradient, const Plan& forward, int number) const {
    std::size_t known = 0;
    for (std::size_t n = 0; n < d_.picture.nodes.size(); ++n) {
      const int primal = d_.picture.nodes[n].beside;
      if (d_.plan_of[n] != number + 1 || primal < 0 || d_.plan_of[at(primal)] != number) continue;
      int& layer = gradient.nodes[at(d_.plan_node[n])].layer;
      known += layer == 0 ? 1 : 0;
      layer = forward.nodes[at(d_.plan_node[at(primal)])].layer;
    }
    if (3 * known > gradient.nodes.size()) {
      for (const PlanEdge& e : gradient.edges) follow(gradient, e);
      if (rises(gradient)) return true;
    }
    for (PlanNode& n : gradient.nodes) n.layer = 0;
    return false;
  }

  static void follow(Plan& plan, const PlanEdge& e) {
    PlanNode& upper = plan.nodes[at(e.upper)];
    const PlanNode& lower = plan.nodes[at(e.lower)];
    if (upper.is_real() && upper.layer == 0 && lower.layer > 1) upper.layer = lower.layer - 1;
  }

  static bool rises(const Plan& plan) {
    const bool placed = std::all_of(plan.nodes.begin(), plan.nodes.end(),
                                    [](const PlanNode& n) { return !n.is_real() || n.layer > 0; });
    return placed && std::all_of(plan.edges.begin(), plan.edges.end(), [&](const PlanEdge& e) {
             const PlanNode& upper = plan.nodes[at(e.upper)];
             const PlanNode& lower = plan.nodes[at(e.lower)];
             return !upper.is_real() || !lower.is_real() || upper.layer < lower.layer;
           });
  }

  Drawing& d_;
  std::vector<char> aligned_;  // by plan of forward nodes
};

}  // namespace

void layer_plans(Drawing& d) { Leveler(d).run(); }

}  // namespace taugrad::draw
