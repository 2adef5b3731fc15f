#include <algorithm>
#include <limits>
#include <map>
#include <vector>

#include "draw/layout/geometry.h"
#include "draw/layout/tracks.h"

namespace taugrad::draw {
namespace {

constexpr double kBandGap = 22;

std::size_t at(int i) { return static_cast<std::size_t>(i); }

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

}  // namespace

void place_band(Drawing& d, const Geometry& g) {
  const std::vector<Item> items = items_of_band(d, g);
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
