#include "draw/search/polish.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/index.h"
#include "draw/search/search_groups.h"

namespace taugrad::draw {
namespace {

constexpr std::array<double, 5> kAside{0, -0.5, 0.5, -1, 1};                         // slots
constexpr std::array<double, 11> kUp{0, -0.5, 0.5, -1, 1, -1.5, 1.5, -2, 2, -3, 3};  // rows
constexpr double kSpace = 12, kNearRow = 0.75 * kRowPitch;
constexpr int kRounds = 3;

class Polisher {
 public:
  Polisher(const Picture& p, std::vector<Box> boxes, Freedom freedom, const Rate& rate, int most)
      : p_(p), boxes_(std::move(boxes)), rate_(rate), most_(most) {
    found_ = search_groups(p, boxes_, freedom, Scope::all);
    const SearchGroups single = search_groups(p, boxes_, Freedom::boundaries, Scope::all);
    for (const SearchGroup& g : single.groups)
      if (freedom == Freedom::roles && is_boundary(p.nodes[at(g.nodes[0])]))
        found_.groups.push_back(g);
    best_ = rate_(boxes_);
    reach_.assign(at(found_.grid.columns), {1e18, -1e18});
    for (std::size_t n = 0; n < boxes_.size(); ++n) {
      left_ = std::min(left_, boxes_[n].left()), right_ = std::max(right_, boxes_[n].right());
      top_ = std::min(top_, boxes_[n].y), bottom_ = std::max(bottom_, boxes_[n].y);
      if (found_.column[n] < 0) continue;
      auto& r = reach_[at(found_.column[n])];
      r = {std::min(r[0], boxes_[n].left()), std::max(r[1], boxes_[n].right())};
    }
  }

  Placing run() {
    for (int round = 0; round < kRounds && best_ > 0; ++round) {
      bool better = false;
      for (SearchGroup& g : found_.groups) better = improve(g) || better;
      if (!better || most_ <= 0) break;
    }
    const auto moved = std::ranges::count_if(found_.groups, moved_alone);
    return {std::move(boxes_), static_cast<int>(moved)};
  }

 private:
  bool improve(SearchGroup& g) {
    Point best{0, 0};
    for (const Point way : ways(g)) {
      if (most_ <= 0) break;
      shift(g, way.x, way.y);
      if (fits(g)) {
        --most_;
        if (const double now = rate_(boxes_); now < best_ - 1e-9) best_ = now, best = way;
      }
      shift(g, -way.x, -way.y);
    }
    shift(g, best.x, best.y);
    g.dx += best.x, g.dy += best.y;
    return best.x != 0 || best.y != 0;
  }

  std::vector<Point> ways(const SearchGroup& g) const {
    std::vector<Point> all;
    for (const double x : kAside)
      for (const double y : kUp)
        if (x != 0 || y != 0) all.push_back({x * kSlotPitch, y * kRowPitch});
    const auto first = at(g.nodes[0]);
    if (p_.nodes[first].cluster >= 0 || p_.clusters.empty() || found_.column[first] >= 0)
      return all;
    for (const double x : {left_ - kSlotPitch, right_ + kSlotPitch, (left_ + right_) / 2})
      for (double y = top_ - kRowPitch; y <= bottom_ + kRowPitch + 1; y += kRowPitch)
        all.push_back({x - boxes_[first].x, y - boxes_[first].y});
    return all;
  }

  void shift(const SearchGroup& g, double dx, double dy) {
    for (const int n : g.nodes) boxes_[at(n)].x += dx, boxes_[at(n)].y += dy;
    for (const int n : g.mirrored) boxes_[at(n)].x += dx, boxes_[at(n)].y -= dy;
  }

  bool fits(const SearchGroup& g) const {
    const auto fit = [this](int n) { return fits(n); };
    return std::ranges::all_of(g.nodes, fit) && std::ranges::all_of(g.mirrored, fit);
  }
  bool fits(int n) const {
    const Box& b = boxes_[at(n)];
    if (const int column = found_.column[at(n)]; column >= 0) {
      const auto& r = reach_[at(column)];
      if (b.left() < r[0] - kSlotPitch / 2 || b.right() > r[1] + kSlotPitch / 2) return false;
    }
    if (found_.has_axis && p_.nodes[at(n)].order < 2) {
      const bool above = p_.nodes[at(n)].adjoint;
      if (above ? b.y > found_.axis - kNearRow / 2 : b.y < found_.axis - 1) return false;
    }
    for (std::size_t m = 0; m < boxes_.size(); ++m) {
      if (static_cast<int>(m) == n) continue;
      const Box& o = boxes_[m];
      if (std::abs(o.y - b.y) < std::max(kNearRow, (o.height + b.height) / 2 + kSpace) &&
          std::abs(o.x - b.x) < (o.width + b.width) / 2 + kSpace)
        return false;
    }
    return true;
  }

  const Picture& p_;
  std::vector<Box> boxes_;
  const Rate& rate_;
  int most_;
  SearchGroups found_;
  double best_ = 0;
  std::vector<std::array<double, 2>> reach_;  // by column
  double left_ = 1e18, right_ = -1e18, top_ = 1e18, bottom_ = -1e18;
};

}  // namespace

Placing polished(const Picture& picture, std::vector<Box> boxes, Freedom freedom, const Rate& rate,
                 int most) {
  return Polisher(picture, std::move(boxes), freedom, rate, most).run();
}

}  // namespace taugrad::draw
