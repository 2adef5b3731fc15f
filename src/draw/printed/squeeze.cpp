#include "draw/printed/squeeze.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <utility>

#include "draw/search/printed_search.h"

namespace taugrad::draw {
namespace {

constexpr double kRoomy = 12'000;  // of the page, for each circle
constexpr double kSpace = 12;      // between two circles
constexpr double kTries = 4e5;     // by the square of the number of lines
constexpr std::size_t kMostGaps = 8;
constexpr std::array<double, 7> kShorter{0.35, 0.45, 0.55, 0.65, 0.75, 0.83, 0.91};
constexpr std::array<double, 4> kOfGaps{0.15, 0.35, 0.55, 0.75};

double room_of(const std::vector<Box>& nodes) {
  double left = 1e18, right = -1e18, top = 1e18, bottom = -1e18;
  for (const Box& b : nodes) {
    left = std::min(left, b.left()), right = std::max(right, b.right());
    top = std::min(top, b.top()), bottom = std::max(bottom, b.bottom());
  }
  return (right - left) * (bottom - top) /
         static_cast<double>(std::max<std::size_t>(nodes.size(), 1));
}

/// Places along one direction, from the axis between graph and gradient where there is one, and
/// where they go: some gaps between neighbours shorter.
class Gaps {
 public:
  explicit Gaps(std::vector<double> places) : from_(std::move(places)) {
    std::ranges::sort(from_);
    from_.erase(std::unique(from_.begin(), from_.end()), from_.end());
    to_ = from_;
  }
  std::size_t count() const { return from_.size() - 1; }
  double gap(std::size_t g) const { return from_[g + 1] - from_[g]; }
  void shorten(std::size_t g, double by) {
    for (std::size_t i = g + 1; i < to_.size(); ++i) to_[i] -= by;
  }
  double operator()(double place) const {
    const auto next = std::ranges::upper_bound(from_, place) - from_.begin();
    if (next == 0) return place + to_[0] - from_[0];
    const auto i = static_cast<std::size_t>(next) - 1;
    if (i + 1 == from_.size()) return place + to_[i] - from_[i];
    return to_[i] + (place - from_[i]) / gap(i) * (to_[i + 1] - to_[i]);
  }

 private:
  std::vector<double> from_, to_;
};

class Squeezer {
 public:
  Squeezer(const Picture& picture, Layout layout)
      : picture_(picture),
        best_(std::move(layout)),
        most_(printed_crossings(best_.edges) + 0.5),
        tries_(static_cast<int>(
            kTries / static_cast<double>(picture.edges.size() * picture.edges.size() + 1))) {
    for (const PictureNode& node : picture.nodes) orders_ = std::max(orders_, node.order);
    find_axis();
  }

  Layout run() {
    if (room_of(best_.nodes) < kRoomy) return std::move(best_);
    // beside long names lines would become too level for their arrow heads to be seen
    if (std::ranges::any_of(best_.nodes, [](const Box& b) { return b.width > 2 * kCircle; }))
      return std::move(best_);
    for (const bool upright : {true, false}) {
      squeeze_all(upright);
      // steps that are alike stay so: each gap between rows is theirs, one between columns is not
      if (upright ? orders_ < 2 : is_plane(picture_) || picture_.clusters.empty()) {
        squeeze_gaps(upright);
        squeeze_each(upright);
      }
    }
    return std::move(best_);
  }

 private:
  void squeeze_all(bool upright) {
    for (const double share : kShorter) {
      if (room_of(best_.nodes) < kRoomy) return;
      std::vector<Box> boxes = best_.nodes;
      for (Box& b : boxes) {
        (upright ? b.y : b.x) *= share;
        if (upright) b.height = (b.height - kCircle) * share + kCircle;  // of an ellipsis
      }
      if (draws(std::move(boxes))) break;
    }
    if (upright) find_axis();
  }
  void squeeze_gaps(bool upright) {
    for (const double share : kOfGaps) {
      Gaps gaps = gaps_of(upright);
      for (std::size_t g = 0; g < gaps.count(); ++g)
        gaps.shorten(g, std::max(0.0, (gaps.gap(g) - least(upright)) * (1 - share)));
      if (draws(moved(gaps, upright))) return;
    }
  }
  void squeeze_each(bool upright) {
    const Gaps before = gaps_of(upright);
    std::vector<std::size_t> widest(before.count());
    for (std::size_t g = 0; g < widest.size(); ++g) widest[g] = g;
    std::ranges::stable_sort(widest, std::ranges::greater{},
                             [&](std::size_t g) { return before.gap(g); });
    if (widest.size() > kMostGaps) widest.resize(kMostGaps);
    for (const std::size_t g : widest)
      for (const double share : {1.0, 0.5}) {
        Gaps gaps = gaps_of(upright);
        if (g >= gaps.count() || gaps.gap(g) < 1.3 * least(upright)) break;
        gaps.shorten(g, share * (gaps.gap(g) - least(upright)));
        if (draws(moved(gaps, upright))) break;
      }
  }
  static double least(bool upright) { return upright ? 0.6 * kRowPitch : 0.6 * kSlotPitch; }

  void find_axis() {
    for (std::size_t n = 0; n < picture_.nodes.size(); ++n) {
      const PictureNode& node = picture_.nodes[n];
      if (node.order != 1 || node.beside < 0) continue;
      axis_ = (best_.nodes[n].y + best_.nodes[static_cast<std::size_t>(node.beside)].y) / 2;
      has_axis_ = true;
    }
  }
  double from_axis(double y) const { return has_axis_ ? std::abs(y - axis_) : y; }

  Gaps gaps_of(bool upright) const {
    std::vector<double> places;
    if (upright && has_axis_) places.push_back(0);
    for (std::size_t n = 0; n < best_.nodes.size(); ++n)
      if (picture_.nodes[n].kind != NodeKind::ellipsis)
        places.push_back(upright ? std::round(from_axis(best_.nodes[n].y) * 8) / 8
                                 : std::round(best_.nodes[n].x * 8) / 8);
    if (places.empty()) places.push_back(0);
    return Gaps(std::move(places));
  }
  std::vector<Box> moved(const Gaps& gaps, bool upright) const {
    std::vector<Box> boxes = best_.nodes;
    const auto high = [&](double y) {
      return has_axis_ ? axis_ + std::copysign(gaps(from_axis(y)), y - axis_) : gaps(y);
    };
    for (Box& b : boxes) {
      if (!upright) {
        b.x = gaps(b.x);
        continue;
      }
      const double room = (b.height - kCircle) / 2;  // of an ellipsis
      const double top = high(b.y - room), bottom = high(b.y + room);
      b.y = (top + bottom) / 2, b.height = bottom - top + kCircle;
    }
    return boxes;
  }

  bool draws(std::vector<Box> boxes) {
    if (!are_apart(boxes, kSpace) || tries_-- <= 0) return false;
    auto better = drawn_at(picture_, std::move(boxes), most_);
    if (better) best_ = std::move(*better);
    return better.has_value();
  }

  const Picture& picture_;
  Layout best_;
  const double most_;  // crossings
  int tries_;
  int orders_ = 0;
  bool has_axis_ = false;
  double axis_ = 0;
};

}  // namespace

Layout squeezed(const Picture& picture, Layout layout) {
  return Squeezer(picture, std::move(layout)).run();
}

}  // namespace taugrad::draw
