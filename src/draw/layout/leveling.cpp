#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/index.h"
#include "draw/layout/drawing.h"

namespace taugrad::draw {
namespace {

class Leveler {
 public:
  explicit Leveler(Drawing& d) : d_(d), sunk_(d.plans.size()) {}

  void run() {
    for (std::size_t p = 0; p < d_.plans.size(); p += 2) {
      assign_layers(d_.plans[p], false, false);
      sunk_[p] = align(d_.plans[p + 1], d_.plans[p], static_cast<int>(p));
      assign_layers(d_.plans[p + 1], sunk_[p].has_value(), !sunk_[p].has_value());
      d_.layers =
          std::max({d_.layers, d_.plans[p].layers + sunk_[p].value_or(0), d_.plans[p + 1].layers});
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
      const int height = std::max(forward.layers + sunk_[p].value_or(0), gradient.layers);
      const int top = p > first_slot && !d_.picture.clusters.empty() ? d_.layers - height : 0;
      forward.offset = top + sunk_[p].value_or(0);
      gradient.offset = sunk_[p] ? top : top + height - gradient.layers;
    }
  }

  // The gradient of a value stands in the value's layer, what follows from it above it, if need be
  // above the highest value. Returns by how much the values sink then; nothing (and no layers)
  // where edges would not rise.
  std::optional<int> align(Plan& gradient, const Plan& forward, int number) const {
    std::vector<char> placed(gradient.nodes.size(), 0);
    bool any = false;
    for (std::size_t n = 0; n < d_.picture.nodes.size(); ++n) {
      const int primal = d_.picture.nodes[n].beside;
      if (d_.plan_of[n] != number + 1 || primal < 0 || d_.plan_of[at(primal)] != number) continue;
      gradient.nodes[at(d_.plan_node[n])].layer = forward.nodes[at(d_.plan_node[at(primal)])].layer;
      placed[at(d_.plan_node[n])] = 1;
      any = true;
    }
    std::vector<char> free(gradient.nodes.size(), 0);
    for (const PlanEdge& e : gradient.edges) {
      if (placed[at(e.upper)] || !placed[at(e.lower)]) continue;
      gradient.nodes[at(e.upper)].layer = gradient.nodes[at(e.lower)].layer - 1;
      placed[at(e.upper)] = free[at(e.upper)] = 1;
    }
    if (any && rises(gradient, placed)) {
      stack(gradient, std::move(free));
      return lift(gradient);
    }
    for (PlanNode& n : gradient.nodes) n.layer = 0;
    return std::nullopt;
  }

  static bool rises(const Plan& plan, const std::vector<char>& placed) {
    for (std::size_t n = 0; n < plan.nodes.size(); ++n) {
      if (plan.nodes[n].is_real() && !placed[n]) return false;
    }
    return std::all_of(plan.edges.begin(), plan.edges.end(), [&](const PlanEdge& e) {
      const PlanNode& upper = plan.nodes[at(e.upper)];
      const PlanNode& lower = plan.nodes[at(e.lower)];
      return !upper.is_real() || !lower.is_real() || upper.layer < lower.layer;
    });
  }

  /// What ends in a step, such as the gradients of the copies of weights, goes further up where it
  /// would make a row wider than the others are. @param free  nodes that may; of those, the ends
  static void stack(Plan& plan, std::vector<char> free) {
    for (const PlanEdge& e : plan.edges)
      if (plan.nodes[at(e.upper)].is_real()) free[at(e.lower)] = 0;
    std::map<int, std::vector<int>, std::greater<>> ends;  // by layer, from below
    std::map<int, std::size_t> others;
    std::size_t widest = 2;
    for (std::size_t n = 0; n < plan.nodes.size(); ++n) {
      if (!plan.nodes[n].is_real()) continue;
      if (free[n])
        ends[plan.nodes[n].layer].push_back(static_cast<int>(n));
      else
        widest = std::max(widest, ++others[plan.nodes[n].layer]);
    }
    for (auto row = ends.begin(); row != ends.end(); ++row)
      while (!row->second.empty() && row->second.size() + others[row->first] > widest) {
        plan.nodes[at(row->second.back())].layer = row->first - 1;
        ends[row->first - 1].push_back(row->second.back());
        row->second.pop_back();
      }
  }

  static int lift(Plan& plan) {
    int highest = 1;
    for (const PlanNode& n : plan.nodes) {
      if (n.is_real()) highest = std::min(highest, n.layer);
    }
    for (PlanNode& n : plan.nodes) n.layer += 1 - highest;
    return 1 - highest;
  }

  Drawing& d_;
  std::vector<std::optional<int>>
      sunk_;  // by plan of forward nodes: below its gradient's highest node
};

}  // namespace

void layer_plans(Drawing& d) { Leveler(d).run(); }

}  // namespace taugrad::draw
