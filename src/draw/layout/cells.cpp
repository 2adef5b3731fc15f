#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/index.h"
#include "draw/layout/drawing.h"
#include "draw/text/text.h"

namespace taugrad::draw {
namespace {

constexpr double kOperationHeight = 20, kLineHeight = 24, kTwoLineHeight = 36, kPortWidth = 4;

std::uint64_t pair_key(int a, int b) {
  return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(a)) << 32) |
         static_cast<std::uint32_t>(b);
}

class CellPlanner {
 public:
  explicit CellPlanner(Drawing& d) : d_(d) {}

  void run() {
    d_.plans.resize(2 * at(d_.grid.patterns));
    plan_edges_.resize(d_.plans.size());
    map_nodes();
    count_fans();
    d_.wires.resize(d_.picture.edges.size());
    for (std::size_t e = 0; e < d_.wires.size(); ++e) classify(static_cast<int>(e));
  }

 private:
  const PictureNode& node(int n) const { return d_.picture.nodes[at(n)]; }

  // Nodes of one role share a plan node; a second one of that role in a cell gets a plan node of
  // its own.
  void map_nodes() {
    const std::size_t count = d_.picture.nodes.size();
    d_.plan_of.assign(count, -1);
    d_.plan_node.assign(count, -1);
    // by plan and role: its plan nodes; by cell and the first of these: how many the cell has taken
    std::vector<std::unordered_map<std::string, std::vector<int>>> known(d_.plans.size());
    std::unordered_map<std::uint64_t, std::size_t> taken;
    for (std::size_t n = 0; n < count; ++n) {
      const int cell = d_.grid.cell_of[n];
      if (cell == kBand) continue;
      const auto p =
          at(2 * d_.grid.cells[at(cell)].pattern + (d_.picture.nodes[n].adjoint ? 1 : 0));
      Plan& plan = d_.plans[p];
      const PictureNode& picture_node = d_.picture.nodes[n];
      std::vector<int>& alike =
          known[p][picture_node.role.empty() ? picture_node.name + "\n" + picture_node.op
                                             : picture_node.role];
      const auto add = [&] {
        alike.push_back(static_cast<int>(plan.nodes.size()));
        plan.nodes.emplace_back();
      };
      if (alike.empty()) add();
      const std::size_t which = taken[pair_key(2 * cell + static_cast<int>(p % 2), alike[0])]++;
      if (which == alike.size()) add();
      const int found = alike[which];
      d_.plan_of[n] = static_cast<int>(p);
      d_.plan_node[n] = found;
      PlanNode& plan_node = plan.nodes[at(found)];
      plan_node.width = std::max(plan_node.width, d_.boxes[n].width);
      plan_node.height = std::max(plan_node.height, d_.boxes[n].height);
    }
  }

  // Edges between one node and many cells gather on a bus.
  void count_fans() {
    out_.assign(d_.picture.nodes.size(), 0);
    in_.assign(d_.picture.nodes.size(), 0);
    for (const PictureEdge& e : d_.picture.edges) {
      if (d_.grid.cell_of[at(e.from)] == d_.grid.cell_of[at(e.to)]) continue;
      ++out_[at(e.from)];
      ++in_[at(e.to)];
    }
  }

  int plan_edge(int plan, int upper, int lower) {
    const auto [it, fresh] = plan_edges_[at(plan)].try_emplace(
        pair_key(upper, lower), static_cast<int>(d_.plans[at(plan)].edges.size()));
    if (fresh)
      d_.plans[at(plan)].edges.push_back(
          {.upper = upper, .lower = lower, .label = 0, .loop = false, .chain = {}});
    return it->second;
  }

  // One port for each node of the plan and each end outside (a node of the band, a role of another
  // plan).
  int port(int plan, int inner, PlanNode::Kind kind, int outer) {
    const int far = d_.plan_of[at(outer)];
    const PortKey key{plan, inner, static_cast<int>(kind), far,
                      far < 0 ? outer : d_.plan_node[at(outer)]};
    Plan& p = d_.plans[at(plan)];
    const auto [it, fresh] = ports_.try_emplace(key, static_cast<int>(p.nodes.size()));
    if (fresh) p.nodes.push_back({.kind = kind, .width = kPortWidth});
    return it->second;
  }
  void leave_by_port(Wire& w, int from, int to, PlanNode::Kind kind) {
    if (d_.tall(from)) return;
    w.exit_plan = d_.plan_of[at(from)];
    const int p = port(w.exit_plan, d_.plan_node[at(from)], kind, to);
    const bool up = kind == PlanNode::Kind::top_port;
    w.exit_edge =
        plan_edge(w.exit_plan, up ? p : d_.plan_node[at(from)], up ? d_.plan_node[at(from)] : p);
  }
  void enter_by_port(Wire& w, int from, int to) {
    if (d_.tall(to)) return;
    w.entry_plan = d_.plan_of[at(to)];
    const int p = port(w.entry_plan, d_.plan_node[at(to)], PlanNode::Kind::top_port, from);
    w.entry_edge = plan_edge(w.entry_plan, p, d_.plan_node[at(to)]);
  }

  void pull(int n, int direction) {
    if (d_.plan_of[at(n)] >= 0)
      d_.plans[at(d_.plan_of[at(n)])].nodes[at(d_.plan_node[at(n)])].pull += direction;
  }

  void classify(int e) {
    const PictureEdge& edge = d_.picture.edges[at(e)];
    Wire& w = d_.wires[at(e)];
    w.net = edge.from;
    const Cell* from = d_.cell(edge.from);
    const Cell* to = d_.cell(edge.to);
    if (from != nullptr && from == to) {
      inside_cell(w, edge, *from);
    } else {
      w.way = Wire::Way::routed;
      if (from == nullptr || to == nullptr) {
        band_edge(w, edge, from, to);
      } else if (side_by_side(edge, *from, *to)) {
        beside(w, edge, *from, *to);
      } else {
        by_bus(w, edge, *from, *to);
      }
    }
  }

  /// Ways back from one node lie on one line, but for those that other texts tell apart: "Ri z⁻¹"
  /// and "Rf z⁻¹" of a circuit.
  int net_of(const PictureEdge& edge) {
    std::vector<std::string>& texts = texts_[edge.from];
    const auto known = std::ranges::find(texts, edge.label);
    const auto number = static_cast<int>(known - texts.begin());
    if (known == texts.end()) texts.push_back(edge.label);
    return number == 0 ? edge.from
                       : nets_.try_emplace({edge.from, number}, -1 - static_cast<int>(nets_.size()))
                             .first->second;
  }

  void inside_cell(Wire& w, const PictureEdge& edge, const Cell& cell) {
    if (d_.adjoint(edge.from) != d_.adjoint(edge.to)) {
      w.way = Wire::Way::routed;
      w.exit_gutter = w.entry_gutter = Drawing::gutter_inside(cell.column);
      if (edge.kind == EdgeKind::recall) return;
      pull(edge.from, d_.adjoint(edge.from) ? -1 : 1);
      pull(edge.to, d_.adjoint(edge.to) ? -1 : 1);
    } else if (edge.delayed || edge.from == edge.to) {
      loop(w, edge, cell);
    } else {
      w.plan = d_.plan_of[at(edge.from)];
      const int a = d_.plan_node[at(edge.from)], b = d_.plan_node[at(edge.to)];
      w.plan_edge = d_.adjoint(edge.from) ? plan_edge(w.plan, b, a) : plan_edge(w.plan, a, b);
      PlanEdge& shared = d_.plans[at(w.plan)].edges[at(w.plan_edge)];
      shared.label = std::max(shared.label, text_width(edge.label, kSmallSize));
    }
  }

  void loop(Wire& w, const PictureEdge& edge, const Cell& cell) {
    route_around(w, cell);
    w.net = net_of(edge);
    pull(edge.from, 1);
    pull(edge.to, 1);
  }

  void band_edge(Wire& w, const PictureEdge& edge, const Cell* from, const Cell* to) {
    w.bus = Wire::Bus::top;
    if (to != nullptr) {
      enter_by_port(w, edge.from, edge.to);
      w.bus_row = to->row;
      if (to->row > 0) w.trunk = Drawing::gutter_left_of(first_column(to->column));
    } else if (from != nullptr) {
      w.net = static_cast<int>(d_.picture.nodes.size()) + edge.to;
      leave_by_port(w, edge.from, edge.to, PlanNode::Kind::top_port);
      w.bus_row = from->row;
      if (from->row > 0) w.trunk = Drawing::gutter_left_of(first_column(from->column));
    }
  }

  int first_column(int column) const {
    while (column > 0 &&
           d_.grid.block_of_column[at(column - 1)] == d_.grid.block_of_column[at(column)])
      --column;
    return column;
  }

  bool side_by_side(const PictureEdge& edge, const Cell& from, const Cell& to) const {
    if (std::abs(from.column - to.column) > 1) return false;
    if (d_.grid.block_of_column[at(from.column)] == d_.grid.block_of_column[at(to.column)])
      return true;
    const bool fans_out = from.cluster < 0 && out_[at(edge.from)] > 1;
    const bool fans_in = to.cluster < 0 && in_[at(edge.to)] > 1;
    return !fans_out && !fans_in;
  }

  void beside(Wire& w, const PictureEdge& edge, const Cell& from, const Cell& to) {
    const bool right = to.column > from.column;
    w.exit_gutter = w.entry_gutter =
        right ? Drawing::gutter_right_of(from.column) : Drawing::gutter_left_of(from.column);
    if (edge.kind == EdgeKind::recall) return;
    pull(edge.from, right ? 1 : -1);
    pull(edge.to, right ? -1 : 1);
  }

  void by_bus(Wire& w, const PictureEdge& edge, const Cell& from, const Cell& to) {
    const bool right = to.column > from.column;
    if (from.cluster >= 0 && to.cluster < 0) {  // gathered outside the steps
      const bool up = d_.adjoint(edge.from);
      w.net = static_cast<int>(d_.picture.nodes.size()) + edge.to;
      w.bus = up ? Wire::Bus::top : Wire::Bus::bottom;
      w.bus_row = from.row;
      leave_by_port(w, edge.from, edge.to,
                    up ? PlanNode::Kind::top_port : PlanNode::Kind::bottom_port);
      w.entry_gutter =
          right ? Drawing::gutter_left_of(to.column) : Drawing::gutter_right_of(to.column);
      pull(edge.to, right ? -1 : 1);
      return;
    }
    w.exit_gutter =
        right ? Drawing::gutter_right_of(from.column) : Drawing::gutter_left_of(from.column);
    pull(edge.from, right ? 1 : -1);
    w.bus = Wire::Bus::top;
    w.bus_row = to.row;
    if (to.cluster >= 0) {
      enter_by_port(w, edge.from, edge.to);
    } else {
      w.entry_gutter =
          right ? Drawing::gutter_left_of(to.column) : Drawing::gutter_right_of(to.column);
    }
  }

  Drawing& d_;
  std::vector<std::unordered_map<std::uint64_t, int>>
      plan_edges_;                     // by plan: (upper, lower) -> edge
  using PortKey = std::array<int, 5>;  // plan, node, side; plan and node of the other end
  std::map<PortKey, int> ports_;
  std::vector<int> out_, in_;                                // edges to and from other cells
  std::unordered_map<int, std::vector<std::string>> texts_;  // by node: of ways back from it
  std::map<std::pair<int, int>, int> nets_;                  // by node and text but the first
};

}  // namespace

void size_nodes(Drawing& d) {
  d.boxes.resize(d.picture.nodes.size());
  for (std::size_t n = 0; n < d.boxes.size(); ++n) {
    const PictureNode& node = d.picture.nodes[n];
    Box& box = d.boxes[n];
    if (node.kind == NodeKind::ellipsis) {
      box.width = std::max(40.0, text_width(node.name, kSmallSize) + 16);
      box.height = kOperationHeight;
    } else if (node.name.empty()) {
      box.width = std::max(26.0, text_width(node.op, kSmallSize + 1) + 12);
      box.height = kOperationHeight;
    } else {
      const std::string second = second_line(node, true);
      box.width = std::max(
          {30.0, text_width(node.name, kNameSize) + 14, text_width(second, kSmallSize) + 14});
      box.height = second.empty() ? kLineHeight : kTwoLineHeight;
    }
  }
}

void route_around(Wire& w, const Cell& cell) {
  w.way = Wire::Way::routed;
  w.plan = w.plan_edge = -1;
  w.exit_gutter = w.entry_gutter = Drawing::gutter_right_of(cell.column);
}

void plan_cells(Drawing& d) {
  CellPlanner(d).run();
  layer_plans(d);
  for (Plan& p : d.plans) {
    order_layers(p);
    place_layers(p);
  }
}

}  // namespace taugrad::draw
