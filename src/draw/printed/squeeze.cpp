#include "draw/printed/squeeze.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace taugrad::draw {
namespace {

constexpr double kRoomy = 30'000;  // of the page, for each circle
constexpr double kSpace = 12;      // between two circles
constexpr std::array<double, 7> kShorter{0.35, 0.45, 0.55, 0.65, 0.75, 0.83, 0.91};

double room_of(const Layout& layout) {
  double left = 1e18, right = -1e18, top = 1e18, bottom = -1e18;
  for (const Box& b : layout.nodes) {
    left = std::min(left, b.left()), right = std::max(right, b.right());
    top = std::min(top, b.top()), bottom = std::max(bottom, b.bottom());
  }
  return (right - left) * (bottom - top) /
         static_cast<double>(std::max<std::size_t>(layout.nodes.size(), 1));
}

std::vector<Box> shorter(std::vector<Box> boxes, double x, double y) {
  for (Box& b : boxes) {
    b.x *= x, b.y *= y;
    b.height = (b.height - kCircle) * y + kCircle;  // of an ellipsis
  }
  return boxes;
}

}  // namespace

Layout squeezed(const Picture& picture, Layout layout) {
  const double most = printed_crossings(layout.edges) + 0.5;
  for (const bool upright : {true, false}) {
    if (room_of(layout) < kRoomy) break;
    for (const double share : kShorter) {
      std::vector<Box> boxes = shorter(layout.nodes, upright ? 1 : share, upright ? share : 1);
      if (!are_apart(boxes, kSpace)) continue;
      if (auto better = drawn_at(picture, std::move(boxes), most)) {
        layout = std::move(*better);
        break;
      }
    }
  }
  return layout;
}

}  // namespace taugrad::draw
