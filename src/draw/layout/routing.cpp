#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/index.h"
#include "draw/layout/drawing.h"

namespace taugrad::draw {
namespace {

class Router {
 public:
  explicit Router(Drawing& d) : d_(d) { find_rims(); }

  void run() {
    for (std::size_t e = 0; e < d_.wires.size(); ++e) choose_exit(d_.picture.edges[e], d_.wires[e]);
    for (std::size_t e = 0; e < d_.wires.size(); ++e)
      choose_entry(d_.picture.edges[e], d_.wires[e]);
    for (std::size_t e = 0; e < d_.wires.size(); ++e) {
      if (d_.wires[e].way == Wire::Way::routed) lay_legs(d_.picture.edges[e], d_.wires[e]);
    }
  }

 private:
  struct Rim {
    int left = -1, right = -1;  // first and last real node of a layer
  };

  void find_rims() {
    rims_.resize(d_.plans.size());
    for (std::size_t p = 0; p < d_.plans.size(); ++p) {
      const Plan& plan = d_.plans[p];
      rims_[p].resize(at(d_.layers + 2));
      for (const auto& row : plan.rows) {
        for (const int n : row) {
          if (!plan.nodes[at(n)].is_real()) continue;
          Rim& rim = rims_[p][at(plan.nodes[at(n)].layer + plan.offset)];
          if (rim.left < 0) rim.left = n;
          rim.right = n;
        }
      }
    }
  }

  // Nothing between the node and that side of its cell (or the space between forward nodes and
  // gradient).
  bool is_at_rim(int node, bool right, bool inside) const {
    const int p = d_.plan_of[at(node)], layer = d_.layer(node);
    const Rim& rim = rims_[at(p)][at(layer)];
    if ((right ? rim.right : rim.left) != d_.plan_node[at(node)]) return false;
    const bool crosses_other = !inside && right != d_.adjoint(node);
    return !crosses_other || rims_[at(p ^ 1)][at(layer)].left < 0;
  }

  bool gutter_is_right(int gutter, int node) const {
    const int column = d_.cell(node)->column;
    return gutter == Drawing::gutter_right_of(column) ||
           (gutter == Drawing::gutter_inside(column) && !d_.adjoint(node));
  }

  // A side of a box serves the edges that leave it, or one edge (or one fan) that enters.
  using Role = std::pair<int, int>;  // plan, its node
  Role role(int node) const { return {d_.plan_of[at(node)], d_.plan_node[at(node)]}; }
  bool claim_side(int node, bool right, Role user) {
    return sides_.try_emplace({role(node), right}, user).first->second == user;
  }

  static constexpr Role kLeaving{-1, 0}, kFan{-1, 1};

  void choose_exit(const PictureEdge& edge, Wire& w) {
    if (w.exit_gutter < 0 || d_.tall(edge.from)) return;
    const bool right = gutter_is_right(w.exit_gutter, edge.from), inside = w.exit_gutter % 2 != 0;
    w.side_exit = is_at_rim(edge.from, right, inside) && claim_side(edge.from, right, kLeaving);
  }

  void choose_entry(const PictureEdge& edge, Wire& w) {
    if (w.entry_gutter < 0 || d_.tall(edge.to)) return;
    const bool right = gutter_is_right(w.entry_gutter, edge.to), inside = w.entry_gutter % 2 != 0;
    const bool fan = w.net >= static_cast<int>(d_.picture.nodes.size());
    // an ellipsis stands for the neighbour that has the side in the other cells
    w.side_entry = is_at_rim(edge.to, right, inside) &&
                   (d_.tall(edge.from) || claim_side(edge.to, right, fan ? kFan : role(edge.from)));
  }

  static Leg upright(int gutter = -1) { return {.horizontal = false, .lane = gutter}; }
  static Leg level(int rank) { return {.horizontal = true, .lane = rank, .rank = rank}; }
  static Leg level_with_node(int rank) { return {.horizontal = true, .lane = -1, .rank = rank}; }

  // Out of the box into the channel below it (above it in the gradient), unless a side is free.
  void leave(const PictureEdge& edge, Wire& w) {
    const int row = d_.cell(edge.from)->row, layer = d_.layer(edge.from);
    if (w.side_exit) {
      w.legs.push_back(level_with_node(d_.layer_rank(row, layer)));
    } else {
      w.legs.push_back(upright());
      w.legs.push_back(level(d_.channel(row, d_.adjoint(edge.from) ? layer - 1 : layer)));
    }
  }
  void arrive(const PictureEdge& edge, Wire& w) {
    const int row = d_.cell(edge.to)->row, layer = d_.layer(edge.to);
    if (w.side_entry) {
      w.legs.push_back(level_with_node(d_.layer_rank(row, layer)));
    } else {
      w.legs.push_back(level(d_.channel(row, d_.adjoint(edge.to) ? layer : layer - 1)));
      w.legs.push_back(upright());
    }
  }

  void lay_legs(const PictureEdge& edge, Wire& w) {
    if (w.bus != Wire::Bus::none) return lay_bus_legs(edge, w);
    const bool tall_from = d_.tall(edge.from), tall_to = d_.tall(edge.to);
    // an ellipsis beside its neighbour is met at any height
    const bool level_with_gap = tall_from != tall_to &&
                                d_.cell(edge.from)->row == d_.cell(edge.to)->row &&
                                d_.cell(edge.from)->pattern == d_.cell(edge.to)->pattern;
    if (!tall_from) leave(edge, w);
    if (tall_from && !level_with_gap) w.legs.push_back(level_with_node(own_rank(edge.from)));
    if (!level_with_gap) w.legs.push_back(upright(w.exit_gutter));
    if (tall_to && !level_with_gap) w.legs.push_back(level_with_node(own_rank(edge.to)));
    if (!tall_to) arrive(edge, w);
  }
  int own_rank(int node) const { return d_.layer_rank(d_.cell(node)->row, d_.layer(node)); }

  void lay_bus_legs(const PictureEdge& edge, Wire& w) {
    const int bus = w.bus == Wire::Bus::top ? d_.top_bus(w.bus_row) : d_.bottom_bus(w.bus_row);
    if (w.exit_gutter >= 0) {
      if (d_.tall(edge.from)) {
        w.legs.push_back(level_with_node(own_rank(edge.from)));
      } else {
        leave(edge, w);
      }
      w.legs.push_back(upright(w.exit_gutter));
    } else {
      w.legs.push_back(upright());
    }
    const bool from_band = d_.cell(edge.from) == nullptr;
    if (w.trunk >= 0 && from_band)
      w.legs.insert(w.legs.end(), {level(d_.top_bus(0)), upright(w.trunk)});
    w.legs.push_back(level(bus));
    if (w.trunk >= 0 && !from_band)
      w.legs.insert(w.legs.end(), {upright(w.trunk), level(d_.top_bus(0))});
    if (w.entry_gutter >= 0 && !d_.tall(edge.to)) {
      w.legs.push_back(upright(w.entry_gutter));
      arrive(edge, w);
    } else {
      w.legs.push_back(upright());
    }
  }

  Drawing& d_;
  std::vector<std::vector<Rim>> rims_;  // by plan, by layer of the drawing
  std::map<std::pair<Role, bool>, Role> sides_;
};

}  // namespace

void make_legs(Drawing& d) { Router(d).run(); }

}  // namespace taugrad::draw
