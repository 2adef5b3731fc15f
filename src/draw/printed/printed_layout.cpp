#include "draw/printed/printed_layout.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <set>
#include <tuple>

#include "draw/printed/poverty.h"
#include "draw/printed/squeeze.h"
#include "draw/search/polish.h"
#include "draw/search/printed_search.h"
#include "draw/text/path_text.h"

namespace taugrad::draw {
namespace {

constexpr std::size_t kMostNodes = 500, kMostEdges = 900;  // lines are compared pair by pair
constexpr std::size_t kMostSettled = 400;                  // edges
// of crossings: that share, and some of few, must go for steps to look unlike each other; of very
// few, about one for each circle
constexpr double kIrregular = 0.1, kFewCrossings = 30, kVeryFew = 2, kAlone = 0.9;
constexpr std::size_t kMany = 100;  // edges: of single nodes, few searches in vain
constexpr int kMostInVain = 2;
constexpr double kDisordered = 0.4;     // that share, where steps beside a plane lose their order
constexpr double kLeastSpace = 2;       // between two circles
constexpr int kPolishWork = 1'000'000;  // pairs of lines
constexpr int kLeastPolished = 60;      // places that are worth trying
constexpr std::array<double, 6> kScales{1, 1.25, 1.6, 2, 2.6, 3.4};  // until all texts are clear

// for pages that go from step to step
std::vector<Box> columns_of(const Picture& p, const std::vector<Box>& nodes) {
  std::vector<Box> boxes(p.clusters.size());
  if (nodes.empty()) return boxes;
  std::vector<std::array<double, 4>> sides(boxes.size(), {1e18, 1e18, -1e18, -1e18});
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    if (p.nodes[n].cluster < 0) continue;
    auto& s = sides[static_cast<std::size_t>(p.nodes[n].cluster)];
    s = {std::min(s[0], nodes[n].left()), std::min(s[1], nodes[n].top()),
         std::max(s[2], nodes[n].right()), std::max(s[3], nodes[n].bottom())};
  }
  for (std::size_t c = 0; c < boxes.size(); ++c)
    if (sides[c][2] <= sides[c][0])  // of a boundary that is not drawn: somewhere in the picture
      boxes[c] = {nodes[0].x, nodes[0].y, 0, 0};
    else
      boxes[c] = {(sides[c][0] + sides[c][2]) / 2, (sides[c][1] + sides[c][3]) / 2,
                  sides[c][2] - sides[c][0] + 12, sides[c][3] - sides[c][1] + 12};
  return boxes;
}

std::vector<Box> scaled(std::vector<Box> boxes, double scale) {
  for (Box& b : boxes) {
    b.x *= scale, b.y *= scale;
    b.height = (b.height - kCircle) * scale + kCircle;
  }
  return boxes;
}

/// Lines of circles that stand there, no text; nothing where a line cannot be drawn.
std::optional<Layout> routed_at(const Picture& picture, std::vector<Box> boxes) {
  if (!are_apart(boxes, kLeastSpace)) return std::nullopt;
  Layout layout;
  layout.nodes = std::move(boxes);
  auto routes = printed_routes(picture, layout.nodes);
  if (!routes) return std::nullopt;
  layout.edges = std::move(*routes);
  return layout;
}

Layout finished(const Picture& picture, Layout layout) {
  layout.printed = true;
  layout.clusters = columns_of(picture, layout.nodes);
  for (const Box& b : layout.clusters) layout.captions.push_back({b.x, b.top() + 10});
  return layout;
}

class Printer {
 public:
  explicit Printer(const Picture& picture) : picture_(picture) {}

  std::optional<Layout> run() {
    const std::size_t edges = picture_.edges.size();
    if (is_layer(picture_)) {
      consider([&](double scale) { return two_rows(picture_, scale); });
      return std::move(best_);
    }
    const bool long_step = picture_.clusters.empty() && picture_.nodes.size() > 24;
    const int attempts = long_step     ? 2
                         : edges < 50  ? 14
                         : edges < 100 ? 6
                                       : 1;  // arrangements of a step
    for (int attempt = 0; attempt < attempts && unsettled(); ++attempt) {
      const std::vector<PrintedCell> cells = printed_cells(picture_, attempt);
      consider([&](double scale) { return printed_places(picture_, cells, scale); });
    }
    if (edges > kMostSettled || (!best_ && edges > 4 * picture_.nodes.size()))
      return std::move(best_);  // too dense
    const bool small = edges < 60, medium = edges >= 100 && edges < 180;
    const bool plane = is_plane(picture_);
    settle(Freedom::roles, plane && edges >= 100 ? 1 : small ? 4 : medium ? 3 : 2);
    settle(Freedom::boundaries, plane ? 1 : small ? 2 : medium ? 3 : 1);
    settle(Freedom::nodes, edges >= 180 || plane ? 1 : medium ? 4 : small ? 6 : 2);
    if (plane) settle(Freedom::anywhere, edges >= 180 ? 1 : 2);
    polish(Freedom::roles);
    polish(Freedom::boundaries);
    polish(Freedom::nodes);
    if (!best_) return std::nullopt;
    return squeezed(picture_, std::move(*best_));
  }

 private:
  /// The same of freedoms that come to the same here, so that nothing is searched twice.
  Freedom as_far_as(Freedom freedom) const {
    if (picture_.clusters.empty()) return Freedom::roles;
    const bool bounded = std::ranges::any_of(picture_.nodes, is_boundary);
    return freedom == Freedom::boundaries && !bounded ? Freedom::roles : freedom;
  }
  void settle(Freedom freedom, int seeds) {
    freedom = as_far_as(freedom);
    const bool mirrored =
        freedom < Freedom::nodes && std::ranges::any_of(picture_.nodes, &PictureNode::adjoint);
    int in_vain = 0;
    for (int seed = 0; seed < seeds && unsettled() && in_vain < kMostInVain; ++seed) {
      if (!searched_.emplace(freedom, seed, starts_).second) continue;
      std::vector<Box> boxes = start();
      if (mirrored)  // first what it is the mirror image of
        boxes = settled(picture_, std::move(boxes), freedom, seed, Scope::forward).boxes;
      const int before = starts_;
      consider(settled(picture_, std::move(boxes), freedom, seed),
               freedom == Freedom::anywhere ? kDisordered : kIrregular);
      if (before == starts_ && freedom == Freedom::nodes && picture_.edges.size() >= kMany)
        ++in_vain;
    }
  }
  void polish(Freedom freedom) {
    freedom = as_far_as(freedom);
    if (!polished_.insert(freedom).second) return;
    const int places = best_ ? kPolishWork / std::max(work_of(best_->edges), 1) : 0;
    if (!unsettled() || places < kLeastPolished) return;
    consider(polished(
                 picture_, start(), freedom,
                 [&](const std::vector<Box>& tried) {
                   const auto layout = routed_at(picture_, scaled(tried, scale_));
                   return layout ? poverty_.of(*layout) : kUndrawn;
                 },
                 places),
             kIrregular);
  }
  /// Pairs of lines that are compared until all are drawn, about: arcs are chosen from some.
  static int work_of(const std::vector<Path>& lines) {
    constexpr std::ptrdiff_t kArcs = 30, kMore = 3;
    const auto arcs = std::ranges::count_if(lines, is_bent);
    return static_cast<int>(std::ssize(lines) * (std::ssize(lines) + kArcs * (arcs + kMore)));
  }
  bool unsettled() const { return !best_ || least_ > 0; }

  std::vector<Box> start() const {
    return best_ ? best_places_ : printed_places(picture_, printed_cells(picture_, 0), 1);
  }

  void consider(const Placing& placing, double share) {
    consider([&](double scale) { return scaled(placing.boxes, scale); }, placing.moved, share);
  }
  /// @param moved  circles that stand otherwise than in other steps
  template <class Places>
  void consider(const Places& places, int moved = 0, double share = 0) {
    for (const double scale : kScales) {
      std::optional<Layout> layout = routed_at(picture_, places(scale));
      if (!layout) continue;
      const int crossings = printed_crossings(layout->edges);
      if (best_ &&
          poverty_.at_least(*layout, crossings) + irregularity(crossings, moved, share) >= least_)
        return;
      if (best_ && crossings >= least_) continue;
      if (place_printed_texts(picture_, *layout))
        return take(std::move(*layout), irregularity(crossings, moved, share), places, scale);
    }
  }
  template <class Places>
  void take(Layout layout, double irregular, const Places& places, double scale) {
    if (!best_) poverty_.take_as_usual(layout);
    const double poor = poverty_.of(layout) + irregular;
    if (best_ && poor >= least_) return;
    scale_ = scale;
    best_ = finished(picture_, std::move(layout));
    best_places_ = places(1);
    least_ = poor;
    ++starts_;
  }
  double irregularity(int crossings, int moved, double share) const {
    if (moved == 0) return 0;
    const double all = share * (kFewCrossings + crossings);
    const bool few = best_ && printed_crossings(best_->edges) <= kVeryFew;
    return few ? std::min(all, kAlone * moved) : all;
  }
  const Picture& picture_;
  Poverty poverty_{picture_};
  std::optional<Layout> best_;
  std::vector<Box> best_places_;                      // at scale 1
  double scale_ = 1;                                  // of the best
  int starts_ = 0;                                    // bests so far
  std::set<std::tuple<Freedom, int, int>> searched_;  // with which seed, from which best
  std::set<Freedom> polished_;
  double least_ = 0;
};

/// Without steps operations are drawn too, which no gradient is mirrored over: the gradient goes on
/// upwards where the graph ends.
Picture one_way(Picture picture) {
  for (PictureNode& n : picture.nodes) n.adjoint = false, n.order = 0, n.beside = -1;
  return picture;
}

}  // namespace

bool are_apart(const std::vector<Box>& boxes, double space) {
  for (std::size_t n = 0; n < boxes.size(); ++n)
    for (std::size_t m = n + 1; m < boxes.size(); ++m)
      if (std::abs(boxes[n].x - boxes[m].x) * 2 < boxes[n].width + boxes[m].width + 2 * space &&
          std::abs(boxes[n].y - boxes[m].y) * 2 < boxes[n].height + boxes[m].height + 2 * space)
        return false;
  return true;
}

std::optional<Layout> drawn_at(const Picture& picture, std::vector<Box> boxes, double most) {
  std::optional<Layout> layout = routed_at(picture, std::move(boxes));
  if (!layout || printed_crossings(layout->edges) >= most) return std::nullopt;
  if (!place_printed_texts(picture, *layout)) return std::nullopt;
  return finished(picture, std::move(*layout));
}

std::optional<Layout> lay_out_printed(const Picture& picture) {
  if (picture.nodes.size() > kMostNodes || picture.edges.size() > kMostEdges) return std::nullopt;
  if (!picture.clusters.empty()) return Printer(picture).run();
  const Picture upwards = one_way(picture);
  return Printer(upwards).run();
}

}  // namespace taugrad::draw
