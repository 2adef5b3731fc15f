#pragma once

#include <vector>

namespace taugrad::draw {

/// A node of the placement that all cells of one pattern share; or a bend of a long edge, or a port
/// on the rim.
struct PlanNode {
  enum class Kind { real, bend, top_port, bottom_port };
  Kind kind = Kind::real;
  double width = 0, height = 0;
  int layer = 0;    ///< 1.. for real nodes; 0 and `layers + 1` for ports
  int pull = 0;     ///< > 0: edges leave sideways to the right, < 0: to the left
  double x = 0;     ///< centre, from the left rim of the plan
  double text = 0;  ///< width of the widest label of edges from the layer above: kept free
  bool is_real() const { return kind == Kind::real; }
};

struct PlanEdge {
  int upper = 0, lower = 0;
  double label = 0;   ///< width of its widest label; 0: none
  bool loop = false;  ///< does not go down: routed around, not through the layers
  std::vector<int>
      chain;  ///< upper, bends, lower; two nodes far apart where bends would be too many
};

/// Layered placement of one cell pattern (Sugiyama's method): layers by longest path, few crossings
/// by barycentres, x by least squares with the order kept.
struct Plan {
  std::vector<PlanNode> nodes;
  std::vector<PlanEdge> edges;
  std::vector<std::vector<int>> rows;  ///< by layer, 0..layers+1: nodes from left to right
  int layers = 0;
  int offset = 0;  ///< added to a layer to give the layer of the whole drawing
  double width = 0;
};

/// Sets layers and PlanEdge::loop. `fixed`: layers are given, only loops are found. `rise`: as low
/// as possible instead of as high.
void assign_layers(Plan& plan, bool fixed, bool rise);
/// Adds bends and sets rows: the order inside every layer.
void order_layers(Plan& plan);
/// Sets x and width.
void place_layers(Plan& plan);

}  // namespace taugrad::draw
