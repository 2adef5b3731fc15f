#include "draw/layout/printed_layout.h"

#include <algorithm>
#include <array>

namespace taugrad::draw {
namespace {

constexpr std::size_t kMostNodes = 500, kMostEdges = 900;  // lines are compared pair by pair
constexpr std::array<double, 6> kScales{1, 1.25, 1.6, 2, 2.6, 3.4};  // until all texts are clear

// for pages that go from step to step
std::vector<Box> columns_of(const Picture& p, const std::vector<Box>& nodes) {
  std::vector<Box> boxes(p.clusters.size());
  std::vector<std::array<double, 4>> sides(boxes.size(), {1e18, 1e18, -1e18, -1e18});
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    if (p.nodes[n].cluster < 0) continue;
    auto& s = sides[static_cast<std::size_t>(p.nodes[n].cluster)];
    s = {std::min(s[0], nodes[n].left()), std::min(s[1], nodes[n].top()),
         std::max(s[2], nodes[n].right()), std::max(s[3], nodes[n].bottom())};
  }
  for (std::size_t c = 0; c < boxes.size(); ++c)
    if (sides[c][2] > sides[c][0])
      boxes[c] = {(sides[c][0] + sides[c][2]) / 2, (sides[c][1] + sides[c][3]) / 2,
                  sides[c][2] - sides[c][0] + 12, sides[c][3] - sides[c][1] + 12};
  return boxes;
}

}  // namespace

std::optional<Layout> lay_out_printed(const Picture& picture) {
  if (picture.nodes.size() > kMostNodes || picture.edges.size() > kMostEdges) return std::nullopt;
  for (const double scale : kScales) {
    Layout layout;
    layout.nodes = printed_places(picture, scale);
    auto routes = printed_routes(picture, layout.nodes);
    if (!routes) continue;
    layout.edges = std::move(*routes);
    const bool clear = place_printed_texts(picture, layout);
    layout.printed = true;
    layout.clusters = columns_of(picture, layout.nodes);
    if (clear) return layout;
  }
  return std::nullopt;
}

}  // namespace taugrad::draw
