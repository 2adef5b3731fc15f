#pragma once

#include <vector>

#include "draw/layout/grid.h"
#include "draw/layout/layout.h"
#include "draw/layout/plan.h"

namespace taugrad::draw {

/// A straight piece of a routed edge. Legs alternate between horizontal and vertical.
struct Leg {
  bool horizontal = false;
  int lane = -1;  ///< horizontal: its rank (a channel or bus of a row); vertical: its gutter; -1:
                  ///< at a node or port
  int rank = 0;   ///< horizontal: order among all ranks from the top; of a node's own layer where
                  ///< lane is -1
  int track = 0;  ///< parallel lines of one lane
  double at = 0;  ///< x of a vertical, y of a horizontal leg, once known
};

/// How one edge runs: through the layers of its cell (`chain`), or around (`legs`), entering or
/// leaving cells through a port and its chain.
struct Wire {
  enum class Way { inner, routed };
  enum class Bus { none, top, bottom };  ///< above or below a row of cells
  Way way = Way::inner;
  int plan = -1, plan_edge = -1;               ///< inner
  int exit_plan = -1, exit_edge = -1;          ///< chain from the node to a port
  int entry_plan = -1, entry_edge = -1;        ///< chain from a port to the node
  bool side_exit = false, side_entry = false;  ///< through the left or right side of the box
  int exit_gutter = -1, entry_gutter = -1;
  Bus bus = Bus::none;
  int bus_row = 0;
  int trunk = -1;    ///< gutter between the band's bus and the bus of a lower row
  int net = 0;       ///< edges of one net may lie on one line
  double shift = 0;  ///< of the head from the middle of its node
  std::vector<Leg> legs;
};

/// Everything the stages of the layout share.
struct Drawing {
  const Picture& picture;
  Grid grid;
  std::vector<Plan> plans;     ///< [2 * pattern + (adjoint ? 1 : 0)]
  std::vector<int> plan_of;    ///< by node; -1 in the band
  std::vector<int> plan_node;  ///< by node
  std::vector<Box> boxes;      ///< by node
  std::vector<Wire> wires;     ///< by edge
  int layers = 0;              ///< of the tallest plan

  // ranks of one row of cells, from the top: bus, channel 0, layer 1, channel 1, ..., layer n,
  // channel n, bus
  int ranks_per_row() const { return 2 * layers + 4; }
  int top_bus(int row) const { return row * ranks_per_row(); }
  int channel(int row, int below_layer) const {
    return row * ranks_per_row() + 1 + 2 * below_layer;
  }
  int layer_rank(int row, int layer) const { return row * ranks_per_row() + 2 * layer; }
  int bottom_bus(int row) const { return row * ranks_per_row() + 2 * layers + 2; }

  // gutters: 2c left of column c, 2c+1 between the forward nodes and the gradient of column c
  static int gutter_left_of(int column) { return 2 * column; }
  static int gutter_right_of(int column) { return 2 * column + 2; }
  static int gutter_inside(int column) { return 2 * column + 1; }

  const Cell* cell(int node) const {
    const int c = grid.cell_of[static_cast<std::size_t>(node)];
    return c == kBand ? nullptr : &grid.cells[static_cast<std::size_t>(c)];
  }
  bool adjoint(int node) const { return picture.nodes[static_cast<std::size_t>(node)].adjoint; }
  bool tall(int node) const {  ///< an ellipsis: as high as its cell
    return picture.nodes[static_cast<std::size_t>(node)].kind == NodeKind::ellipsis;
  }
  int layer(int node) const {  ///< of the whole drawing
    const Plan& p = plans[static_cast<std::size_t>(plan_of[static_cast<std::size_t>(node)])];
    return p.nodes[static_cast<std::size_t>(plan_node[static_cast<std::size_t>(node)])].layer +
           p.offset;
  }
};

/// Box sizes from the texts.
void size_nodes(Drawing& d);
/// Which way every edge goes; plans with their nodes, edges and ports; their layers, orders and x.
void plan_cells(Drawing& d);
/// Layers of every plan, and of the plans to each other; edges against the layers become loops.
void layer_plans(Drawing& d);
/// Makes an edge inside a cell run around its right side.
void route_around(Wire& w, const Cell& cell);
/// Legs of the routed wires.
void make_legs(Drawing& d);

}  // namespace taugrad::draw
