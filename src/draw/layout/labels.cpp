#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "draw/layout/geometry.h"
#include "draw/layout/text.h"

namespace taugrad::draw {
namespace {

constexpr double kLineHeight = 12;
constexpr std::size_t kRemembered = 64;  // labels of a gutter that a new one keeps clear of

std::size_t at(int i) { return static_cast<std::size_t>(i); }

// The upright leg in a gutter, and its number; null: there is none.
const Leg* upright_leg(const Wire& w, std::size_t& number) {
  for (std::size_t i = 1; i + 1 < w.legs.size(); ++i) {
    if (w.legs[i].horizontal || w.legs[i].lane < 0) continue;
    number = i;
    return &w.legs[i];
  }
  return nullptr;
}

bool is_clear(const std::vector<Point>& placed, Point p) {
  const std::size_t first = placed.size() > kRemembered ? placed.size() - kRemembered : 0;
  return std::none_of(placed.begin() + static_cast<std::ptrdiff_t>(first), placed.end(),
                      [&](Point q) { return std::abs(q.y - p.y) < kLineHeight; });
}

}  // namespace

void place_labels(const Drawing& d, std::vector<Path>& paths) {
  constexpr std::array<double, 9> kShares{0.5, 0.38, 0.62, 0.26, 0.74, 0.16, 0.84, 0.06, 0.94};
  std::vector<std::vector<Point>> placed(2 * at(d.grid.columns) + 1);  // by gutter
  std::map<std::tuple<int, int, std::string>, Point> of_net;           // one line, one label
  for (std::size_t e = 0; e < paths.size(); ++e) {
    if (d.picture.edges[e].label.empty()) continue;
    std::size_t i = 0;
    const Leg* leg = upright_leg(d.wires[e], i);
    if (leg == nullptr) continue;
    const double from = d.wires[e].legs[i - 1].at, to = d.wires[e].legs[i + 1].at;
    const auto [same, fresh] =
        of_net.try_emplace({leg->lane, d.wires[e].net, d.picture.edges[e].label});
    if (!fresh) {
      paths[e].label = same->second;
      continue;
    }
    std::vector<Point>& others = placed[at(leg->lane)];
    Point best{leg->at, (from + to) / 2};
    for (const double share : kShares) {
      const Point p{leg->at, from + (to - from) * share};
      if (!is_clear(others, p)) continue;
      best = p;
      break;
    }
    others.push_back(best);
    paths[e].label = same->second = best;
  }
}

}  // namespace taugrad::draw
