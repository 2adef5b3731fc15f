#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "base/index.h"
#include "draw/layout/geometry.h"
#include "draw/layout/tracks.h"

namespace taugrad::draw {
namespace {

constexpr double kBandGap = 22;
constexpr double kLeastBand = 240;  // width that rows of weights may have over anything

struct Uses {
  double low = std::numeric_limits<double>::max(), high = std::numeric_limits<double>::lowest();
  void cover(double x) {
    low = std::min(low, x);
    high = std::max(high, x);
  }
};

// The weight itself, or the one that a node of the band is the gradient of.
int weight_of(const Drawing& d, int n) {
  const int beside = d.picture.nodes[at(n)].beside;
  return beside >= 0 ? beside : n;
}

std::map<int, Uses> find_uses(const Drawing& d, const Geometry& g) {
  std::map<int, Uses> uses;  // by weight
  for (std::size_t e = 0; e < d.wires.size(); ++e) {
    const PictureEdge& edge = d.picture.edges[e];
    const Wire& w = d.wires[e];
    if (d.cell(edge.from) == nullptr && w.entry_edge >= 0) {
      uses[weight_of(d, edge.from)].cover(port_x(d, g, edge.to, w.entry_plan, w.entry_edge));
    }
    if (d.cell(edge.to) == nullptr && w.exit_edge >= 0) {
      uses[weight_of(d, edge.to)].cover(port_x(d, g, edge.from, w.exit_plan, w.exit_edge));
    }
  }
  return uses;
}

struct Item {
  double wish;
  int weight, node;
};

std::vector<Item> items_of_band(const Drawing& d, const Geometry& g) {
  std::map<int, Uses> uses = find_uses(d, g);
  double middle = 0;
  if (!g.cell_left.empty()) {
    middle = (*std::min_element(g.cell_left.begin(), g.cell_left.end()) +
              *std::max_element(g.cell_right.begin(), g.cell_right.end())) /
             2;
  }
  std::vector<Item> items;
  for (std::size_t n = 0; n < d.boxes.size(); ++n) {
    if (d.grid.cell_of[n] != kBand) continue;
    const int weight = weight_of(d, static_cast<int>(n));
    const Uses& u = uses[weight];
    items.push_back({u.high < u.low ? middle : (u.low + u.high) / 2, weight, static_cast<int>(n)});
  }
  std::stable_sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
    return a.wish != b.wish ? a.wish < b.wish : a.weight < b.weight;
  });
  return items;
}

/// Rows from left to right, each in the middle, none wider than `room` but for one of one item.
void place_rows(const std::vector<Item>& items, double middle, double room, Drawing& d,
                Geometry& g) {
  const auto width = [&](std::size_t i) { return d.boxes[at(items[i].node)].width; };
  g.band_row.assign(d.boxes.size(), 0);
  g.band_rows = 0;
  for (std::size_t begin = 0, end = 0; begin < items.size(); begin = end, ++g.band_rows) {
    double row = -kBandGap;
    for (; end < items.size() && (end == begin || row + kBandGap + width(end) <= room); ++end)
      row += kBandGap + width(end);
    double x = middle - row / 2;
    for (std::size_t i = begin; i < end; ++i) {
      d.boxes[at(items[i].node)].x = x + width(i) / 2;
      g.band_row[at(items[i].node)] = g.band_rows;
      x += width(i) + kBandGap;
    }
  }
}

/// As narrow as keeps the number of rows that `room` needs, for rows to be alike.
double even_room(const std::vector<double>& widths, double room) {
  double whole = -kBandGap, widest = 0;
  for (const double w : widths) whole += kBandGap + w, widest = std::max(widest, w);
  const double rows = std::ceil(whole / std::max(room, widest));
  return std::max(widest, whole / rows + widest);
}

bool is_joined(const Drawing& d, const std::vector<Item>& items) {
  std::vector<char> joined(d.boxes.size(), 0);
  for (const PictureEdge& e : d.picture.edges) joined[at(e.from)] = joined[at(e.to)] = 1;
  return std::ranges::any_of(items, [&](const Item& i) { return joined[at(i.node)] != 0; });
}

}  // namespace

void place_band(Drawing& d, Geometry& g) {
  const std::vector<Item> items = items_of_band(d, g);
  if (!items.empty() && !g.cell_left.empty() && !is_joined(d, items)) {
    const double left = std::ranges::min(g.cell_left), right = std::ranges::max(g.cell_right);
    std::vector<double> widths;
    for (const Item& i : items) widths.push_back(d.boxes[at(i.node)].width);
    const double room = std::max(right - left, kLeastBand);
    return place_rows(items, (left + right) / 2, std::min(room, even_room(widths, room)), d, g);
  }
  std::vector<double> wishes, weights(items.size(), 1), separations(items.size(), 0);
  for (std::size_t i = 0; i < items.size(); ++i) {
    wishes.push_back(items[i].wish);
    if (i == 0) continue;
    separations[i] =
        (d.boxes[at(items[i - 1].node)].width + d.boxes[at(items[i].node)].width) / 2 + kBandGap;
  }
  const std::vector<double> x = spread(wishes, weights, separations);
  for (std::size_t i = 0; i < items.size(); ++i) d.boxes[at(items[i].node)].x = x[i];
}

}  // namespace taugrad::draw
