#include "draw/layout/layout.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "base/index.h"
#include "base/system/memory_limit.h"
#include "draw/layout/drawing.h"
#include "draw/layout/geometry.h"
#include "draw/printed/printed_layout.h"
#include "draw/text/text.h"

namespace taugrad::draw {
namespace {

constexpr double kMargin = 12, kNoteHeight = 14;

std::vector<Box> cluster_boxes(const Drawing& d, const Geometry& g) {
  std::vector<Box> boxes(d.picture.clusters.size());
  for (std::size_t c = 0; c < d.grid.cells.size(); ++c) {
    const Cell& cell = d.grid.cells[c];
    if (cell.cluster < 0) continue;
    const Plan& forward = d.plans[2 * at(cell.pattern)];
    const Plan& gradient = d.plans[2 * at(cell.pattern) + 1];
    const int last =
        std::max({1, forward.layers + forward.offset, gradient.layers + gradient.offset});
    const double top = g.channel_bottom[at(d.top_bus(cell.row))];
    const double bottom = g.channel_bottom[at(d.channel(cell.row, last))];
    boxes[at(cell.cluster)] = {(g.cell_left[c] + g.cell_right[c]) / 2, (top + bottom) / 2,
                               g.cell_right[c] - g.cell_left[c], bottom - top};
  }
  return boxes;
}

double label_width(const PictureEdge& edge, bool printed) {
  if (printed) return printed_width(edge);
  return edge.label.empty() ? 0 : text_width(edge.label, kSmallSize) + 3;
}

// Moves everything so that it lies inside [0,width] x [0,height].
void frame(const Picture& picture, Layout& layout) {
  double left = std::numeric_limits<double>::max(), top = left, right = -left, bottom = -left;
  const auto cover = [&](double x0, double y0, double x1, double y1) {
    left = std::min(left, x0), top = std::min(top, y0), right = std::max(right, x1),
    bottom = std::max(bottom, y1);
  };
  for (const auto* boxes : {&layout.nodes, &layout.clusters}) {
    for (const Box& b : *boxes) cover(b.left(), b.top(), b.right(), b.bottom());
  }
  const auto cover_all = [&](const std::vector<Point>& points) {
    for (const Point& q : points) cover(q.x, q.y, q.x, q.y);
  };
  for (const Path& p : layout.edges)
    if (layout.printed)  // an arc's own points reach far beyond it
      cover_all(sampled(p));
    else
      cover_all(p.points);
  for (std::size_t e = 0; e < layout.edges.size(); ++e)
    if (const double w = label_width(picture.edges[e], layout.printed); w > 0) {
      const Point p = layout.edges[e].label;
      cover(p.x - w / 2, p.y - kLabelHeight / 2, p.x + w / 2, p.y + kLabelHeight / 2);
    }
  for (std::size_t n = 0; n < layout.sides.size(); ++n)
    if (const double w = side_width(picture.nodes[n]); w > 0)
      cover(layout.sides[n].x - w / 2, layout.sides[n].y, layout.sides[n].x + w / 2,
            layout.sides[n].y);
  if (right < left) left = top = right = bottom = 0;
  const double dx = kMargin - left, dy = kMargin - top;
  for (auto* boxes : {&layout.nodes, &layout.clusters}) {
    for (Box& b : *boxes) b.x += dx, b.y += dy;
  }
  for (Path& p : layout.edges) {
    for (Point& q : p.points) q.x += dx, q.y += dy;
    p.label.x += dx, p.label.y += dy;
    p.square.x += dx, p.square.y += dy;
  }
  for (auto* points : {&layout.sides, &layout.captions}) {
    for (Point& q : *points) q.x += dx, q.y += dy;
  }
  layout.width = right - left + 2 * kMargin;
  layout.height = bottom - top + 2 * kMargin;
}

// What is left out is said below the drawing, a line each.
void add_notes(const Picture& picture, Layout& layout) {
  for (const std::string& note : picture.notes) {
    layout.notes.push_back({kMargin, layout.height + kNoteHeight / 2 - kMargin / 2});
    layout.width = std::max(layout.width, text_width(note, kSmallSize) + 2 * kMargin);
    layout.height += kNoteHeight;
  }
}

// Coordinates of all but the frame. @param cramped  what needs more room
// @returns what would
Cramped place(Drawing& d, Cramped cramped, Layout& layout) {
  Geometry g{.cramped = std::move(cramped)};
  set_columns(d, g);
  set_rows(d, g);
  layout.edges.clear();
  layout.edges.reserve(d.wires.size());
  for (std::size_t e = 0; e < d.wires.size(); ++e)
    layout.edges.push_back(draw_path(d, g, static_cast<int>(e)));
  layout.clusters = cluster_boxes(d, g);
  return place_labels(d, layout);
}

}  // namespace

void require_room(std::size_t nodes, std::size_t edges, bool laid_out) {
  // bytes, of a picture alone and with its layout and text, the largest seen
  const double node = laid_out ? 500 : 400, edge = laid_out ? 1700 : 150;
  require_memory("drawing",
                 {{fmt::format("a picture of {} nodes", nodes), static_cast<double>(nodes) * node},
                  {fmt::format("its {} edges", edges), static_cast<double>(edges) * edge}});
}

Layout lay_out(const Picture& picture) {
  require_room(picture.nodes.size(), picture.edges.size(), true);
  if (picture.printed) {
    if (auto layout = lay_out_printed(picture)) {
      frame(picture, *layout);
      add_notes(picture, *layout);
      return std::move(*layout);
    }
  }
  Drawing d{.picture = picture,
            .grid = make_grid(picture),
            .plans = {},
            .plan_of = {},
            .plan_node = {},
            .boxes = {},
            .wires = {}};
  size_nodes(d);
  plan_cells(d);
  make_legs(d);
  Layout layout;
  if (Cramped cramped = place(d, {}, layout); cramped.any()) {
    size_nodes(d);  // without the heights of before
    place(d, std::move(cramped), layout);
  }
  layout.nodes = std::move(d.boxes);
  frame(picture, layout);
  add_notes(picture, layout);
  return layout;
}

}  // namespace taugrad::draw
