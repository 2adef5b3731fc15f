#include "draw/layout/untangle.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "base/index.h"

namespace taugrad::draw {
namespace {

constexpr double kCrossing = 3, kHit = 4, kDown = 1.2, kLength = 0.03;
constexpr double kTilt = 0.04;  // of a line within a step, for each slot
constexpr double kAway = 0.03;  // of a role from where it began
constexpr double kNear = 0.4;   // of a line to the middle of a node, in rows
constexpr double kRow = 0.75;   // rows nearer than that share their slots
constexpr double kSpace = 0.2;  // between two nodes of a row, in slots
constexpr double kGap = 1.1;    // between two steps, in slots
constexpr double kPlace = 0.5;  // between places that are tried
constexpr int kRounds = 8;
constexpr double kMostWork = 1e7;  // pairs of lines

struct Dot {
  float x, y;
};
float side(Dot p, Dot q, Dot r) { return (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x); }
// Without branches, for loops over lines to be loops of vectors.
int cross(Dot a, Dot b, Dot c, Dot d) {
  constexpr float kLeast = -1e-3F;  // rounding is less
  return static_cast<int>(side(a, b, c) * side(a, b, d) < kLeast) &
         static_cast<int>(side(c, d, a) * side(c, d, b) < kLeast);
}
// Whether a line runs into a node that is none of its ends.
int hit(Dot a, Dot b, Dot c) {
  const float x = b.x - a.x, y = b.y - a.y, length = x * x + y * y;  // squared
  const float along = (c.x - a.x) * x + (c.y - a.y) * y, off = side(a, b, c);
  return static_cast<int>(along > 0) & static_cast<int>(along < length) &
         static_cast<int>(off * off < static_cast<float>(kNear * kNear) * length);
}

class Untangler {
 public:
  explicit Untangler(StepPlan& plan) : plan_(plan), first_(plan) {
    const auto add = [&](const std::pair<int, int>& e, int from, int to) {
      const bool rises = plan.row[at(e.first)] < plan.row[at(e.second)];
      lines_.push_back({e.first, e.second, from, to, from == 0 && to == 0 && rises});
    };
    for (const auto& e : plan.inner) add(e, 0, 0), add(e, 1, 1);
    for (const auto& e : plan.onward) add(e, 0, 1);
    for (const auto& e : plan.back) add(e, 1, 0);
    for (const int role : plan.from_below)
      for (const int step : {0, 1}) lines_.push_back({kBelow, role, 0, step, false});
    for (auto* v : {&ax_, &ay_, &bx_, &by_}) v->resize(lines_.size());
    for (auto* v : {&x_, &y_}) v->resize(2 * plan.row.size());
    of_role_.resize(plan.row.size());
    for (std::size_t l = 0; l < lines_.size(); ++l) {
      if (lines_[l].from != kBelow) of_role_[at(lines_[l].from)].push_back(l);
      if (lines_[l].to != lines_[l].from) of_role_[at(lines_[l].to)].push_back(l);
    }
    rows_ = static_cast<int>(2 * *std::ranges::max_element(plan.row)) + 2;
  }

  void run(int attempt) {
    measure();
    if (attempt > 0) shuffle(static_cast<std::uint32_t>(attempt));
    for (int round = 0; round < kRounds && work_ < kMostWork; ++round) {
      measure();
      const bool swapped = swap_pairs(), moved = move_each();
      if (!swapped && !moved) break;
    }
    level();
  }

 private:
  static constexpr int kBelow = -1;  // no role: what stands below both steps, in the middle
  struct Line {
    int from, to;            // roles
    int from_step, to_step;  // 0 or 1
    bool rises;              // and should
  };
  Dot dot(int role, int step) const {
    if (role == kBelow) return {static_cast<float>((left_ + right_ + pitch_) / 2), -2};
    return {static_cast<float>(plan_.slot[at(role)] + step * pitch_),
            static_cast<float>(plan_.row[at(role)])};
  }
  Dot begin(std::size_t l) const { return {ax_[l], ay_[l]}; }
  Dot end(std::size_t l) const { return {bx_[l], by_[l]}; }
  Dot node(std::size_t n) const { return {x_[n], y_[n]}; }

  void measure() {
    const auto [least, most] = std::ranges::minmax_element(plan_.slot);
    left_ = *least, right_ = *most;
    pitch_ = right_ - left_ + kGap;
    for (std::size_t l = 0; l < lines_.size(); ++l) show_line(l);
    for (std::size_t r = 0; r < plan_.row.size(); ++r) show(static_cast<int>(r));
  }
  void show_line(std::size_t l) {
    const Dot a = dot(lines_[l].from, lines_[l].from_step),
              b = dot(lines_[l].to, lines_[l].to_step);
    ax_[l] = a.x, ay_[l] = a.y, bx_[l] = b.x, by_[l] = b.y;
  }
  void show(int role) {
    for (const int step : {0, 1}) {
      const Dot d = dot(role, step);
      x_[2 * at(role) + at(step)] = d.x, y_[2 * at(role) + at(step)] = d.y;
    }
    for (const std::size_t l : of_role_[at(role)]) show_line(l);
  }
  void put(int role, double row, double slot) {
    plan_.row[at(role)] = row, plan_.slot[at(role)] = slot;
    show(role);
  }

  void swap(int a, int b) {
    std::swap(plan_.row[at(a)], plan_.row[at(b)]);
    std::swap(plan_.slot[at(a)], plan_.slot[at(b)]);
    show(a);
    show(b);
  }

  /// Exchanges a third of the roles with any others.
  void shuffle(std::uint32_t state) {
    const auto count = static_cast<std::uint32_t>(plan_.row.size());
    const auto draw = [&] {
      state = state * 1664525u + 1013904223u;
      return static_cast<int>((state >> 8) % count);
    };
    for (std::uint32_t i = 0; i < count / 3 + 1; ++i) swap(draw(), draw());
  }

  /// Exchanges two roles where that is better. @returns whether any were
  bool swap_pairs() {
    bool better = false;
    const int count = static_cast<int>(plan_.row.size());
    for (int i = 0; i < count; ++i)
      for (int k = i + 1; k < count && work_ < kMostWork; ++k) {
        const double before = around(i, 1e18) + around(k, 1e18) - 1e-9;
        swap(i, k);
        const double first = fits(i) && fits(k) ? around(i, before) : before;
        if (first < before && first + around(k, before - first) < before)
          better = true;
        else
          swap(i, k);
      }
    return better;
  }

  /// Moves each role to the free place that is best for it. @returns whether any moved
  bool move_each() {
    bool better = false;
    const int count = static_cast<int>(plan_.row.size());
    for (int role = 0; role < count && work_ < kMostWork; ++role) {
      double least = around(role, 1e18) - 1e-9;
      double best_row = plan_.row[at(role)], best_slot = plan_.slot[at(role)];
      if (least < kHit / 4 + kLength * 20) continue;
      for (int r = -2; r <= rows_; ++r)
        for (double s = left_ - 1; s <= right_ + 1; s += kPlace) {
          plan_.row[at(role)] = r / 2.0, plan_.slot[at(role)] = s;
          if (!fits(role)) continue;
          show(role);
          const double now = around(role, least);
          if (now >= least) continue;
          least = now, best_row = r / 2.0, best_slot = s;
          better = true;
        }
      put(role, best_row, best_slot);
    }
    return better;
  }

  /// Whether no other node is too near, of its step or the next.
  bool fits(int role) const {
    for (std::size_t r = 0; r < plan_.row.size(); ++r) {
      if (r == at(role) || std::abs(plan_.row[r] - plan_.row[at(role)]) >= kRow) continue;
      const double least = (plan_.width[r] + plan_.width[at(role)]) / 2 + kSpace;
      if (std::abs(plan_.slot[r] - plan_.slot[at(role)]) < least) return false;
    }
    return true;
  }

  /// What the lines of a role cost, those that run into it, and how far away it is.
  /// @param most  no more need be known
  double around(int role, double most) {
    double cost = kAway * (std::abs(plan_.slot[at(role)] - first_.slot[at(role)]) +
                           std::abs(plan_.row[at(role)] - first_.row[at(role)]));
    int hits = 0;
    for (const std::size_t n : {2 * at(role), 2 * at(role) + 1})
      for (std::size_t l = 0; l < lines_.size(); ++l) hits += hit(begin(l), end(l), node(n));
    cost += kHit * hits;
    work_ += static_cast<double>(lines_.size());
    for (const std::size_t l : of_role_[at(role)]) {
      if (cost >= most) return cost;
      cost += cost_of(l);
      work_ += static_cast<double>(lines_.size());
    }
    return cost;
  }

  double cost_of(std::size_t number) const {
    const Line& l = lines_[number];
    const Dot a = begin(number), b = end(number);
    const double x = b.x - a.x, y = b.y - a.y;
    double cost = kLength * std::sqrt(x * x + y * y);
    if (l.from_step == l.to_step) cost += kTilt * std::abs(x);
    if (l.rises && y < kPlace / 2) cost += kDown * (1 - y);
    int crossed = 0, hits = 0;
    for (std::size_t k = 0; k < lines_.size(); ++k) crossed += cross(a, b, begin(k), end(k));
    for (std::size_t n = 0; n < x_.size(); ++n) hits += hit(a, b, node(n));
    return cost + kCrossing * crossed + kHit * hits;
  }

  /// Rows from 0 upwards, without empty ones; the middle of the step at slot 0.
  void level() {
    std::vector<double> rows = plan_.row;
    std::ranges::sort(rows);
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    std::vector<double> moved(rows.size(), 0);
    for (std::size_t i = 1; i < rows.size(); ++i)
      moved[i] = moved[i - 1] + std::min(rows[i] - rows[i - 1], 1.0);
    for (double& row : plan_.row)
      row = moved[static_cast<std::size_t>(std::ranges::lower_bound(rows, row) - rows.begin())];
    measure();
    for (double& slot : plan_.slot) slot -= (left_ + right_) / 2;
  }

  StepPlan& plan_;
  const StepPlan first_;
  std::vector<Line> lines_;
  std::vector<std::vector<std::size_t>> of_role_;
  std::vector<float> ax_, ay_, bx_, by_;  // by line
  std::vector<float> x_, y_;              // by role and step
  double pitch_ = kGap, left_ = 0, right_ = 0;
  int rows_ = 0;     // highest that is tried, in halves
  double work_ = 0;  // done
};

}  // namespace

void untangle(StepPlan& plan, int attempt) {
  if (!plan.row.empty()) Untangler(plan).run(attempt);
}

}  // namespace taugrad::draw
