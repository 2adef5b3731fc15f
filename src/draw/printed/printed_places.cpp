// Where the circles of printed pictures stand.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string>

#include "base/index.h"
#include "draw/layout/grid.h"
#include "draw/printed/printed_cell.h"
#include "draw/printed/printed_layout.h"
#include "draw/text/math_text.h"
#include "draw/text/text.h"

namespace taugrad::draw {
namespace {

constexpr double kColumnGap = 62;

/// Whether a node is placed by what it stands for.
bool stands_apart(const PictureNode& n) { return n.kind == NodeKind::ellipsis || n.adjoint; }

int cell_of(const Picture& p, const Grid& grid, int n) {
  const bool inside = p.nodes[at(n)].cluster >= 0 || p.clusters.empty();
  return inside ? grid.cell_of[at(n)] : -1;
}

bool is_plane_node(const Picture& p, int n) {
  const int cluster = p.nodes[at(n)].cluster;
  return cluster >= 0 && p.clusters[at(cluster)].position.size() > 1;
}

/// Forward nodes, by the pattern of their cell.
using Members = std::vector<std::vector<int>>;
Members members_of(const Picture& p, const Grid& grid) {
  Members members(at(grid.patterns));
  for (int n = 0; n < static_cast<int>(p.nodes.size()); ++n)
    if (const int cell = cell_of(p, grid, n); cell >= 0 && !stands_apart(p.nodes[at(n)]))
      members[at(grid.cells[at(cell)].pattern)].push_back(n);
  return members;
}

class Places {
 public:
  Places(const Picture& p, const std::vector<PrintedCell>& cells, double scale)
      : p_(p),
        cells_(cells),
        scale_(scale),
        grid_(make_grid(p)),
        into_(p.nodes.size()),
        users_(p.nodes.size()) {
    for (std::size_t e = 0; e < p.edges.size(); ++e) {
      into_[at(p.edges[e].to)].push_back(static_cast<int>(e));
      users_[at(p.edges[e].from)].push_back(static_cast<int>(e));
    }
  }

  std::vector<Box> run() {
    boxes_.resize(p_.nodes.size());
    row_.assign(p_.nodes.size(), 0);
    placed_.assign(p_.nodes.size(), 0);
    for (std::size_t n = 0; n < p_.nodes.size(); ++n) size(static_cast<int>(n));
    place_cells();
    place_outside();
    int orders = 0;
    for (const PictureNode& n : p_.nodes) orders = std::max(orders, n.order);
    for (int order = 1; order <= orders; ++order) mirror(order);
    for (std::size_t n = 0; n < p_.nodes.size(); ++n)
      if (p_.nodes[n].kind == NodeKind::ellipsis) stretch(static_cast<int>(n));
    return std::move(boxes_);
  }

 private:
  const PictureNode& node(int n) const { return p_.nodes[at(n)]; }
  bool apart(int n) const { return stands_apart(node(n)); }

  void size(int n) {
    boxes_[at(n)].height = kCircle;
    boxes_[at(n)].width = printed_node_width(node(n));
  }

  /// The cells of one pattern share their arrangement.
  void place_cells() {
    set_columns();
    const Members members = members_of(p_, grid_);
    for (std::size_t k = 0; k < members.size(); ++k)
      for (const int n : members[k]) {
        const Cell& cell = grid_.cells[at(cell_of(n))];
        const PrintedCell::Place& place = cells_[k].places.at(role_in_cell(p_, n));
        boxes_[at(n)].x = column_x_[at(cell.column)] + place.slot * kSlotPitch * scale_;
        row_[at(n)] = place.row - cell.row * (cells_[k].rows + (is_plane_node(p_, n) ? 0.6 : 1.0));
        settle(n);
      }
  }

  int cell_of(int n) const { return draw::cell_of(p_, grid_, n); }
  void settle(int n) {
    boxes_[at(n)].y = -row_[at(n)] * kRowPitch * scale_;
    placed_[at(n)] = 1;
  }

  // a column is as wide as the widest cell in it; one without cells is there for what stands
  // between two blocks
  void set_columns() {
    std::vector<double> left(at(grid_.columns), 0), right(at(grid_.columns), 0);
    std::vector<char> used(at(grid_.columns), 0);
    for (std::size_t n = 0; n < p_.nodes.size(); ++n) {
      const int number = static_cast<int>(n);
      const int c = grid_.cell_of[n];
      if (c < 0 || (cell_of(number) < 0 && !is_between(number))) continue;
      const Cell& cell = grid_.cells[at(c)];
      double slot = 0;
      if (!apart(number) && cell_of(number) >= 0)
        slot = cells_[at(cell.pattern)].places.at(role_in_cell(p_, number)).slot;
      const double half = boxes_[n].width / 2, x = slot * kSlotPitch * scale_;
      left[at(cell.column)] = std::max(left[at(cell.column)], half - x);
      right[at(cell.column)] = std::max(right[at(cell.column)], half + x);
      used[at(cell.column)] = 1;
    }
    column_x_.assign(at(grid_.columns), 0);
    double x = 0;
    for (std::size_t c = 0; c < used.size(); ++c) {
      column_x_[c] = x + left[c];
      if (used[c]) x += left[c] + right[c] + kColumnGap * scale_;
    }
  }

  // outside all steps, but with some before and some after it
  bool is_between(int n) const {
    const auto inside = [&](int m) { return node(m).cluster >= 0; };
    const bool reads =
        std::ranges::any_of(into_[at(n)], [&](int e) { return inside(p_.edges[at(e)].from); });
    const bool read =
        std::ranges::any_of(users_[at(n)], [&](int e) { return inside(p_.edges[at(e)].to); });
    return reads && read;
  }

  /// What belongs to no step: below what reads it, above what it reads.
  void place_outside() {
    if (p_.clusters.empty()) return;
    for (bool moved = true; moved;) {  // inputs first
      moved = false;
      for (std::size_t i = 0; i < p_.nodes.size(); ++i) {
        const int n = static_cast<int>(i);
        if (placed_[i] || apart(n) || into_[i].empty() || !ready(n)) continue;
        stand(n, into_[i], 1);
        moved = true;
      }
    }
    for (std::size_t i = p_.nodes.size(); i-- > 0;)
      if (const int n = static_cast<int>(i); !placed_[i] && !apart(n)) stand(n, users_[i], -1);
  }
  bool ready(int n) const {
    return std::ranges::any_of(into_[at(n)],
                               [&](int e) { return placed_[at(p_.edges[at(e)].from)]; }) &&
           std::ranges::all_of(into_[at(n)], [&](int e) {
             const int from = p_.edges[at(e)].from;
             return placed_[at(from)] || into_[at(from)].empty() || apart(from);
           });
  }

  void stand(int n, const std::vector<int>& edges, int side) {
    std::set<int> columns;
    double x = 0, rows = 0, extreme = side * -1e9;
    int count = 0;
    for (const int e : edges) {
      const int other = side > 0 ? p_.edges[at(e)].from : p_.edges[at(e)].to;
      if (!placed_[at(other)]) continue;
      x += boxes_[at(other)].x;
      rows += row_[at(other)];
      extreme = side > 0 ? std::max(extreme, row_[at(other)]) : std::min(extreme, row_[at(other)]);
      columns.insert(static_cast<int>(std::lround(boxes_[at(other)].x)));
      ++count;
    }
    const bool term = std::ranges::all_of(
        edges, [&](int e) { return node(p_.edges[at(e)].to).kind == NodeKind::loss; });
    if (count == 0) {
      row_[at(n)] = lowest() - 1;
    } else if (is_between(n)) {
      boxes_[at(n)].x = column_x_[at(grid_.cells[at(grid_.cell_of[at(n)])].column)];
      row_[at(n)] = rows / count;
      return settle(n);
    } else {
      boxes_[at(n)].x = x / count;
      if (side < 0 && term) side = 1;  // what is observed stands above its loss
      row_[at(n)] = columns.size() == 1 ? extreme + side : side > 0 ? highest() + 1 : lowest() - 1;
    }
    while (taken(n)) boxes_[at(n)].x += kSlotPitch * scale_;
    settle(n);
  }
  bool taken(int n) const {
    for (std::size_t m = 0; m < boxes_.size(); ++m)
      if (placed_[m] && std::abs(row_[m] - row_[at(n)]) < 0.9 &&
          std::abs(boxes_[m].x - boxes_[at(n)].x) < (boxes_[m].width + boxes_[at(n)].width) / 2 + 8)
        return true;
    return false;
  }
  double highest() const {
    double row = 0;
    for (std::size_t n = 0; n < row_.size(); ++n)
      if (placed_[n]) row = std::max(row, row_[n]);
    return row;
  }
  double lowest() const {
    double row = 0;
    for (std::size_t n = 0; n < row_.size(); ++n)
      if (placed_[n]) row = std::min(row, row_[n]);
    return row;
  }

  /// The gradient is the mirror image of the graph, the axis through its losses; a second one of
  /// both, over them.
  void mirror(int order) {
    bool any = false, on_axis = false;
    const double top = highest();
    for (const PictureNode& n : p_.nodes) {
      if (n.order != order || n.beside < 0) continue;
      any = true;
      on_axis = on_axis || row_[at(n.beside)] > top - 0.5;
    }
    if (!any) return;
    const double axis = top + (on_axis ? 0.75 : 0);
    for (std::size_t i = 0; i < p_.nodes.size(); ++i) {
      const PictureNode& n = p_.nodes[i];
      if (n.order != order || n.beside < 0) continue;
      boxes_[i].x = boxes_[at(n.beside)].x;
      row_[i] = 2 * axis - row_[at(n.beside)];
      settle(static_cast<int>(i));
    }
  }

  // an ellipsis is as high as the rows beside it
  void stretch(int n) {
    const double top = -highest() * kRowPitch * scale_, bottom = -lowest() * kRowPitch * scale_;
    Box& box = boxes_[at(n)];
    box = {column_x_[at(grid_.cells[at(grid_.cell_of[at(n)])].column)], (top + bottom) / 2, kCircle,
           bottom - top + kCircle};
  }

  const Picture& p_;
  const std::vector<PrintedCell>& cells_;
  const double scale_;
  const Grid grid_;
  std::vector<std::vector<int>> into_, users_;  // by node: edges
  std::vector<Box> boxes_;
  std::vector<double> row_, column_x_;
  std::vector<char> placed_;
};

}  // namespace

double printed_node_width(const PictureNode& node) {
  const double width = math_width(math_of(node.name.empty() ? node.op : node.name), kPrintedSize);
  return width + 8 <= kCircle ? kCircle : std::max(kCircle, width + 18);
}

std::vector<PrintedCell> printed_cells(const Picture& picture, int attempt) {
  std::vector<PrintedCell> cells;
  for (const std::vector<int>& nodes : members_of(picture, make_grid(picture)))
    cells.push_back(nodes.empty()
                        ? PrintedCell{}
                        : arrange_cell(picture, nodes, is_plane_node(picture, nodes[0]), attempt));
  return cells;
}

std::vector<Box> printed_places(const Picture& picture, const std::vector<PrintedCell>& cells,
                                double scale) {
  return Places(picture, cells, scale).run();
}

}  // namespace taugrad::draw
