#include "draw/printed/printed_cell.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

#include "base/index.h"
#include "draw/layout/untangle.h"
#include "draw/printed/printed_layout.h"

namespace taugrad::draw {
namespace {

constexpr std::size_t kMostPermuted = 8;
constexpr double kLeastSpace = 2, kSpace = 14;  // between two nodes of a row

struct Role {
  std::string name;
  int level = 0;
  bool source = true;     ///< nothing in its step is read by it
  bool lateral = false;   ///< reads itself in another step
  bool observed = false;  ///< read by losses alone
  double width = 0;
};

class Arranger {
 public:
  Arranger(const Picture& p, const std::vector<int>& nodes) : p_(p) {
    for (const int n : nodes) {
      const auto [it, fresh] =
          number_.try_emplace(role_in_cell(p, n), static_cast<int>(roles_.size()));
      if (fresh) roles_.push_back({.name = it->first});
      role_of_[n] = it->second;
      Role& role = roles_[at(it->second)];
      role.width = std::max(role.width, printed_node_width(p.nodes[at(n)]));
    }
    for (const PictureNode& n : p.nodes) gradient_ = gradient_ || n.adjoint;
    for (const PictureEdge& e : p.edges) add(e);
  }

  PrintedCell lines() {
    find_levels();
    PrintedCell cell;
    int most = 0;
    for (const Role& r : roles_) most = std::max(most, r.level);
    for (int level = 0; level <= most; ++level) {
      std::vector<int> shared, own;
      for (std::size_t r = 0; r < roles_.size(); ++r)
        if (roles_[r].level == level)
          (roles_[r].lateral ? own : shared).push_back(static_cast<int>(r));
      if (shared.empty() && own.empty()) continue;
      const bool alone = shared.size() + own.size() == 1;
      if (!shared.empty()) add_row(cell, shared);
      for (std::size_t i = 0; i < own.size(); ++i) {
        cell.places[roles_[at(own[i])].name] = {cell.rows, alone ? 0.0 : i % 2 == 0 ? -0.5 : 0.5};
        cell.rows += i + 1 < own.size() ? 0.75 : 1;
      }
    }
    return cell;
  }

  /// Roles change places where lines then cross less.
  PrintedCell untangled(int attempt) {
    PrintedCell cell = lines();
    StepPlan plan{.row = {},
                  .slot = {},
                  .width = {},
                  .inner = {inner_.begin(), inner_.end()},
                  .onward = {onward_.begin(), onward_.end()},
                  .back = {back_.begin(), back_.end()},
                  .from_below = {from_below_.begin(), from_below_.end()}};
    for (const Role& r : roles_) {
      plan.row.push_back(cell.places[r.name].row);
      plan.slot.push_back(cell.places[r.name].slot);
      plan.width.push_back(r.width / kSlotPitch);
    }
    untangle(plan, attempt);
    cell.rows = 1;
    for (std::size_t r = 0; r < roles_.size(); ++r) {
      cell.places[roles_[r].name] = {plan.row[r], plan.slot[r]};
      cell.rows = std::max(cell.rows, plan.row[r] + 1);
    }
    return cell;
  }

  PrintedCell permuted() {
    find_levels();
    std::vector<int> order(roles_.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, {}, [&](int r) { return roles_[at(r)].level; });
    std::vector<double> row(roles_.size());
    for (std::size_t i = 0; i < order.size(); ++i) row[at(order[i])] = static_cast<double>(i);
    std::vector<int> slots(roles_.size()), best;
    std::iota(slots.begin(), slots.end(), 0);
    double least = 1e18;
    do {
      const double now = badness(row, slots);
      if (now < least - 1e-9) {
        least = now;
        best = slots;
      }
    } while (slots.size() <= kMostPermuted && std::ranges::next_permutation(slots).found);
    PrintedCell cell;
    cell.rows = static_cast<double>(roles_.size());
    const double middle = (cell.rows - 1) / 2;
    for (std::size_t r = 0; r < roles_.size(); ++r)
      cell.places[roles_[r].name] = {row[r] * 0.8, (best[r] - middle) * 0.8};
    cell.rows *= 0.8;
    return cell;
  }

 private:
  void add(const PictureEdge& e) {
    const auto from = role_of_.find(e.from), to = role_of_.find(e.to);
    if (from == role_of_.end() && to != role_of_.end() && p_.nodes[at(e.from)].cluster < 0)
      from_below_.insert(to->second);
    if (from == role_of_.end() || to == role_of_.end()) return;
    const bool inside = p_.nodes[at(e.from)].cluster == p_.nodes[at(e.to)].cluster && !e.square;
    if (inside && from->second != to->second)
      inner_.insert({from->second, to->second});
    else if (from->second == to->second)
      roles_[at(to->second)].lateral = true;
    if (!inside && !e.square) (is_onward(e) ? onward_ : back_).insert({from->second, to->second});
    if (inside) roles_[at(to->second)].source = false;
  }

  bool is_onward(const PictureEdge& e) const {
    const int from = p_.nodes[at(e.from)].cluster, to = p_.nodes[at(e.to)].cluster;
    return from < 0 || to < 0 || p_.clusters[at(from)].position <= p_.clusters[at(to)].position;
  }

  // the longest path of edges inside a step; then sources go up to what reads them
  void find_levels() {
    for (std::size_t pass = 0; pass < roles_.size(); ++pass)
      for (const auto& [from, to] : inner_)
        roles_[at(to)].level = std::max(roles_[at(to)].level, roles_[at(from)].level + 1);
    for (std::size_t r = 0; r < roles_.size(); ++r) {
      if (!roles_[r].source) continue;
      int first = 1 << 20;
      bool losses = true;
      for (const auto& [from, to] : inner_)
        if (from == static_cast<int>(r)) {
          first = std::min(first, roles_[at(to)].level);
          losses = losses && is_loss(to);
        }
      if (first == 1 << 20) continue;
      // what is observed stands above its loss, as books have it; where the gradient is, beside
      roles_[r].observed = losses;
      roles_[r].level = losses && !gradient_ ? first + 1 : first - 1;
    }
  }
  bool is_loss(int role) const {
    return std::ranges::any_of(role_of_, [&](const auto& n) {
      return n.second == role && p_.nodes[at(n.first)].kind == NodeKind::loss;
    });
  }

  // what is computed in the middle, in the order of what it reads; what is observed at its right
  void add_row(PrintedCell& cell, std::vector<int> row) {
    std::vector<double> weight(roles_.size(), 0);
    for (const int r : row) {
      double sum = 0;
      int count = 0;
      for (const auto& [from, to] : inner_)
        if (const auto below = cell.places.find(roles_[at(from)].name);
            to == r && below != cell.places.end()) {
          sum += below->second.slot;
          ++count;
        }
      weight[at(r)] = count == 0 ? 0 : sum / count;
    }
    std::ranges::stable_sort(
        row, {}, [&](int r) { return std::pair(roles_[at(r)].observed, weight[at(r)]); });
    auto main = std::ranges::count_if(row, [&](int r) { return !roles_[at(r)].observed; });
    if (main == 0) main = std::ssize(row);
    const std::vector<double> slots = slots_of(row);
    const double middle = (slots.front() + slots[at(static_cast<int>(main) - 1)]) / 2;
    for (std::size_t i = 0; i < row.size(); ++i)
      cell.places[roles_[at(row[i])].name] = {cell.rows, slots[i] - middle};
    cell.rows += 1;
  }
  /// One after the other; where names are too long for that, farther apart.
  std::vector<double> slots_of(const std::vector<int>& row) const {
    std::vector<double> slots{0};
    for (std::size_t i = 1; i < row.size(); ++i) {
      const double width = (roles_[at(row[i - 1])].width + roles_[at(row[i])].width) / 2;
      const bool fits = width + kLeastSpace < kSlotPitch;
      slots.push_back(slots.back() + (fits ? 1.0 : (width + kSpace) / kSlotPitch));
    }
    return slots;
  }

  struct Dot {
    double x, y;
  };
  double badness(const std::vector<double>& row, const std::vector<int>& slots) const {
    const auto dot = [&](int r) { return Dot{static_cast<double>(slots[at(r)]), row[at(r)]}; };
    double sum = 0;
    for (auto e = inner_.begin(); e != inner_.end(); ++e) {
      const Dot a = dot(e->first), b = dot(e->second);
      const double length = std::hypot(b.x - a.x, b.y - a.y);
      sum += length * 0.2;
      for (std::size_t r = 0; r < roles_.size(); ++r) {
        const int number = static_cast<int>(r);
        if (number == e->first || number == e->second) continue;
        const Dot c = dot(number);
        const double along = ((c.x - a.x) * (b.x - a.x) + (c.y - a.y) * (b.y - a.y)) / length;
        const double off = std::abs((c.x - a.x) * (b.y - a.y) - (c.y - a.y) * (b.x - a.x)) / length;
        if (along > 0 && along < length && off < 0.6) sum += 10;
      }
      for (auto f = std::next(e); f != inner_.end(); ++f)
        if (cross(a, b, dot(f->first), dot(f->second))) sum += 3;
    }
    return sum;
  }
  static bool cross(Dot a, Dot b, Dot c, Dot d) {
    const auto side = [](Dot p, Dot q, Dot r) {
      return (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x);
    };
    return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
  }

  const Picture& p_;
  std::map<std::string, int> number_;
  std::vector<Role> roles_;
  std::map<int, int> role_of_;           // by node
  std::set<std::pair<int, int>> inner_;  // edges inside a step, between roles
  std::set<int> from_below_;
  std::set<std::pair<int, int>> onward_, back_;  // from a step at the left, at the right
  bool gradient_ = false;
};

}  // namespace

std::string role_in_cell(const Picture& picture, int node) {
  const PictureNode& n = picture.nodes[at(node)];
  return n.cluster < 0 ? n.id : n.role;
}

PrintedCell arrange_cell(const Picture& picture, const std::vector<int>& nodes, bool grid,
                         int attempt) {
  Arranger arranger(picture, nodes);
  if (grid) return arranger.permuted();
  return attempt == 0 ? arranger.lines() : arranger.untangled(attempt - 1);
}

}  // namespace taugrad::draw
