#include "draw/search/printed_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "base/index.h"
#include "draw/search/search_costs.h"
#include "draw/search/search_groups.h"

namespace taugrad::draw {
namespace {

constexpr double kSpace = 12;              // between two circles
constexpr double kRow = 0.75 * kRowPitch;  // rows nearer than that share their places
constexpr double kGap = 62;                // between two columns
constexpr double kMostWork = 2e8;          // pairs of lines compared
constexpr double kLeastMoves = 60;         // of each at one heat
constexpr std::uint32_t kMostMoves = 240;
constexpr std::array<double, 9> kHeats{3, 2.2, 1.6, 1.1, 0.75, 0.5, 0.3, 0.15, 0.05};

using Group = SearchGroup;

class Settler {
 public:
  Settler(const Picture& p, std::vector<Box> boxes, Freedom freedom, int seed, Scope scope)
      : p_(p),
        boxes_(std::move(boxes)),
        found_(search_groups(p, boxes_, freedom, scope)),
        state_(static_cast<std::uint32_t>(seed) * 7919u + 17u),
        dots_(middles(boxes_)),
        costs_(p, boxes_, dots_, found_) {
    for (auto* v : {&x_, &y_, &wide_, &high_}) v->resize(boxes_.size());
    for (std::size_t n = 0; n < boxes_.size(); ++n) {
      note(n);
      wide_[n] = static_cast<float>((boxes_[n].width + kSpace) / 2);
      high_[n] = static_cast<float>(is_ellipsis(static_cast<int>(n)) ? 1e9 : kRow);
    }
  }

  Placing run() {
    if (found_.groups.empty() || found_.lines.empty()) return {std::move(boxes_)};
    measure();
    for (std::size_t h = first_heat(); h < kHeats.size(); ++h) {
      anneal(kHeats[h]);
      tighten();
    }
    for (int round = 0; round < 6 && improve(); ++round) tighten();
    for (std::size_t n = 0; n < boxes_.size(); ++n)
      boxes_[n].x = dots_[n].x, boxes_[n].y = dots_[n].y;
    const auto moved = std::ranges::count_if(found_.groups, moved_alone);
    return {std::move(boxes_), static_cast<int>(moved)};
  }

 private:
  const PictureNode& node(int n) const { return p_.nodes[at(n)]; }
  bool is_ellipsis(int n) const { return node(n).kind == NodeKind::ellipsis; }

  static std::vector<Point> middles(const std::vector<Box>& boxes) {
    std::vector<Point> dots;
    for (const Box& b : boxes) dots.push_back({b.x, b.y});
    return dots;
  }

  // how far columns and the whole reach
  void measure() {
    reach_.assign(at(found_.grid.columns), {1e18, -1e18});
    whole_ = {1e18, -1e18};
    top_ = 1e18, bottom_ = -1e18;
    for (std::size_t n = 0; n < dots_.size(); ++n) {
      const double half = boxes_[n].width / 2;
      whole_[0] = std::min(whole_[0], dots_[n].x - half);
      whole_[1] = std::max(whole_[1], dots_[n].x + half);
      if (!is_ellipsis(static_cast<int>(n)))
        top_ = std::min(top_, dots_[n].y), bottom_ = std::max(bottom_, dots_[n].y);
      if (found_.column[n] < 0) continue;
      auto& r = reach_[at(found_.column[n])];
      r[0] = std::min(r[0], dots_[n].x - half), r[1] = std::max(r[1], dots_[n].x + half);
    }
  }

  /// Columns side by side again, as narrow as they have become.
  void tighten() {
    measure();
    std::vector<double> shift(at(found_.grid.columns), 0);
    std::vector<Point> knots;  // where columns were, how far they go
    double edge = 0;
    bool first = true;
    for (std::size_t c = 0; c < reach_.size(); ++c) {
      if (reach_[c][0] > reach_[c][1]) continue;
      if (!first) shift[c] = edge + kGap - reach_[c][0];
      first = false;
      edge = reach_[c][1] + shift[c];
      knots.push_back({(reach_[c][0] + reach_[c][1]) / 2, shift[c]});
    }
    if (knots.empty()) return;
    for (std::size_t n = 0; n < dots_.size(); ++n)
      dots_[n].x +=
          found_.column[n] >= 0 ? shift[at(found_.column[n])] : between(knots, dots_[n].x);
    for (std::size_t n = 0; n < dots_.size(); ++n) note(n);
    for (std::size_t g = 0; g < found_.groups.size(); ++g)
      if (found_.column[at(found_.groups[g].nodes[0])] < 0)
        for (int tries = 0; tries < 40 && !fits(found_.groups[g]); ++tries)
          shift_by(found_.groups[g], kStepX, 0);
    costs_.show_all();
    measure();
  }
  static double between(const std::vector<Point>& knots, double x) {
    if (x <= knots.front().x) return knots.front().y;
    for (std::size_t k = 0; k + 1 < knots.size(); ++k)
      if (x <= knots[k + 1].x)
        return knots[k].y + (knots[k + 1].y - knots[k].y) * (x - knots[k].x) /
                                std::max(1.0, knots[k + 1].x - knots[k].x);
    return knots.back().y;
  }

  std::uint32_t draw(std::uint32_t count) {
    state_ = state_ * 1664525u + 1013904223u;
    return static_cast<std::uint32_t>((static_cast<std::uint64_t>(state_) * count) >> 32);
  }

  void shift_by(Group& g, double dx, double dy) {
    for (const int n : g.nodes) dots_[at(n)].x += dx, dots_[at(n)].y += dy;
    for (const int n : g.mirrored) dots_[at(n)].x += dx, dots_[at(n)].y -= dy;
    for (const auto* nodes : {&g.nodes, &g.mirrored})
      for (const int n : *nodes) note(at(n));
    g.dx += dx, g.dy += dy;
  }
  void note(std::size_t n) {
    x_[n] = static_cast<float>(dots_[n].x), y_[n] = static_cast<float>(dots_[n].y);
  }

  bool fits(const Group& g) const {
    for (const int n : g.nodes)
      if (!fits(n)) return false;
    for (const int n : g.mirrored)
      if (!fits(n)) return false;
    return true;
  }
  /// Inside its column, the axis kept, and no other node too near.
  bool fits(int n) const {
    const Point d = dots_[at(n)];
    const double half = boxes_[at(n)].width / 2;
    const int column = found_.column[at(n)];
    if (column >= 0) {
      const auto& r = reach_[at(column)];
      if (d.x - half < r[0] - kStepX - 1 || d.x + half > r[1] + kStepX + 1) return false;
    } else if (d.x < whole_[0] - kSlotPitch || d.x > whole_[1] + kSlotPitch) {
      return false;
    }
    if (d.y < top_ - kRowPitch - 1 || d.y > bottom_ + kRowPitch + 1) return false;
    if (found_.has_axis && node(n).order < 2) {
      if (node(n).adjoint ? d.y > found_.axis - kRow / 2 : d.y < found_.axis - 1) return false;
    }
    int near = 0;  // without branches, for the loop to be one of vectors
    for (std::size_t m = 0; m < x_.size(); ++m)
      near += static_cast<int>(std::abs(y_[m] - y_[at(n)]) < high_[m]) &
              static_cast<int>(std::abs(x_[m] - x_[at(n)]) < wide_[m] + wide_[at(n)]);
    return near == 1;  // itself
  }

  /// Where there is work for few moves only, the beginning is worth keeping.
  std::size_t first_heat() const {
    double touched = 1;
    for (const Group& g : found_.groups) touched += 2 * static_cast<double>(g.lines.size() + 1);
    const double round = kLeastMoves * touched * static_cast<double>(found_.lines.size());
    const auto heats = static_cast<std::size_t>(std::max(2.0, kMostWork / 2 / round));
    return kHeats.size() - std::min(kHeats.size(), heats);
  }

  void anneal(double heat) {
    const double most =
        costs_.work() + kMostWork * 0.8 / static_cast<double>(kHeats.size() - first_heat());
    const auto count = static_cast<std::uint32_t>(found_.groups.size());
    for (std::uint32_t i = 0; i < count * kMostMoves && costs_.work() < most; ++i) {
      Group& g = found_.groups[draw(count)];
      const std::uint32_t kind = draw(4);
      if (kind == 0 && count > 1) {
        Group& h = found_.groups[draw(count)];
        if (&h == &g) continue;
        const Point a = dots_[at(g.nodes[0])], b = dots_[at(h.nodes[0])];
        if (found_.column[at(g.nodes[0])] != found_.column[at(h.nodes[0])]) continue;
        attempt(heat, {{&g, b.x - a.x, b.y - a.y}, {&h, a.x - b.x, a.y - b.y}});
      } else {
        const std::uint32_t range = kind == 1 ? 8 : 2;
        const double dx = kStepX * (static_cast<double>(draw(2 * range + 1)) - range);
        const double dy = kStepY * (static_cast<double>(draw(2 * range + 1)) - range);
        if (dx != 0 || dy != 0) attempt(heat, {{&g, dx, dy}});
      }
    }
  }

  struct Move {
    Group* group;
    double dx, dy;
  };
  using Moves = std::initializer_list<Move>;
  void shift(Moves moves, int sign) {
    for (const Move& m : moves) shift_by(*m.group, sign * m.dx, sign * m.dy);
  }
  void attempt(double heat, Moves moves) {
    shift(moves, 1);
    bool good = true;
    for (const Move& m : moves) good = good && fits(*m.group);
    shift(moves, -1);
    if (!good) return;
    if (moves.size() == 1)
      take(heat, moves, {moves.begin()->group});
    else
      take(heat, moves, {moves.begin()->group, moves.end()[-1].group});
  }
  void take(double heat, Moves moves, SearchCosts::Groups groups) {
    const double most = costs_.known(groups) + heat * draw(1u << 16) / 65536.0;
    shift(moves, 1);
    for (const Move& m : moves) costs_.show(*m.group);
    if (costs_.tried(groups, most) < most) return costs_.keep(groups);
    shift(moves, -1);
    for (const Move& m : moves) costs_.show(*m.group);
  }

  /// The best place of each group, all tried. @returns whether any was better
  bool improve() {
    bool better = false;
    for (Group& g : found_.groups) {
      const double dx = g.dx, dy = g.dy;
      double least = costs_.known({&g}) - 1e-6;
      Point best{0, 0};
      for (int ix = -6; ix <= 6; ++ix)
        for (int iy = -6; iy <= 6; ++iy) {
          if ((ix == 0 && iy == 0) || costs_.work() > kMostWork) continue;
          shift_by(g, dx + ix * kStepX - g.dx, dy + iy * kStepY - g.dy);
          if (!fits(g)) continue;
          costs_.show(g);
          const double now = costs_.tried({&g}, least);
          if (now < least) least = now, best = {ix * kStepX, iy * kStepY}, better = true;
        }
      shift_by(g, dx + best.x - g.dx, dy + best.y - g.dy);
      costs_.show(g);
      costs_.learn({&g});
    }
    return better;
  }

  const Picture& p_;
  std::vector<Box> boxes_;
  SearchGroups found_;
  std::uint32_t state_;
  std::vector<Point> dots_;
  SearchCosts costs_;
  std::vector<float> x_, y_, wide_, high_;  // of nodes, and how near others may be
  std::vector<std::array<double, 2>> reach_;
  std::array<double, 2> whole_{};
  double top_ = 0, bottom_ = 0;
};

}  // namespace

Placing settled(const Picture& picture, std::vector<Box> boxes, Freedom freedom, int seed,
                Scope scope) {
  return Settler(picture, std::move(boxes), freedom, seed, scope).run();
}

}  // namespace taugrad::draw
