#include "draw/layout/printed_layout.h"

#include <algorithm>
#include <array>

namespace taugrad::draw {
namespace {

constexpr std::size_t kMostNodes = 500, kMostEdges = 900;  // lines are compared pair by pair
constexpr double kFalling = 0.67;  // crossings that a line is worth which does not rise
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

/// At the smallest scale at which all texts are clear, or nothing.
std::optional<Layout> attempted(const Picture& picture, int attempt) {
  for (const double scale : kScales) {
    Layout layout;
    layout.nodes = printed_places(picture, scale, attempt);
    auto routes = printed_routes(picture, layout.nodes);
    if (!routes) continue;
    layout.edges = std::move(*routes);
    const bool clear = place_printed_texts(picture, layout);
    layout.printed = true;
    layout.clusters = columns_of(picture, layout.nodes);
    for (const Box& b : layout.clusters) layout.captions.push_back({b.x, b.top() + 10});
    if (clear) return layout;
  }
  return std::nullopt;
}

/// Of each line whether it belongs to a step and does not rise, as those of books do; of those of
/// the gradient, the mirror image, none.
std::vector<char> falling(const Picture& picture, const Layout& layout) {
  std::vector<char> falls;
  for (const PictureEdge& e : picture.edges) {
    const auto from = static_cast<std::size_t>(e.from), to = static_cast<std::size_t>(e.to);
    const int step = picture.nodes[from].cluster;
    falls.push_back(step >= 0 && !picture.nodes[to].adjoint && step == picture.nodes[to].cluster &&
                    !e.square && layout.nodes[from].y < layout.nodes[to].y + kCircle / 2);
  }
  return falls;
}

}  // namespace

std::optional<Layout> lay_out_printed(const Picture& picture) {
  if (picture.nodes.size() > kMostNodes || picture.edges.size() > kMostEdges) return std::nullopt;
  // a second gradient would be mirrored onto the first
  if (std::ranges::any_of(picture.nodes, [](const PictureNode& n) { return n.order > 1; }))
    return std::nullopt;
  std::optional<Layout> best;
  double least = 0;
  std::vector<char> usual;  // fall where rows tell what reads what: from what is observed
  const std::size_t edges = picture.edges.size();
  const int attempts = edges < 50    ? 14
                       : edges < 80  ? 9
                       : edges < 160 ? 6
                                     : 2;  // arrangements of a step
  for (int attempt = 0; attempt < attempts && (!best || least > 0); ++attempt) {
    std::optional<Layout> layout = attempted(picture, attempt);
    if (!layout) continue;
    const std::vector<char> falls = falling(picture, *layout);
    if (usual.empty()) usual = falls;
    double poor = printed_crossings(layout->edges);
    for (std::size_t e = 0; e < falls.size(); ++e)
      if (falls[e] > usual[e]) poor += kFalling;
    if (best && poor >= least) continue;
    best = std::move(layout);
    least = poor;
  }
  return best;
}

}  // namespace taugrad::draw
