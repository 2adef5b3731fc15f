#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "base/index.h"
#include "draw/layout/plan.h"

namespace taugrad::draw {
namespace {

constexpr long kMostBends = 40'000;
constexpr int kLongEdge = 4;  // layers; longer ones go straight where bends would be too many
constexpr std::size_t kSmallPlan = 600;  // nodes: worth exchanging neighbours pairwise
constexpr std::size_t kTinyPlan = 150;   // nodes: worth many beginnings
constexpr double kBendWidth = 4;

int span(const Plan& plan, const PlanEdge& e) {
  return plan.nodes[at(e.lower)].layer - plan.nodes[at(e.upper)].layer;
}

// Long edges become chains of bends, one a layer, so that they are ordered and kept clear of nodes.
void add_bends(Plan& plan) {
  long bends = 0;
  for (const PlanEdge& e : plan.edges) bends += e.loop ? 0 : span(plan, e) - 1;
  const bool too_many = bends > kMostBends;
  for (PlanEdge& e : plan.edges) {
    if (e.loop) continue;
    e.chain.push_back(e.upper);
    const int first = plan.nodes[at(e.upper)].layer + 1, last = plan.nodes[at(e.lower)].layer;
    const int middle = (first + last - 1) / 2;  // where there is room for the label
    for (int layer = first; layer < last && !(too_many && last - first >= kLongEdge); ++layer) {
      e.chain.push_back(static_cast<int>(plan.nodes.size()));
      const double width = layer == middle ? std::max(kBendWidth, e.label) : kBendWidth;
      plan.nodes.push_back({.kind = PlanNode::Kind::bend, .width = width, .layer = layer});
    }
    e.chain.push_back(e.lower);
  }
}

class Orderer {
 public:
  explicit Orderer(Plan& plan) : plan_(plan), up_(plan.nodes.size()), down_(plan.nodes.size()) {
    for (const PlanEdge& e : plan.edges) {
      for (std::size_t i = 0; i + 1 < e.chain.size(); ++i) {
        down_[at(e.chain[i])].push_back(e.chain[i + 1]);
        up_[at(e.chain[i + 1])].push_back(e.chain[i]);
      }
    }
    place_.resize(plan.nodes.size());
  }

  void run() {
    const std::size_t size = plan_.nodes.size();
    const bool small = size <= kSmallPlan;
    const int starts = size <= kTinyPlan ? 12 : small ? 3 : 1;
    long best_cost = -1;
    std::vector<std::vector<int>> best;
    for (int attempt = 0; attempt < starts; ++attempt) {
      start(attempt);
      for (int sweep = 0; sweep < (small ? 12 : 4); ++sweep) {
        sweep_once(sweep % 2 == 0);
        if (small) exchange();
        const long cost = total_cost();
        if (best_cost < 0 || cost < best_cost) {
          best_cost = cost;
          best = plan_.rows;
        }
      }
      if (best_cost == 0) break;
    }
    plan_.rows = std::move(best);
  }

 private:
  // Sweeps find the nearest good order, so they begin from several: as created, reversed, shuffled
  // (by fixed numbers).
  void start(int attempt) {
    std::vector<int> order(plan_.nodes.size());
    std::iota(order.begin(), order.end(), 0);
    if (attempt == 1) std::reverse(order.begin(), order.end());
    std::uint32_t state = static_cast<std::uint32_t>(attempt);
    for (std::size_t i = order.size(); attempt > 1 && i > 1; --i) {
      state = state * 1664525u + 1013904223u;
      std::swap(order[i - 1], order[(state >> 8) % i]);
    }
    plan_.rows.assign(at(plan_.layers + 2), {});
    for (const int n : order) plan_.rows[at(plan_.nodes[at(n)].layer)].push_back(n);
    for (const auto& row : plan_.rows) number(row);
  }

  void number(const std::vector<int>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) place_[at(row[i])] = static_cast<int>(i);
  }

  void sweep_once(bool downwards) {
    const int count = static_cast<int>(plan_.rows.size());
    for (int i = 0; i < count; ++i) {
      sort_by_barycentre(plan_.rows[at(downwards ? i : count - 1 - i)], downwards ? up_ : down_);
    }
  }

  // Places as fractions of the row, so that rows of different length compare; sideways edges pull
  // to the rim.
  void sort_by_barycentre(std::vector<int>& row, const std::vector<std::vector<int>>& neighbours) {
    std::vector<std::pair<double, int>> keyed;
    keyed.reserve(row.size());
    for (const int n : row) {
      double sum = 0;
      int count = 0;
      for (const int m : neighbours[at(n)]) {
        sum += fraction(m);
        ++count;
      }
      if (const int pull = plan_.nodes[at(n)].pull; pull != 0) {
        sum += pull > 0 ? 1.5 : -0.5;
        ++count;
      }
      keyed.emplace_back(count == 0 ? fraction(n) : sum / count, n);
    }
    std::stable_sort(keyed.begin(), keyed.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = keyed[i].second;
    number(row);
  }

  double fraction(int n) const {
    const auto size = static_cast<double>(plan_.rows[at(plan_.nodes[at(n)].layer)].size());
    return (place_[at(n)] + 0.5) / size;
  }

  long crossings_of(const std::vector<int>& left, const std::vector<int>& right) const {
    long count = 0;
    for (const int a : left) {
      for (const int b : right) count += place_[at(a)] > place_[at(b)] ? 1 : 0;
    }
    return count;
  }

  // What it costs to have u left of v, its neighbour: crossings, and nodes in the way of sideways
  // edges.
  long pair_cost(int u, int v) const {
    const PlanNode& left = plan_.nodes[at(u)];
    const PlanNode& right = plan_.nodes[at(v)];
    long cost = crossings_of(up_[at(u)], up_[at(v)]) + crossings_of(down_[at(u)], down_[at(v)]);
    if (left.pull > 0 && right.is_real()) cost += 2;
    if (right.pull < 0 && left.is_real()) cost += 2;
    return cost;
  }

  void exchange() {
    bool better = true;
    for (int round = 0; better && round < 8; ++round) {
      better = false;
      for (auto& row : plan_.rows) {
        for (std::size_t i = 0; i + 1 < row.size(); ++i) {
          if (pair_cost(row[i + 1], row[i]) >= pair_cost(row[i], row[i + 1])) continue;
          std::swap(row[i], row[i + 1]);
          std::swap(place_[at(row[i])], place_[at(row[i + 1])]);
          better = true;
        }
      }
    }
  }

  long total_cost() const {
    long cost = 0;
    for (std::size_t r = 0; r < plan_.rows.size(); ++r) {
      const auto& row = plan_.rows[r];
      if (r + 1 < plan_.rows.size()) cost += crossings_below(row, plan_.rows[r + 1].size());
      int reals = 0;
      for (const int n : row) {
        if (plan_.nodes[at(n)].pull < 0) cost += 2 * reals;
        reals += plan_.nodes[at(n)].is_real() ? 1 : 0;
      }
      for (const int n : row) {
        reals -= plan_.nodes[at(n)].is_real() ? 1 : 0;
        if (plan_.nodes[at(n)].pull > 0) cost += 2 * reals;
      }
    }
    return cost;
  }

  // Crossings between a row and the next, by counting inversions with a Fenwick tree.
  long crossings_below(const std::vector<int>& row, std::size_t next_size) const {
    std::vector<long> tree(next_size + 2, 0);
    long count = 0, seen = 0;
    std::vector<int> ends;
    for (const int n : row) {
      ends.clear();
      for (const int m : down_[at(n)])
        ends.push_back(std::min(place_[at(m)], static_cast<int>(next_size) - 1));
      for (const int end : ends) {
        long not_right = 0;
        for (int i = end + 1; i > 0; i -= i & -i) not_right += tree[at(i)];
        count += seen - not_right;
      }
      for (const int end : ends) {
        for (int i = end + 1; i < static_cast<int>(tree.size()); i += i & -i) ++tree[at(i)];
        ++seen;
      }
    }
    return count;
  }

  Plan& plan_;
  std::vector<std::vector<int>> up_, down_;  // neighbours one layer above and below
  std::vector<int> place_;                   // in its row
};

}  // namespace

void order_layers(Plan& plan) {
  add_bends(plan);
  Orderer(plan).run();
}

}  // namespace taugrad::draw
