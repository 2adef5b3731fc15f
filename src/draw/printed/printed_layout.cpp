#include "draw/printed/printed_layout.h"

#include <algorithm>
#include <array>

#include "draw/printed/printed_search.h"

namespace taugrad::draw {
namespace {

constexpr std::size_t kMostNodes = 500, kMostEdges = 900;  // lines are compared pair by pair
constexpr std::size_t kMostSettled = 400;                  // edges
// of crossings: that share, and some of few, must go for steps to look unlike each other
constexpr double kIrregular = 0.1, kFewCrossings = 30;
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

/// At the smallest scale at which all texts are clear; nothing where there is none, or where lines
/// cross that often. @param places  by scale
template <class Places>
std::optional<Layout> drawn(const Picture& picture, const Places& places, double most) {
  for (const double scale : kScales) {
    Layout layout;
    layout.nodes = places(scale);
    auto routes = printed_routes(picture, layout.nodes);
    if (!routes) continue;
    if (printed_crossings(*routes) >= most) return std::nullopt;
    layout.edges = std::move(*routes);
    const bool clear = place_printed_texts(picture, layout);
    layout.printed = true;
    layout.clusters = columns_of(picture, layout.nodes);
    for (const Box& b : layout.clusters) layout.captions.push_back({b.x, b.top() + 10});
    if (clear) return layout;
  }
  return std::nullopt;
}

std::vector<Box> scaled(std::vector<Box> boxes, double scale) {
  for (Box& b : boxes) {
    b.x *= scale, b.y *= scale;
    b.height = (b.height - kCircle) * scale + kCircle;
  }
  return boxes;
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

class Printer {
 public:
  explicit Printer(const Picture& picture) : picture_(picture) {}

  std::optional<Layout> run() {
    const std::size_t edges = picture_.edges.size();
    const int attempts = edges < 50 ? 14 : edges < 100 ? 6 : 1;  // arrangements of a step
    for (int attempt = 0; attempt < attempts && unsettled(); ++attempt)
      consider([&](double scale) { return printed_places(picture_, scale, attempt); });
    if (edges > kMostSettled || (!best_ && edges > 4 * picture_.nodes.size()))
      return std::move(best_);  // too dense
    const bool medium = edges >= 100 && edges < 180, plane = is_plane(picture_);
    settle(Freedom::roles, plane && edges >= 100 ? 1 : medium ? 3 : 2);
    settle(Freedom::nodes, edges >= 180 ? 1 : 2);
    return std::move(best_);
  }

 private:
  void settle(Freedom freedom, int seeds) {
    const bool mirrored =
        freedom == Freedom::roles && std::ranges::any_of(picture_.nodes, &PictureNode::adjoint);
    for (int seed = 0; seed < seeds && unsettled(); ++seed) {
      std::vector<Box> boxes = start();
      if (mirrored)  // first what it is the mirror image of
        boxes = settled(picture_, std::move(boxes), freedom, seed, Scope::forward);
      boxes = settled(picture_, std::move(boxes), freedom, seed);
      consider([&](double scale) { return scaled(boxes, scale); },
               freedom == Freedom::nodes && !picture_.clusters.empty() ? kIrregular : 0);
    }
  }
  bool unsettled() const { return !best_ || least_ > 0; }

  std::vector<Box> start() const { return best_ ? best_places_ : printed_places(picture_, 1, 0); }

  template <class Places>
  void consider(const Places& places, double handicap = 0) {
    std::optional<Layout> layout = drawn(picture_, places, best_ ? least_ : 1e9);
    if (!layout) return;
    const std::vector<char> falls = falling(picture_, *layout);
    if (usual_.empty()) usual_ = falls;
    double poor = printed_crossings(layout->edges);
    poor += handicap * (kFewCrossings + poor);
    for (std::size_t e = 0; e < falls.size(); ++e)
      if (falls[e] > usual_[e]) poor += kFalling;
    if (best_ && poor >= least_) return;
    best_ = std::move(layout);
    best_places_ = places(1);
    least_ = poor;
  }

  const Picture& picture_;
  std::optional<Layout> best_;
  std::vector<Box> best_places_;  // at scale 1
  double least_ = 0;
  std::vector<char> usual_;  // fall where rows tell what reads what: from what is observed
};

}  // namespace

std::optional<Layout> lay_out_printed(const Picture& picture) {
  if (picture.nodes.size() > kMostNodes || picture.edges.size() > kMostEdges) return std::nullopt;
  return Printer(picture).run();
}

}  // namespace taugrad::draw
